import type { CreateGrantRequest, GrantOperation, KeyUsageType } from '@aws-sdk/client-kms';
import { parseArn } from '#kernel/arn.ts';
import type { GrantConstraints, GrantTerms } from '#kernel/key-grant.ts';
import { invalidArn, validation } from '../errors.ts';
import type { KeyRecord } from '../tables.ts';

const OF_EVERY_KEY: readonly GrantOperation[] = ['CreateGrant', 'RetireGrant', 'DescribeKey'];
const BY_USAGE: Readonly<Record<KeyUsageType, readonly GrantOperation[]>> = {
  ENCRYPT_DECRYPT: ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo'],
  SIGN_VERIFY: ['Sign', 'Verify'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret'],
  ENCAPSULATE_DECAPSULATE: ['Encapsulate', 'Decapsulate'],
};
const OF_SYMMETRIC_KEYS: readonly GrantOperation[] = [
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
];

/**
 * What a grant can allow whom it is for. Retiring is not among them: who may do that is said by more of the grant than its
 * operations.
 */
export const GRANTABLE_ACTIONS: ReadonlySet<string> = new Set(
  ['CreateGrant', 'DescribeKey', 'GetPublicKey', ...OF_SYMMETRIC_KEYS, ...Object.values(BY_USAGE).flat()].map(
    (name) => `kms:${name}`,
  ),
);

/** As many pairs, and characters of a value, as a constraint may have (KMS API, CreateGrant). */
const MAX_PAIRS = 8;
const MAX_VALUE_LENGTH = 384;

/** The operations that a grant on such a key can allow. */
function grantableOperations({ spec, usage }: Pick<KeyRecord, 'spec' | 'usage'>): readonly GrantOperation[] {
  const own = [...OF_EVERY_KEY, ...BY_USAGE[usage]];
  if (spec === 'SYMMETRIC_DEFAULT') return [...own, ...OF_SYMMETRIC_KEYS];
  return usage === 'GENERATE_VERIFY_MAC' ? own : [...own, 'GetPublicKey'];
}

/**
 * What a request asks a grant to allow; whether the key can do it is `checkGrantTerms`'s business. A subset without pairs
 * constrains nothing, so that it is none: not for the conditions of policies either.
 */
export function readGrantTerms({ Operations, Constraints }: CreateGrantRequest): GrantTerms {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset, SourceArn: sourceArn } = Constraints ?? {};
  return {
    operations: [...new Set(Operations)],
    constraints: {
      ...(equals === undefined ? {} : { encryptionContextEquals: equals }),
      ...(subset === undefined || Object.keys(subset).length === 0 ? {} : { encryptionContextSubset: subset }),
      ...(sourceArn === undefined ? {} : { sourceArn }),
    },
  };
}

/** @throws ServiceError ValidationException or InvalidArnException */
export function checkGrantTerms(terms: GrantTerms, key: Pick<KeyRecord, 'spec' | 'usage'>): void {
  if (terms.operations.length === 0) throw validation('Operations must name at least one operation.');
  const grantable: readonly string[] = grantableOperations(key);
  const foreign = terms.operations.find((name) => !grantable.includes(name));
  if (foreign !== undefined) {
    throw validation(`Operation ${foreign} is not supported in a grant on a key with key spec ${key.spec} and key \
usage ${key.usage}.`);
  }
  checkConstraints(terms.constraints, key);
}

function checkConstraints(constraints: GrantConstraints, { spec }: Pick<KeyRecord, 'spec'>): void {
  const { encryptionContextEquals: equals, encryptionContextSubset: subset, sourceArn } = constraints;
  if (equals !== undefined && subset !== undefined) {
    throw validation('Only one of EncryptionContextEquals and EncryptionContextSubset can be specified.');
  }
  const pairs = equals ?? subset;
  if (pairs !== undefined && spec !== 'SYMMETRIC_DEFAULT') {
    throw validation('Encryption context constraints are not supported in a grant on an asymmetric or HMAC key.');
  }
  if (Object.keys(pairs ?? {}).length > MAX_PAIRS) {
    throw validation(`A grant constraint can have at most ${MAX_PAIRS} encryption context pairs.`);
  }
  if (Object.values(pairs ?? {}).some((value) => value.length > MAX_VALUE_LENGTH)) {
    throw validation(
      `An encryption context value in a grant constraint can have at most ${MAX_VALUE_LENGTH} characters.`,
    );
  }
  if (sourceArn !== undefined && (parseArn(sourceArn) === undefined || /[*?]/.test(sourceArn))) {
    throw invalidArn(`Invalid arn ${sourceArn}`);
  }
}
