import type { CreateKeyRequest, KeySpec, KeyUsageType } from '@aws-sdk/client-kms';
import { unsupported, validation } from '../errors.ts';
import { algorithmsOf, isMadeSpec, type MadeKeySpec } from './key-specs.ts';

type KindMembers = Pick<CreateKeyRequest, 'KeySpec' | 'CustomerMasterKeySpec' | 'KeyUsage'>;

/** What a request for a key asks for, not yet checked: for the conditions of policies. */
export function askedKeyKind(input: KindMembers): { readonly spec: KeySpec; readonly usage: KeyUsageType } {
  return {
    spec: input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT',
    usage: input.KeyUsage ?? 'ENCRYPT_DECRYPT',
  };
}

/**
 * The kind of key that a request asks for.
 *
 * @throws ServiceError ValidationException for a usage that is missing or that the spec does not have,
 *   UnsupportedOperationException for SM2
 */
export function requestedKeyKind(input: KindMembers): { readonly spec: MadeKeySpec; readonly usage: KeyUsageType } {
  if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
    throw validation(
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    );
  }
  const { spec, usage } = askedKeyKind(input);
  if (!isMadeSpec(spec)) throw unsupported(`KeySpec ${spec} is not supported in this Region.`);
  if (input.KeyUsage === undefined && spec !== 'SYMMETRIC_DEFAULT') {
    throw validation('You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  }
  if (algorithmsOf(spec)?.[usage] === undefined) {
    throw validation(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  return { spec, usage };
}
