import { RetireGrant$, type RetireGrantRequest, RevokeGrant$, type RevokeGrantRequest } from '@aws-sdk/client-kms';
import { accountOf } from '#kernel/caller.ts';
import type { KeyGrant } from '#kernel/key-grant.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyAccess } from '../domain/key-access.ts';
import { foreignKeyDenied, type LocatedKey } from '../domain/key-locator.ts';
import { grantNotFound, invalidGrantToken, validation } from '../errors.ts';
import { constraintsOf, type GrantRecord, operationsOf } from '../grant-store.ts';
import { endDryRun } from './crypto-parameters.ts';
import { checkGrantId, isForService, rootArn } from './grant-requests.ts';
import { findByToken } from './grant-tokens.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

export const revokeGrant = operation<KmsContext, RevokeGrantRequest, Record<string, never>>(RevokeGrant$, {
  async authorize(input, call, kms) {
    const located = await locateByKeyId(input.KeyId, call, kms, 'kms:RevokeGrant');
    return [keyAccess(call, located, 'kms:RevokeGrant', { context: isForService(call) })];
  },
  async handle(input, call, kms) {
    const located = await locateByKeyId(input.KeyId, call, kms, 'kms:RevokeGrant');
    const grant = await findOnKey(input.GrantId, located, kms);
    if (grant === undefined) throw grantNotFound(input.GrantId ?? '');
    endDryRun(input);
    await removeGrant(grant, kms);
    call.audit.details['grantId'] = grant.id;
    return {};
  },
});

export const retireGrant = operation<KmsContext, RetireGrantRequest, Record<string, never>>(RetireGrant$, {
  async authorize(input, call, kms) {
    const { located, grant } = await locateGrant(input, call, kms);
    const { encryptionContextEquals: equals, encryptionContextSubset: subset } = constraintsOf(grant);
    const type = equals !== undefined ? 'EncryptionContextEquals' : subset && 'EncryptionContextSubset';
    const encryptionContext = equals ?? subset;
    const context = { 'kms:GrantConstraintType': type };
    return [
      {
        ...keyAccess(call, located, 'kms:RetireGrant', { encryptionContext, context }),
        // A key policy has no say in it, and an identity policy none alone (KMS developer guide, "Retiring and revoking
        // grants"): the grant has to let them in.
        resourcePolicy: { document: undefined, isRequired: true, kind: 'resource-based' },
        grants: {
          find: async (names) => retirersOf(grant, located).filter(({ grantee }) => names.includes(grantee)),
        },
      },
    ];
  },
  async handle(input, call, kms) {
    const { grant } = await locateGrant(input, call, kms);
    endDryRun(input);
    await removeGrant(grant, kms);
    call.audit.details['grantId'] = grant.id;
    return {};
  },
});

/** Who may retire a grant, as grants that allow just that. An account stands for those whom its own policies let. */
function retirersOf(grant: GrantRecord, { arn, key }: LocatedKey): readonly KeyGrant[] {
  const toRetire = { id: grant.id, key: arn, operations: ['RetireGrant'], constraints: {} };
  const named = (grantee: string, id: string | null): KeyGrant => ({
    ...toRetire,
    grantee,
    ...(id === null ? {} : { granteeId: id }),
  });
  return [
    ...(grant.retiring === null ? [] : [named(grant.retiring, grant.retiring_id)]),
    ...(operationsOf(grant).includes('RetireGrant') ? [named(grant.grantee, grant.grantee_id)] : []),
    named(rootArn(grant.issuer), null),
    named(rootArn(key.account), null),
  ];
}

/** @throws ServiceError ValidationException, InvalidGrantTokenException, InvalidGrantIdException, NotFoundException */
async function locateGrant(
  { GrantToken, KeyId, GrantId }: RetireGrantRequest,
  call: Call,
  kms: KmsContext,
): Promise<{ readonly located: LocatedKey; readonly grant: GrantRecord }> {
  if (GrantToken !== undefined) {
    if (KeyId !== undefined || GrantId !== undefined) {
      throw validation('Specify either a grant token, or a key and a grant ID, but not both.');
    }
    const grant = await findByToken(GrantToken, call.region, kms);
    const located = await kms.keys.locateById(grant.key_id, call);
    if (located === undefined) throw invalidGrantToken();
    return { located, grant };
  }
  if (KeyId === undefined || GrantId === undefined) {
    throw validation('Specify a grant token, or both a key and a grant ID.');
  }
  const located = await locateByKeyId(KeyId, call, kms, 'kms:RetireGrant');
  const grant = await findOnKey(GrantId, located, kms);
  if (grant !== undefined) return { located, grant };
  if (accountOf(call.caller) !== located.key.account) throw foreignKeyDenied(call.caller, 'kms:RetireGrant', KeyId);
  throw grantNotFound(GrantId);
}

async function findOnKey(
  id: string | undefined,
  { key }: LocatedKey,
  kms: KmsContext,
): Promise<GrantRecord | undefined> {
  const grant = await kms.store.grants.find(key.region, checkGrantId(id ?? ''));
  return grant?.key_id === key.id ? grant : undefined;
}

async function removeGrant({ region, id, key_id }: GrantRecord, kms: KmsContext): Promise<void> {
  await kms.store.grants.write({ region, id: key_id }, async (transaction) => {
    const removed = await transaction
      .deleteFrom('kms_grant')
      .where('region', '=', region)
      .where('id', '=', id)
      .executeTakeFirst();
    if (removed.numDeletedRows === 0n) throw grantNotFound(id);
  });
}
