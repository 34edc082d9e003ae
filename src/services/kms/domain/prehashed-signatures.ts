import { randomBytes } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import type { KeyPair } from './key-pair.ts';

/**
 * Signatures that OpenSSL makes, but Node gives no way to: Ed25519ph, and ML-DSA of an external μ. `@noble` makes them
 * from the same keys; the copies of the private bytes are overwritten.
 */

const LATTICES = { ML_DSA_44: ml_dsa44, ML_DSA_65: ml_dsa65, ML_DSA_87: ml_dsa87 };
/** Bytes of an ML-DSA secret's randomness. */
const HEDGE_LENGTH = 32;

type LatticeSpec = keyof typeof LATTICES;

export function isLatticeSpec(spec: string): spec is LatticeSpec {
  return Object.hasOwn(LATTICES, spec);
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
