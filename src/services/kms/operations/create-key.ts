import { CreateKey$, type CreateKeyRequest, type CreateKeyResponse } from '@aws-sdk/client-kms';
import { type AccessRequest, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { viaService } from '../domain/key-access.ts';
import { keyArn } from '../domain/key-identifier.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { keyMetadata } from '../domain/key-metadata.ts';
import { checkKeyPolicy } from '../domain/key-policy-check.ts';
import { defaultKeyPolicy } from '../domain/key-policies.ts';
import { checkTags, type TagMap } from '../domain/tags.ts';
import { unsupported } from '../errors.ts';
import type { KeyRecord } from '../store.ts';

export const createKey = operation<KmsContext, CreateKeyRequest, CreateKeyResponse>(CreateKey$, {
  authorize(input, call) {
    const tags = checkTags(input.Tags);
    const context = {
      ...viaService(call),
      'kms:KeySpec': 'SYMMETRIC_DEFAULT',
      'kms:KeyUsage': 'ENCRYPT_DECRYPT',
      'kms:KeyOrigin': 'AWS_KMS',
      'kms:MultiRegion': 'false',
      'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
    };
    const requests: AccessRequest[] = [{ action: 'kms:CreateKey', resource: '*', context, requestTags: tags }];
    if (Object.keys(tags).length > 0) {
      requests.push({ action: 'kms:TagResource', resource: '*', context, requestTags: tags });
    }
    return requests;
  },
  async handle(input, call, kms) {
    refuseUnsupported(input);
    const account = callerAccount(call.caller, 'kms:CreateKey');
    const id = kms.randomness.uuid();
    const policy = input.Policy ?? defaultKeyPolicy(account);
    const arn = keyArn({ account, region: call.region, id });
    if (input.Policy !== undefined) {
      await checkKeyPolicy(policy, { arn, account }, call, input.BypassPolicyLockoutSafetyCheck ?? false);
    }
    const material = kms.materials.create({ region: call.region, id }, call.now);
    const key: KeyRecord = {
      id,
      account,
      region: call.region,
      state: 'Enabled',
      manager: 'CUSTOMER',
      description: input.Description ?? '',
      policy,
      created_at: call.now,
      deletion_at: null,
      material_id: material.id,
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
      multi_region: null,
      primary_region: null,
    };
    const tags: TagMap = checkTags(input.Tags);
    await kms.store.write(async (transaction) => {
      await transaction.insertInto('kms_key').values(key).execute();
      await transaction.insertInto('kms_material').values(material).execute();
      for (const [tag_key, tag_value] of Object.entries(tags)) {
        await transaction
          .insertInto('kms_tag')
          .values({ region: call.region, key_id: id, tag_key, tag_value })
          .execute();
      }
    });
    call.audit.resources.add(arn);
    return { KeyMetadata: keyMetadata(key) };
  },
});

function refuseUnsupported(input: CreateKeyRequest): void {
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (spec !== 'SYMMETRIC_DEFAULT') throw unsupported(`KeySpec ${spec} is not supported yet.`);
  if ((input.KeyUsage ?? 'ENCRYPT_DECRYPT') !== 'ENCRYPT_DECRYPT') {
    throw unsupported(`KeyUsage ${input.KeyUsage} is not supported with KeySpec SYMMETRIC_DEFAULT.`);
  }
  if ((input.Origin ?? 'AWS_KMS') !== 'AWS_KMS') throw unsupported(`Origin ${input.Origin} is not supported yet.`);
  if (input.MultiRegion === true) throw unsupported('MultiRegion keys are not supported yet.');
  if (input.CustomKeyStoreId !== undefined) throw unsupported('CustomKeyStoreId is not supported yet.');
  if (input.XksKeyId !== undefined) throw unsupported('XksKeyId is not supported yet.');
}
