import { constants, createHash, type KeyObject, privateEncrypt, publicDecrypt, randomBytes } from 'node:crypto';
import type { KeyPair } from './key-pair.ts';

/**
 * RSA signatures of digests that somebody else has made: Node's own signing always hashes. The paddings are those of
 * RFC 8017; the private key's part is OpenSSL's, with its blinding.
 */

export type HashName = 'sha256' | 'sha384' | 'sha512';

/** What stands before a digest in a DigestInfo (RFC 8017, 9.2, note 1). */
const DIGEST_INFO_HEADS: Readonly<Record<HashName, Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

const PSS_TRAILER = 0xbc;

export function signDigestPkcs1({ privateKey }: KeyPair, hash: HashName, digest: Uint8Array): Buffer {
  const info = Buffer.concat([DIGEST_INFO_HEADS[hash], digest]);
  return privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, info);
}

export function verifyDigestPkcs1(pair: KeyPair, hash: HashName, digest: Uint8Array, signature: Uint8Array): boolean {
  const opened = openSignature(pair, constants.RSA_PKCS1_PADDING, signature);
  return opened?.equals(Buffer.concat([DIGEST_INFO_HEADS[hash], digest])) ?? false;
}

/** EMSA-PSS (RFC 8017, 9.1.1) with a salt as long as the digest, and the mask of the same hash. */
export function signDigestPss({ privateKey }: KeyPair, hash: HashName, digest: Uint8Array): Buffer {
  const salt = randomBytes(digest.length);
  const seed = saltedHash(hash, digest, salt);
  const length = encodedLength(privateKey);
  const block = Buffer.alloc(length - digest.length - 1);
  block[block.length - salt.length - 1] = 1;
  salt.copy(block, block.length - salt.length);
  const masked = xor(block, mask(hash, seed, block.length));
  clearTopBit(masked);
  const encoded = Buffer.concat([masked, seed, Buffer.of(PSS_TRAILER)]);
  return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
}

/** EMSA-PSS-VERIFY (RFC 8017, 9.1.2). */
export function verifyDigestPss(pair: KeyPair, hash: HashName, digest: Uint8Array, signature: Uint8Array): boolean {
  const length = encodedLength(pair.publicKey);
  const encoded = openSignature(pair, constants.RSA_NO_PADDING, signature);
  if (encoded === undefined || encoded.length !== length || encoded.at(-1) !== PSS_TRAILER) return false;
  const seedStart = length - digest.length - 1;
  const masked = encoded.subarray(0, seedStart);
  const seed = encoded.subarray(seedStart, -1);
  if (((masked[0] ?? 0) & 0x80) !== 0) return false;
  const block = xor(masked, mask(hash, seed, masked.length));
  clearTopBit(block);
  const saltStart = block.length - digest.length;
  const isPadded = block.subarray(0, saltStart - 1).every((byte) => byte === 0) && block[saltStart - 1] === 1;
  return isPadded && saltedHash(hash, digest, block.subarray(saltStart)).equals(seed);
}

/** @returns `undefined` for what is no signature by this key at all */
function openSignature({ publicKey }: KeyPair, padding: number, signature: Uint8Array): Buffer | undefined {
  if (!isRsaSignatureLength(publicKey, signature)) return undefined;
  try {
    return publicDecrypt({ key: publicKey, padding }, signature);
  } catch {
    return undefined;
  }
}

/** A signature is as long as the modulus (RFC 8017, 8.1.2): OpenSSL takes one without its leading zeros too. */
export function isRsaSignatureLength(key: KeyObject, signature: Uint8Array): boolean {
  return signature.length === encodedLength(key);
}

/** The bytes of the modulus. INVARIANT: its length in bits is a multiple of 8, so one bit of the encoding is unused. */
function encodedLength(key: KeyObject): number {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits === undefined || bits % 8 !== 0) throw new Error('An RSA key of a length that KMS does not have.');
  return bits / 8;
}

function saltedHash(hash: HashName, digest: Uint8Array, salt: Uint8Array): Buffer {
  return createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
}

/** MGF1 (RFC 8017, B.2.1). */
function mask(hash: HashName, seed: Uint8Array, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let counter = 0, made = 0; made < length; counter++) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    const part = createHash(hash).update(seed).update(count).digest();
    parts.push(part);
    made += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

function xor(left: Uint8Array, right: Uint8Array): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

function clearTopBit(bytes: Buffer): void {
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
}
