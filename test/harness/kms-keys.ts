import assert from 'node:assert/strict';
import { CreateKeyCommand, type KeySpec, type KeyUsageType, type KMSClient } from '@aws-sdk/client-kms';

export interface TestKey {
  readonly id: string;
  readonly arn: string;
}

/** Makes a key of a kind. */
export async function createKeyOf(
  kms: KMSClient,
  KeySpec: KeySpec,
  KeyUsage: KeyUsageType,
  Policy?: string,
): Promise<TestKey> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage, Policy }));
  assert.ok(KeyMetadata?.KeyId !== undefined && KeyMetadata.Arn !== undefined);
  return { id: KeyMetadata.KeyId, arn: KeyMetadata.Arn };
}

/** The kinds of keys by usage, the smallest of each. */
export const KIND_OF: Readonly<Record<KeyUsageType, KeySpec>> = {
  ENCRYPT_DECRYPT: 'RSA_2048',
  SIGN_VERIFY: 'ECC_NIST_P256',
  GENERATE_VERIFY_MAC: 'HMAC_256',
  KEY_AGREEMENT: 'ECC_NIST_P256',
  ENCAPSULATE_DECAPSULATE: 'ML_KEM_512',
};
