import { createHash } from 'node:crypto';
import { DecryptionError } from '#crypto/decryption-error.ts';
import {
  CIPHERTEXT_HEAD_LENGTH,
  EXTERNAL_VERSION,
  openCiphertext,
  sealCiphertext,
  type CiphertextHeader,
} from '../domain/ciphertext-blob.ts';
import { canonicalEncryptionContext, type EncryptionContext } from '../domain/encryption-context.ts';
import { invalidCiphertext } from '../errors.ts';
import type { ExternalKey } from './key-store-record.ts';
import type { KeyStoreProxies, KeyUse } from './key-store-proxy.ts';
import type { WrappedText } from './proxy-answers.ts';
import { XksFailure } from './proxy-failure.ts';

// Frozen: every stored ciphertext depends on them (docs/formats/kms-ciphertext.md).
const TAG_LENGTH = 16;
const FIXED_LENGTH = 2 + TAG_LENGTH;

/**
 * Encrypts twice: with KMS's own material, and that again with the external key. Neither alone opens it.
 *
 * @throws XksFailure
 */
export async function sealExternally(
  proxies: Pick<KeyStoreProxies, 'encrypt'>,
  external: ExternalKey,
  inner: { readonly header: CiphertextHeader; readonly material: Uint8Array },
  plaintext: Uint8Array,
  context: EncryptionContext | undefined,
  use: KeyUse,
): Promise<Buffer> {
  const sealed = sealCiphertext(inner.header, inner.material, plaintext, context, EXTERNAL_VERSION);
  const head = sealed.subarray(0, CIPHERTEXT_HEAD_LENGTH);
  const text = sealed.subarray(CIPHERTEXT_HEAD_LENGTH);
  const wrapped = await proxies.encrypt(external, text, externalData(head, context), use);
  const lengths = Buffer.of(wrapped.iv.length, wrapped.metadata.length);
  return Buffer.concat([head, lengths, wrapped.iv, wrapped.metadata, wrapped.tag, wrapped.ciphertext]);
}

/**
 * Opens what `sealExternally` made; the caller owns the plaintext.
 *
 * @throws ServiceError InvalidCiphertextException for what is not shaped so
 * @throws XksFailure
 */
export async function openExternally(
  proxies: Pick<KeyStoreProxies, 'decrypt'>,
  external: ExternalKey,
  material: Uint8Array,
  blob: Uint8Array,
  context: EncryptionContext | undefined,
  use: KeyUse,
): Promise<Buffer> {
  const head = blob.subarray(0, CIPHERTEXT_HEAD_LENGTH);
  const wrapped = readWrapped(blob.subarray(CIPHERTEXT_HEAD_LENGTH));
  if (wrapped === undefined) throw invalidCiphertext();
  // A copy: while the proxy is asked, the material may be forgotten, and overwritten.
  const held = Buffer.from(material);
  try {
    const text = await proxies.decrypt(external, wrapped, externalData(head, context), use);
    return openCiphertext(Buffer.concat([head, text]), held, context);
  } catch (error) {
    if (error instanceof DecryptionError) throw new XksFailure('plaintextWrong');
    throw error;
  } finally {
    held.fill(0);
  }
}

function readWrapped(bytes: Uint8Array): WrappedText | undefined {
  const [ivLength = 0, metadataLength = 0] = bytes;
  const isShaped = (ivLength === 12 || ivLength === 16) && metadataLength <= 20;
  const textStart = FIXED_LENGTH + ivLength + metadataLength;
  if (!isShaped || bytes.length <= textStart) return undefined;
  const metadataStart = 2 + ivLength;
  const tagStart = metadataStart + metadataLength;
  return {
    iv: bytes.subarray(2, metadataStart),
    metadata: bytes.subarray(metadataStart, tagStart),
    tag: bytes.subarray(tagStart, textStart),
    ciphertext: bytes.subarray(textStart),
  };
}

/** A context of any size fits in what proxies take, and is not told to them. */
function externalData(head: Uint8Array, context: EncryptionContext | undefined): Buffer {
  return Buffer.concat([head, createHash('sha256').update(canonicalEncryptionContext(context)).digest()]);
}
