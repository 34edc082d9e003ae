import type { AccessRequest, Call, ConditionContext } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { encryptUnder } from '../domain/encryption.ts';
import type { EncryptionContext } from '../domain/encryption-context.ts';
import { keyAccess } from '../domain/key-access.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { requireDataKeyKey } from '../domain/key-usage.ts';
import { endDryRun } from './crypto-parameters.ts';

/** What the four operations that make data keys have in common. */
interface DataKeyRequest {
  readonly KeyId: string | undefined;
  readonly EncryptionContext?: EncryptionContext | undefined;
  readonly DryRun?: boolean | undefined;
}

type DataKeyOperation =
  | 'GenerateDataKey'
  | 'GenerateDataKeyWithoutPlaintext'
  | 'GenerateDataKeyPair'
  | 'GenerateDataKeyPairWithoutPlaintext';

export async function authorizeDataKey(
  input: DataKeyRequest,
  call: Call,
  kms: KmsContext,
  operation: DataKeyOperation,
  more: ConditionContext = {},
): Promise<AccessRequest[]> {
  const action = `kms:${operation}`;
  const located = await kms.keys.locate(input.KeyId ?? '', call, action);
  const context = { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT', ...more };
  return [keyAccess(call, located, action, { encryptionContext: input.EncryptionContext, context })];
}

/**
 * Makes a data key and encrypts its secret part.
 *
 * @param make makes it once all is found fit
 * @param secretOf what of it is secret; the caller overwrites it
 */
export async function makeDataKey<DataKey>(
  input: DataKeyRequest,
  call: Call,
  kms: KmsContext,
  operation: DataKeyOperation,
  make: () => DataKey | Promise<DataKey>,
  secretOf: (dataKey: DataKey) => Uint8Array,
): Promise<{
  readonly made: DataKey;
  readonly blob: Buffer;
  readonly members: { KeyId: string; KeyMaterialId: string | undefined };
}> {
  const located = await kms.keys.locate(input.KeyId ?? '', call, `kms:${operation}`);
  requireEnabled(located);
  requireDataKeyKey(located, operation);
  endDryRun(input);
  const made = await make();
  const manner = { algorithm: 'SYMMETRIC_DEFAULT', context: input.EncryptionContext } as const;
  const secret = secretOf(made);
  try {
    const { blob, materialId } = await encryptUnder(located.key, manner, secret, kms, { call, operation });
    return { made, blob, members: { KeyId: located.arn, KeyMaterialId: materialId } };
  } catch (error) {
    secret.fill(0);
    throw error;
  }
}
