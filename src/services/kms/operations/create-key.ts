import { CreateKey$, type CreateKeyRequest, type CreateKeyResponse } from '@aws-sdk/client-kms';
import { type AccessRequest, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { generateKeyMaterial } from '../domain/generate-key.ts';
import { callerKeys, keyKindKeys } from '../domain/key-access.ts';
import { keyArn } from '../domain/key-identifier.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { keyMetadata } from '../domain/key-metadata.ts';
import { checkKeyPolicy, principalRefusal } from '../domain/key-policy-check.ts';
import { defaultKeyPolicy } from '../domain/key-policies.ts';
import { askedKeyKind, requestedKeyKind } from '../domain/requested-key-kind.ts';
import { checkTags, type TagMap } from '../domain/tags.ts';
import { unsupported } from '../errors.ts';
import { familyOf } from '../materials/key-family.ts';
import type { KeyRecord } from '../tables.ts';
import { addExternalKey, checkKeyStoreMembers, findExternalKey } from '../xks/new-external-key.ts';

export const createKey = operation<KmsContext, CreateKeyRequest, CreateKeyResponse>(CreateKey$, {
  authorize(input, call) {
    const tags = checkTags(input.Tags);
    const asked = askedKeyKind(input);
    const context = {
      ...callerKeys(call),
      ...keyKindKeys(asked),
      'kms:KeyOrigin': input.Origin ?? 'AWS_KMS',
      'kms:MultiRegion': String(input.MultiRegion === true),
      'kms:MultiRegionKeyType': input.MultiRegion === true ? 'PRIMARY' : undefined,
      'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
    };
    const requests: AccessRequest[] = [{ action: 'kms:CreateKey', resource: '*', context, requestTags: tags }];
    if (Object.keys(tags).length > 0) {
      requests.push({ action: 'kms:TagResource', resource: '*', context, requestTags: tags });
    }
    return requests;
  },
  async handle(input, call, kms) {
    checkKeyStoreMembers(input);
    const { spec, usage } = requestedKeyKind(input);
    refuseUnsupported(input);
    const account = callerAccount(call.caller, 'kms:CreateKey');
    const isMultiRegion = input.MultiRegion === true;
    const uuid = kms.randomness.uuid();
    const id = isMultiRegion ? `mrk-${uuid.replaceAll('-', '')}` : uuid;
    const policy = input.Policy ?? defaultKeyPolicy(account);
    const arn = keyArn({ account, region: call.region, id });
    if (input.Policy !== undefined) {
      const owner = { arn, account, spec, usage, origin: input.Origin ?? 'AWS_KMS' };
      await checkKeyPolicy(policy, owner, call, input.BypassPolicyLockoutSafetyCheck ?? false);
    }
    const external =
      input.Origin === 'EXTERNAL_KEY_STORE' ? await findExternalKey(input, account, call, kms) : undefined;
    const isImported = input.Origin === 'EXTERNAL';
    const material = isImported
      ? undefined
      : kms.materials.seal({ region: call.region, id }, await generateKeyMaterial(spec, kms.randomness), call.now);
    const key: KeyRecord = {
      id,
      account,
      region: call.region,
      state: isImported ? 'PendingImport' : 'Enabled',
      manager: 'CUSTOMER',
      description: input.Description ?? '',
      policy: await kms.policyPrincipals.bind(policy, principalRefusal),
      created_at: call.now,
      deletion_at: null,
      material_id: material?.id ?? '',
      spec,
      usage,
      origin: input.Origin ?? 'AWS_KMS',
      multi_region: isMultiRegion ? 'PRIMARY' : null,
      primary_region: isMultiRegion ? call.region : null,
    };
    const tags: TagMap = checkTags(input.Tags);
    await kms.store.write(async (transaction) => {
      await transaction.insertInto('kms_key').values(key).execute();
      if (material !== undefined) await transaction.insertInto('kms_material').values(material).execute();
      if (external !== undefined) await addExternalKey(transaction, key, external);
      for (const [tag_key, tag_value] of Object.entries(tags)) {
        await transaction
          .insertInto('kms_tag')
          .values({ region: call.region, key_id: id, tag_key, tag_value })
          .execute();
      }
      // No other key is changed: creating keys costs those that are in use nothing.
    }, []);
    call.audit.resources.add(arn);
    const family = isMultiRegion ? await familyOf(kms.store.read, key) : undefined;
    return { KeyMetadata: keyMetadata({ ...key, external, family }) };
  },
});

function refuseUnsupported(input: CreateKeyRequest): void {
  if (input.MultiRegion === true && input.Origin === 'EXTERNAL_KEY_STORE') {
    throw unsupported('A key in a custom key store cannot be a multi-Region key.');
  }
}
