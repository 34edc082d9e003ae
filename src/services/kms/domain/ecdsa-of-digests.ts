import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { promisify } from 'node:util';
import { readEcdsaSignature, writeEcdsaSignature } from './ecdsa-der.ts';
import type { KeyPair } from './key-pair.ts';

/**
 * ECDSA of digests that somebody else has made. Node signs messages alone, which it hashes; and a signature made in
 * JavaScript would show its nonce by the time it takes. So OpenSSL signs a message of our own by a key of its own, chosen
 * such that its signature becomes the one that is wanted:
 *
 * A signature (r, s) of the digest z by the key d under the nonce k says s·k = z + r·d (mod n). Both sides times f say
 * (s·f)·k = z·f + r·(d·f): that (r, s·f) is the signature of the digest z·f by the key d·f, under the same nonce. For a
 * random message, whose digest is z′, f = z′/z makes z·f = z′.
 *
 * The nonce is OpenSSL's, and never seen here. The private key is touched once, in d·f, which is a random number to
 * everybody who does not know f: its time shows nothing of d.
 */

interface Curve {
  /** As OpenSSL calls it. */
  readonly name: string;
  /** The order of the base point. */
  readonly order: bigint;
  /** A hash of no more bits than the order has. */
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** Bytes of a number below the order. */
  readonly length: number;
}

const CURVES = {
  ECC_NIST_P256: {
    name: 'prime256v1',
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    hash: 'sha256',
    length: 32,
  },
  ECC_NIST_P384: {
    name: 'secp384r1',
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    hash: 'sha384',
    length: 48,
  },
  ECC_NIST_P521: {
    name: 'secp521r1',
    order:
      0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    hash: 'sha512',
    length: 66,
  },
  ECC_SECG_P256K1: {
    name: 'secp256k1',
    order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    hash: 'sha256',
    length: 32,
  },
} as const satisfies Readonly<Record<string, Curve>>;

type CurveSpec = keyof typeof CURVES;

export function isCurveSpec(spec: string): spec is CurveSpec {
  return Object.hasOwn(CURVES, spec);
}

// (r, s) as two numbers of the order's length, not in DER.
type Options = { readonly key: KeyObject; readonly dsaEncoding: 'ieee-p1363' };
const signInThread = promisify<string, Uint8Array, Options, Buffer>(sign);
const verifyInThread = promisify<string, Uint8Array, Options, Uint8Array, boolean>(verify);

/**
 * @param digest of the length of the curve's hash
 * @returns the signature in DER
 */
export async function signDigestEcdsa(pair: KeyPair, spec: CurveSpec, digest: Uint8Array): Promise<Buffer> {
  const curve: Curve = CURVES[spec];
  const { order, length } = curve;
  const z = numberOf(digest) % order;
  if (z === 0n) return signZero(pair.publicKey, curve);
  const { message, factor } = blind(z, curve);
  const key = blindedKey(pair.privateKey, factor, curve);
  const made = await signInThread(curve.hash, message, { key, dsaEncoding: 'ieee-p1363' });
  const r = numberOf(made.subarray(0, length));
  const s = (numberOf(made.subarray(length)) * inverse(factor, order)) % order;
  return writeEcdsaSignature(r, s);
}

/** @param digest of the length of the curve's hash */
export async function verifyDigestEcdsa(
  pair: KeyPair,
  spec: CurveSpec,
  digest: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const curve: Curve = CURVES[spec];
  const { order, length } = curve;
  const read = readEcdsaSignature(signature);
  if (read === undefined || read.r >= order || read.s >= order) return false;
  const { r, s } = read;
  const z = numberOf(digest) % order;
  if (z === 0n) return timesX(pair.publicKey, (r * inverse(s, order)) % order, curve) % order === r;
  const { message, factor } = blind(z, curve);
  const key = createPublicKey(blindedKey(pair.privateKey, factor, curve));
  const blinded = Buffer.concat([bytesOf(r, length), bytesOf((s * factor) % order, length)]);
  return await verifyInThread(curve.hash, message, { key, dsaEncoding: 'ieee-p1363' }, blinded);
}

/** A random message, and what `z` times makes its digest. */
function blind(z: bigint, curve: Curve): { readonly message: Buffer; readonly factor: bigint } {
  const message = randomBytes(32);
  const factor = (numberOf(hash(curve.hash, message, 'buffer')) * inverse(z, curve.order)) % curve.order;
  // One message in 2^256 has a digest of 0: then another is drawn.
  return factor === 0n ? blind(z, curve) : { message, factor };
}

/** The key d·f. */
function blindedKey(privateKey: KeyObject, factor: bigint, curve: Curve): KeyObject {
  const secret = privateKey.export({ format: 'raw-private' });
  const blinded = bytesOf((numberOf(secret) * factor) % curve.order, curve.length);
  try {
    return keyOf(blinded, curve);
  } finally {
    secret.fill(0);
    blinded.fill(0);
  }
}

/**
 * Where z is 0, s·k = r·d: whatever multiple v·Q of the public key gives r, s is r/v. It takes no private key, and is
 * worth nothing; AWS and OpenSSL sign it nevertheless.
 */
function signZero(publicKey: KeyObject, curve: Curve): Buffer {
  const v = (numberOf(randomBytes(curve.length + 8)) % (curve.order - 1n)) + 1n;
  const r = timesX(publicKey, v, curve) % curve.order;
  return writeEcdsaSignature(r, (r * inverse(v, curve.order)) % curve.order);
}

/** The x of a multiple of the public key. */
function timesX(publicKey: KeyObject, times: bigint, curve: Curve): bigint {
  return numberOf(diffieHellman({ publicKey, privateKey: keyOf(bytesOf(times, curve.length), curve) }));
}

function keyOf(secret: Buffer, { name }: Curve): KeyObject {
  return createPrivateKey({ key: secret, format: 'raw-private', asymmetricKeyType: 'ec', namedCurve: name });
}

/** Of a number that nobody need hide. */
function inverse(value: bigint, order: bigint): bigint {
  let [low, high] = [value % order, order];
  let [lowTimes, highTimes] = [1n, 0n];
  while (low !== 0n) {
    const quotient = high / low;
    [low, high] = [high - quotient * low, low];
    [lowTimes, highTimes] = [highTimes - quotient * lowTimes, lowTimes];
  }
  return ((highTimes % order) + order) % order;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') || '0'}`);
}

function bytesOf(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex');
}
