import { openAesGcm, sealAesGcm } from '#crypto/aes-gcm.ts';
import { canonicalEncryptionContext, type EncryptionContext } from './encryption-context.ts';

const VERSION = 1;
const HEADER_LENGTH = 1 + 16 + 32;
const IV_AND_TAG_LENGTH = 12 + 16;

/** What the head of a ciphertext blob says. See docs/formats/kms-ciphertext.md. */
export interface CiphertextHeader {
  /** The key's id, a UUID. */
  readonly keyId: string;
  /** 64 hexadecimal digits. */
  readonly materialId: string;
}

/** `version ‖ key id (16) ‖ material id (32) ‖ IV (12) ‖ ciphertext ‖ tag (16)`; all before the IV is authenticated. */
export function sealCiphertext(
  header: CiphertextHeader,
  material: Uint8Array,
  plaintext: Uint8Array,
  context: EncryptionContext | undefined,
): Buffer {
  const head = encodeHeader(header);
  return Buffer.concat([head, sealAesGcm(material, plaintext, associatedData(head, context))]);
}

/** @returns `undefined` when the blob is not shaped like one of ours */
export function readCiphertextHeader(blob: Uint8Array): CiphertextHeader | undefined {
  const buffer = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (buffer.length < HEADER_LENGTH + IV_AND_TAG_LENGTH || buffer[0] !== VERSION) return undefined;
  const id = buffer.toString('hex', 1, 17);
  return {
    keyId: [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-'),
    materialId: buffer.toString('hex', 17, HEADER_LENGTH),
  };
}

/** @throws when the blob, the material or the context is not the one it was sealed with: one error for all of them */
export function openCiphertext(blob: Uint8Array, material: Uint8Array, context: EncryptionContext | undefined): Buffer {
  const head = blob.subarray(0, HEADER_LENGTH);
  return openAesGcm(material, blob.subarray(HEADER_LENGTH), associatedData(head, context));
}

function encodeHeader(header: CiphertextHeader): Buffer {
  return Buffer.concat([
    Buffer.of(VERSION),
    Buffer.from(header.keyId.replaceAll('-', ''), 'hex'),
    Buffer.from(header.materialId, 'hex'),
  ]);
}

function associatedData(head: Uint8Array, context: EncryptionContext | undefined): Buffer {
  return Buffer.concat([head, canonicalEncryptionContext(context)]);
}
