import type { EncryptionAlgorithmSpec } from '@aws-sdk/client-kms';
import { DecryptionError } from '#crypto/decryption-error.ts';
import type { Call } from '#kernel/operation.ts';
import { invalidCiphertext, validation } from '../errors.ts';
import type { DescribedKey } from '../store.ts';
import type { KeyRecord } from '../tables.ts';
import { openExternally, sealExternally } from '../xks/external-encryption.ts';
import type { ExternalKey } from '../xks/key-store-record.ts';
import { type KeyStoreProxies, keyUseOf } from '../xks/key-store-proxy.ts';
import { tellingFailures, XksFailure } from '../xks/proxy-failure.ts';
import { openCiphertext, readCiphertextHeader, sealCiphertext } from './ciphertext-blob.ts';
import type { EncryptionContext } from './encryption-context.ts';
import { keyArn } from './key-identifier.ts';
import type { LocatedKey } from './key-locator.ts';
import type { KeyMaterials } from './key-materials.ts';
import { requireAlgorithm } from './key-usage.ts';
import { checkRsaPlaintext, isRsaEncryption, rsaDecrypt, rsaEncrypt } from './rsa-encryption.ts';

/** How a request wants something encrypted or decrypted. */
export interface EncryptionManner {
  readonly algorithm: EncryptionAlgorithmSpec;
  readonly context: EncryptionContext | undefined;
}

/** What keys are used with. */
interface Means {
  readonly materials: KeyMaterials;
  readonly proxies: KeyStoreProxies;
}

/** For which call a key is used: those who keep it elsewhere are told. */
interface Use {
  readonly call: Call;
  /** Such as `Encrypt`. */
  readonly operation: string;
}

/**
 * Refuses a key that does not encrypt by the algorithm, and a context where nothing could bind it.
 *
 * @param operation such as `Encrypt`
 * @throws ServiceError InvalidKeyUsageException, ValidationException
 */
export function requireEncryption(located: LocatedKey, manner: EncryptionManner, operation: string): void {
  requireAlgorithm(located, 'ENCRYPT_DECRYPT', manner.algorithm, operation);
  if (isRsaEncryption(manner.algorithm) && Object.keys(manner.context ?? {}).length > 0) {
    throw validation(`EncryptionContext is not supported with algorithm ${manner.algorithm}.`);
  }
}

/** @throws ServiceError ValidationException for a plaintext that the key has no room for */
export function checkPlaintext(key: KeyRecord, { algorithm }: EncryptionManner, plaintext: Uint8Array): void {
  if (isRsaEncryption(algorithm)) checkRsaPlaintext(plaintext.length, key.spec, algorithm);
}

/**
 * Encrypts under a key that was authorised and found fit (`requireEncryption`).
 *
 * @returns the ciphertext, with the id of the material where the key tells ids: of symmetric keys that are not in an external key store
 */
export async function encryptUnder(
  key: DescribedKey,
  { algorithm, context }: EncryptionManner,
  plaintext: Uint8Array,
  { materials, proxies }: Means,
  { call, operation }: Use,
): Promise<{ readonly blob: Buffer; readonly materialId: string | undefined }> {
  if (isRsaEncryption(algorithm)) {
    const { publicKey } = await materials.openPair(key, key.material_id);
    return { blob: rsaEncrypt(publicKey, algorithm, plaintext), materialId: undefined };
  }
  const material = await materials.open(key, key.material_id);
  const header = { keyId: key.id, materialId: key.material_id };
  if (key.origin === 'EXTERNAL_KEY_STORE') {
    const external = externalKeyOf(key);
    const use = keyUseOf(call, operation, keyArn(key));
    const blob = await tellingFailures(
      () => sealExternally(proxies, external, { header, material }, plaintext, context, use),
      'useError',
    );
    return { blob, materialId: undefined };
  }
  return { blob: sealCiphertext(header, material, plaintext, context), materialId: key.material_id };
}

/**
 * Decrypts under a key that was authorised and found fit (`requireEncryption`). The caller owns the plaintext.
 *
 * @throws ServiceError InvalidCiphertextException, always the same
 */
export async function decryptUnder(
  key: DescribedKey,
  { algorithm, context }: EncryptionManner,
  blob: Uint8Array | undefined,
  { materials, proxies }: Means,
  { call, operation }: Use,
): Promise<{ readonly plaintext: Buffer; readonly materialId: string | undefined }> {
  if (blob === undefined) throw invalidCiphertext();
  if (isRsaEncryption(algorithm)) {
    const pair = await materials.openPair(key, key.material_id);
    return { plaintext: await rsaDecrypt(pair, algorithm, blob), materialId: undefined };
  }
  const header = readCiphertextHeader(blob);
  if (header === undefined || header.keyId !== key.id) throw invalidCiphertext();
  if (header.isExternal !== (key.origin === 'EXTERNAL_KEY_STORE')) throw invalidCiphertext();
  const material = await materials.open(key, header.materialId);
  if (header.isExternal) {
    const external = externalKeyOf(key);
    const use = keyUseOf(call, operation, keyArn(key));
    const plaintext = await tellingFailures(
      () => openExternally(proxies, external, material, blob, context, use),
      'useError',
    );
    return { plaintext, materialId: undefined };
  }
  try {
    return { plaintext: openCiphertext(blob, material, context), materialId: header.materialId };
  } catch (error) {
    if (error instanceof DecryptionError) throw invalidCiphertext();
    throw error;
  }
}

/** INVARIANT: a key in an external key store is used through its proxy, or not at all. */
function externalKeyOf({ external }: DescribedKey): ExternalKey {
  if (external?.store.connection_state !== 'CONNECTED') throw new XksFailure('notConnected').useError;
  return external;
}
