import { accountOf } from '#kernel/caller.ts';
import type { GrantTerms } from '#kernel/key-grant.ts';
import type { AccessRequest, Call, ConditionContext } from '#kernel/operation.ts';
import type { EncryptionContext } from './encryption-context.ts';
import { GRANTABLE_ACTIONS } from './grant-terms.ts';
import { foreignKeyDenied, type LocatedKey } from './key-locator.ts';

/**
 * Actions that AWS lets another account's principals use; all others are refused whatever the key policy says.
 * Source: KMS developer guide, "Allowing users in other accounts to use a KMS key".
 */
const CROSS_ACCOUNT_ACTIONS = new Set([
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:GenerateDataKeyPair',
  'kms:GenerateDataKeyPairWithoutPlaintext',
  'kms:Sign',
  'kms:Verify',
  'kms:GenerateMac',
  'kms:VerifyMac',
  'kms:DeriveSharedSecret',
  'kms:Encapsulate',
  'kms:Decapsulate',
  'kms:GetPublicKey',
  'kms:DescribeKey',
  'kms:GetKeyRotationStatus',
  'kms:CreateGrant',
  'kms:ListGrants',
  'kms:RetireGrant',
  'kms:RevokeGrant',
]);

/** What an operation on a key says of its request, apart from the key. */
interface KeyAccessDetails {
  readonly encryptionContext?: EncryptionContext | undefined;
  /** Further condition keys. */
  readonly context?: ConditionContext;
  /** The grant that CreateGrant would make. */
  readonly child?: GrantTerms;
}

/** The question that an operation on a key asks the policy engine, with every `kms:` condition key that it supplies. */
export function keyAccess(
  call: Call,
  located: LocatedKey,
  action: string,
  details: KeyAccessDetails = {},
): AccessRequest {
  const { key, arn, requestAlias } = located;
  const isForeign = accountOf(call.caller) !== key.account;
  const refusal = () => foreignKeyDenied(call.caller, action, located.requestName);
  if (isForeign && !CROSS_ACCOUNT_ACTIONS.has(action)) throw refusal();
  return {
    action,
    resource: arn,
    resourceAccount: key.account,
    resourcePolicy: { document: key.policy, isRequired: true, kind: 'resource-based' },
    ...(GRANTABLE_ACTIONS.has(action) && {
      grants: { find: located.findGrants, encryptionContext: details.encryptionContext, child: details.child },
    }),
    resourceTags: key.tags,
    ...(isForeign && { refusal }),
    context: {
      ...callerKeys(call),
      ...keyKindKeys(key),
      'kms:KeyOrigin': key.origin,
      'kms:MultiRegion': String(key.multi_region !== null),
      'kms:MultiRegionKeyType': key.multi_region ?? undefined,
      'kms:ResourceAliases': key.aliases,
      'kms:RequestAlias': requestAlias,
      ...encryptionContextKeys(details.encryptionContext),
      ...details.context,
    },
  };
}

/** Who asks. `kms:ViaService` is the service that asks in the caller's name, the last on the way. */
export function callerKeys(call: Call): ConditionContext {
  return { 'kms:CallerAccount': accountOf(call.caller), 'kms:ViaService': call.via.at(-1) };
}

/** What kind of key it is, in the names of today and in those that AWS had before. */
export function keyKindKeys({ spec, usage }: { readonly spec: string; readonly usage: string }): ConditionContext {
  return {
    'kms:KeySpec': spec,
    'kms:KeyUsage': usage,
    'kms:CustomerMasterKeySpec': spec,
    'kms:CustomerMasterKeyUsage': usage,
  };
}

function encryptionContextKeys(context: EncryptionContext | undefined): ConditionContext {
  if (context === undefined) return {};
  const names = Object.keys(context);
  if (names.length === 0) return {};
  return {
    'kms:EncryptionContextKeys': names,
    ...Object.fromEntries(names.map((name) => [`kms:EncryptionContext:${name}`, context[name]])),
  };
}
