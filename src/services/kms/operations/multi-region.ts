import {
  ReplicateKey$,
  type ReplicateKeyRequest,
  type ReplicateKeyResponse,
  UpdatePrimaryRegion$,
  type UpdatePrimaryRegionRequest,
} from '@aws-sdk/client-kms';
import { isRegion, type Region } from '#kernel/ids.ts';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { callerKeys, keyAccess, keyKindKeys } from '../domain/key-access.ts';
import { keyArn } from '../domain/key-identifier.ts';
import { type LocatedKey, requireEnabled } from '../domain/key-locator.ts';
import { keyMetadata } from '../domain/key-metadata.ts';
import { checkKeyPolicy, principalRefusal } from '../domain/key-policy-check.ts';
import { defaultKeyPolicy } from '../domain/key-policies.ts';
import { checkTags } from '../domain/tags.ts';
import { alreadyExists, invalidState, keyNotFound, unsupported, validation } from '../errors.ts';
import { addReplica, familyOf, movePrimary } from '../materials/key-family.ts';
import { currentKey, everywhere } from '../materials/history.ts';
import type { KeyRecord, KmsTransaction } from '../tables.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

export const replicateKey = operation<KmsContext, ReplicateKeyRequest, ReplicateKeyResponse>(ReplicateKey$, {
  async authorize(input, call, kms) {
    const located = await locateByKeyId(input.KeyId, call, kms, 'kms:ReplicateKey');
    const { key } = located;
    const tags = checkTags(input.Tags);
    const onPrimary = { 'kms:ReplicaRegion': input.ReplicaRegion };
    const context = {
      ...callerKeys(call),
      ...keyKindKeys(key),
      'kms:KeyOrigin': key.origin,
      'kms:MultiRegion': 'true',
      'kms:MultiRegionKeyType': 'REPLICA',
      'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
    };
    const requests: AccessRequest[] = [
      keyAccess(call, located, 'kms:ReplicateKey', { context: onPrimary }),
      { action: 'kms:CreateKey', resource: '*', context, requestTags: tags },
    ];
    if (Object.keys(tags).length > 0) {
      requests.push({ action: 'kms:TagResource', resource: '*', context, requestTags: tags });
    }
    return requests;
  },
  async handle(input, call, kms) {
    const located = await locatePrimary(input.KeyId, call, kms, 'kms:ReplicateKey');
    const { key, arn } = located;
    requireEnabled(located);
    const region = readRegion(input.ReplicaRegion, 'ReplicaRegion');
    const replicaArn = keyArn({ ...key, region });
    if (partitionOf(region) !== partitionOf(key.region)) {
      throw unsupported(`${arn} cannot be replicated to ${region}, which is in another partition.`);
    }
    const policy = input.Policy ?? defaultKeyPolicy(key.account);
    if (input.Policy !== undefined) {
      const place = { arn: replicaArn, account: key.account, spec: key.spec, usage: key.usage, origin: key.origin };
      await checkKeyPolicy(policy, place, call, input.BypassPolicyLockoutSafetyCheck ?? false);
    }
    const boundPolicy = await kms.policyPrincipals.bind(policy, principalRefusal);
    const tags = checkTags(input.Tags);
    const replica = await kms.store.write(async (queries) => {
      const primary = await requirePrimary(queries, key, arn);
      if ((await everywhere(queries, key.id)).some((member) => member.region === region)) {
        throw alreadyExists(`${replicaArn} already exists.`);
      }
      const made: KeyRecord = {
        ...primary,
        region,
        state: primary.origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
        description: input.Description ?? '',
        policy: boundPolicy,
        created_at: call.now,
        multi_region: 'REPLICA',
      };
      await addReplica(queries, primary, made);
      for (const [tag_key, tag_value] of Object.entries(tags)) {
        await queries.insertInto('kms_tag').values({ region, key_id: key.id, tag_key, tag_value }).execute();
      }
      return made;
    });
    call.audit.resources.add(replicaArn);
    const family = await familyOf(kms.store.read, replica);
    return {
      // AWS tells a new replica as Creating, whatever it is a moment later; here it can be used at once.
      ReplicaKeyMetadata: { ...keyMetadata({ ...replica, family }), KeyState: 'Creating', Enabled: false },
      ReplicaPolicy: policy,
      ReplicaTags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    };
  },
});

export const updatePrimaryRegion = operation<KmsContext, UpdatePrimaryRegionRequest, Record<string, never>>(
  UpdatePrimaryRegion$,
  {
    async authorize(input, call, kms) {
      const located = await locateByKeyId(input.KeyId, call, kms, 'kms:UpdatePrimaryRegion');
      const details = { context: { 'kms:PrimaryRegion': input.PrimaryRegion } };
      const requests = [keyAccess(call, located, 'kms:UpdatePrimaryRegion', details)];
      const replica = await findReplica(located, input.PrimaryRegion, call, kms);
      if (replica !== undefined) requests.push(keyAccess(call, replica, 'kms:UpdatePrimaryRegion', details));
      return requests;
    },
    async handle(input, call, kms) {
      const located = await locatePrimary(input.KeyId, call, kms, 'kms:UpdatePrimaryRegion');
      const { key, arn } = located;
      requireEnabled(located);
      const region = readRegion(input.PrimaryRegion, 'PrimaryRegion');
      if (region === key.region) throw unsupported(`${arn} is the primary key already.`);
      const replica = await findReplica(located, region, call, kms);
      if (replica === undefined) throw keyNotFound(keyArn({ ...key, region }));
      requireEnabled(replica);
      await kms.store.write(async (queries) => {
        await requirePrimary(queries, key, arn);
        const members = await everywhere(queries, key.id);
        if (members.find((member) => member.region === region)?.state !== 'Enabled') {
          throw invalidState(replica.arn, 'is changing its state');
        }
        await movePrimary(queries, key.id, key.region, region);
      });
      call.audit.resources.add(replica.arn);
      return {};
    },
  },
);

/** @throws ServiceError UnsupportedOperationException for every key but the primary of a multi-Region key */
async function locatePrimary(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await locateByKeyId(keyId, call, kms, action);
  if (located.key.multi_region !== 'PRIMARY') throw notPrimary(located.arn);
  return located;
}

async function requirePrimary(queries: KmsTransaction, key: KeyRecord, arn: string): Promise<KeyRecord> {
  const found = await currentKey(queries, key);
  if (found?.multi_region !== 'PRIMARY') throw notPrimary(arn);
  if (found.state !== 'Enabled') throw invalidState(arn, 'is changing its state');
  return found;
}

async function findReplica(
  { key }: LocatedKey,
  region: string | undefined,
  call: Call,
  kms: KmsContext,
): Promise<LocatedKey | undefined> {
  if (region === undefined || !isRegion(region) || region === key.region || key.multi_region === null) return undefined;
  return await kms.keys.locateById(key.id, { ...call, region });
}

function notPrimary(arn: string): Error {
  return unsupported(`${arn} is not a multi-Region primary key.`);
}

function readRegion(text: string | undefined, member: string): Region {
  if (text === undefined || !isRegion(text)) throw validation(`${member} is not the name of a Region.`);
  return text;
}

/** Which of AWS's partitions a Region's name says. */
function partitionOf(region: string): string {
  return /^(cn|us-gov|us-iso[a-z]*|eu-isoe|eusc)-/.exec(region)?.[1] ?? 'aws';
}
