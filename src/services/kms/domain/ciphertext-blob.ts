import { hkdfSync } from 'node:crypto';
import { openAesGcm, SEALED_OVERHEAD, sealAesGcm } from '#crypto/aes-gcm.ts';
import { randomBytes } from '#kernel/randomness.ts';
import { canonicalEncryptionContext, type EncryptionContext } from './encryption-context.ts';

// Frozen: every stored ciphertext depends on them (docs/formats/kms-ciphertext.md).
const VERSION = 1;
/** Of keys in external key stores: what follows the head is encrypted again (xks/external-encryption.ts). */
export const EXTERNAL_VERSION = 3;
/** Of a multi-Region key: its id has a prefix, and decrypts in each of its Regions. */
const MULTI_REGION_VERSION = 2;
const MULTI_REGION_PREFIX = 'mrk-';
const KEY_ID_LENGTH = 16;
const MATERIAL_ID_LENGTH = 32;
const SALT_LENGTH = 16;
const SALT_START = 1 + KEY_ID_LENGTH + MATERIAL_ID_LENGTH;
export const CIPHERTEXT_HEAD_LENGTH = SALT_START + SALT_LENGTH;
const PURPOSE = 'coffer/kms/ciphertext/v1';

/** What the head of a ciphertext blob says. */
export interface CiphertextHeader {
  /** The key's id: a UUID, or `mrk-` and 32 hexadecimal digits. */
  readonly keyId: string;
  /** 64 hexadecimal digits. */
  readonly materialId: string;
}

/** A head as it was read. */
interface ReadHeader extends CiphertextHeader {
  /** The key is in an external key store. */
  readonly isExternal: boolean;
}

/**
 * `version ‖ key id (16) ‖ material id (32) ‖ salt (16) ‖ IV (12) ‖ ciphertext ‖ tag (16)`. The salt derives a key for
 * this one ciphertext, so that a key may encrypt without limit; all before the IV is authenticated, and the context.
 */
export function sealCiphertext(
  header: CiphertextHeader,
  material: Uint8Array,
  plaintext: Uint8Array,
  context: EncryptionContext | undefined,
  version: number = VERSION,
): Buffer {
  const isMultiRegion = header.keyId.startsWith(MULTI_REGION_PREFIX);
  const digits = isMultiRegion ? header.keyId.slice(MULTI_REGION_PREFIX.length) : header.keyId;
  const head = Buffer.concat([
    Buffer.of(isMultiRegion ? MULTI_REGION_VERSION : version),
    Buffer.from(digits.replaceAll('-', ''), 'hex'),
    Buffer.from(header.materialId, 'hex'),
    randomBytes(SALT_LENGTH),
  ]);
  const key = ciphertextKey(material, head);
  const blob = Buffer.concat([head, sealAesGcm(key, plaintext, associatedData(head, context))]);
  key.fill(0);
  return blob;
}

/** @returns `undefined` when the blob is not shaped like one of ours */
export function readCiphertextHeader(blob: Uint8Array): ReadHeader | undefined {
  const buffer = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (buffer.length < CIPHERTEXT_HEAD_LENGTH + SEALED_OVERHEAD) return undefined;
  const isExternal = buffer[0] === EXTERNAL_VERSION;
  const isMultiRegion = buffer[0] === MULTI_REGION_VERSION;
  if (buffer[0] !== VERSION && !isExternal && !isMultiRegion) return undefined;
  const id = buffer.toString('hex', 1, 1 + KEY_ID_LENGTH);
  return {
    isExternal,
    keyId: isMultiRegion
      ? MULTI_REGION_PREFIX + id
      : [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-'),
    materialId: buffer.toString('hex', 1 + KEY_ID_LENGTH, SALT_START),
  };
}

/** @throws DecryptionError when the blob, the material or the context is not the one it was sealed with */
export function openCiphertext(blob: Uint8Array, material: Uint8Array, context: EncryptionContext | undefined): Buffer {
  const head = blob.subarray(0, CIPHERTEXT_HEAD_LENGTH);
  const key = ciphertextKey(material, head);
  try {
    return openAesGcm(key, blob.subarray(CIPHERTEXT_HEAD_LENGTH), associatedData(head, context));
  } finally {
    key.fill(0);
  }
}

function ciphertextKey(material: Uint8Array, head: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', material, head.subarray(SALT_START), PURPOSE, 32));
}

function associatedData(head: Uint8Array, context: EncryptionContext | undefined): Buffer {
  return Buffer.concat([head, canonicalEncryptionContext(context)]);
}
