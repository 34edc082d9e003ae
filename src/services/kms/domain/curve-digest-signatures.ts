import { randomBytes } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import type { KeyPair } from './key-pair.ts';

/**
 * Signatures that OpenSSL makes, but Node gives no way to: ECDSA of a digest that is there already, Ed25519ph, and ML-DSA
 * of an external μ. `@noble` makes them from the same keys; the copies of the private bytes are overwritten.
 */

const CURVES = { ECC_NIST_P256: p256, ECC_NIST_P384: p384, ECC_NIST_P521: p521, ECC_SECG_P256K1: secp256k1 };
const LATTICES = { ML_DSA_44: ml_dsa44, ML_DSA_65: ml_dsa65, ML_DSA_87: ml_dsa87 };
/** DER, as KMS gives ECDSA signatures, and the greater `s` allowed, as OpenSSL gives and takes it. */
const ECDSA = { prehash: false, lowS: false, format: 'der' } as const;
/** Bytes of an ML-DSA secret's randomness. */
const HEDGE_LENGTH = 32;

type CurveSpec = keyof typeof CURVES;
type LatticeSpec = keyof typeof LATTICES;

export function isCurveSpec(spec: string): spec is CurveSpec {
  return Object.hasOwn(CURVES, spec);
}

export function isLatticeSpec(spec: string): spec is LatticeSpec {
  return Object.hasOwn(LATTICES, spec);
}

/** Deterministic nonces (RFC 6979), with randomness added. */
export function signDigestEcdsa({ privateKey }: KeyPair, spec: CurveSpec, digest: Uint8Array): Uint8Array {
  const secret = privateKey.export({ format: 'raw-private' });
  try {
    return CURVES[spec].sign(digest, secret, { ...ECDSA, extraEntropy: true });
  } finally {
    secret.fill(0);
  }
}

export function verifyDigestEcdsa(
  { publicKey }: KeyPair,
  spec: CurveSpec,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const point = publicKey.export({ format: 'raw-public' });
  return isTrue(() => CURVES[spec].verify(signature, digest, point, ECDSA));
}

export function signEd25519ph({ privateKey }: KeyPair, message: Uint8Array): Uint8Array {
  const secret = privateKey.export({ format: 'raw-private' });
  try {
    return ed25519ph.sign(message, secret);
  } finally {
    secret.fill(0);
  }
}

export function verifyEd25519ph({ publicKey }: KeyPair, message: Uint8Array, signature: Uint8Array): boolean {
  const point = publicKey.export({ format: 'raw-public' });
  // As OpenSSL does, and FIPS 186-5: no cofactor, only canonical points.
  return isTrue(() => ed25519ph.verify(signature, message, point, { zip215: false }));
}

/** @param mu 64 bytes: SHAKE256 of the public key's hash and the message (FIPS 204, 6.2) */
export function signExternalMu({ privateKey }: KeyPair, spec: LatticeSpec, mu: Uint8Array): Uint8Array {
  const seed = privateKey.export({ format: 'raw-seed' });
  const lattice = LATTICES[spec];
  const { secretKey } = lattice.keygen(seed);
  try {
    return lattice.internal.sign(mu, secretKey, { externalMu: true, extraEntropy: randomBytes(HEDGE_LENGTH) });
  } finally {
    secretKey.fill(0);
    seed.fill(0);
  }
}

export function verifyExternalMu(
  { publicKey }: KeyPair,
  spec: LatticeSpec,
  mu: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = publicKey.export({ format: 'raw-public' });
  return isTrue(() => LATTICES[spec].internal.verify(signature, mu, key, { externalMu: true }));
}

/** What has not the form of a signature is none. */
function isTrue(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
