import { type KeyObject, randomBytes } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { inTurn } from './in-turn.ts';
import { type KeyPair, privateKeyDer } from './key-pair.ts';

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
export function signExternalMu({ privateKey }: KeyPair, spec: LatticeSpec, mu: Uint8Array): Promise<Uint8Array> {
  return inTurn(() => {
    const secret = expandedKey(privateKey, spec);
    try {
      return LATTICES[spec].internal.sign(mu, secret, { externalMu: true, extraEntropy: randomBytes(HEDGE_LENGTH) });
    } finally {
      secret.fill(0);
    }
  });
}

/** The private key as FIPS 204 writes it; the caller overwrites it. */
function expandedKey(privateKey: KeyObject, spec: LatticeSpec): Uint8Array {
  const lattice = LATTICES[spec];
  const seed = seedOf(privateKey);
  if (seed !== undefined) {
    const { secretKey } = lattice.keygen(seed);
    seed.fill(0);
    return secretKey;
  }
  const der = privateKeyDer(privateKey);
  const secretKey = Uint8Array.from(der.subarray(-(lattice.lengths.secretKey ?? 0)));
  der.fill(0);
  return secretKey;
}

/** @returns `undefined` of a key that was imported without: its PKCS #8 ends with the expanded key (RFC 9881, 6) */
function seedOf(privateKey: KeyObject): Buffer | undefined {
  try {
    return privateKey.export({ format: 'raw-seed' });
  } catch {
    return undefined;
  }
}

export function verifyExternalMu(
  { publicKey }: KeyPair,
  spec: LatticeSpec,
  mu: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const key = publicKey.export({ format: 'raw-public' });
  return inTurn(() => isTrue(() => LATTICES[spec].internal.verify(signature, mu, key, { externalMu: true })));
}

/** What has not the form of a signature is none. */
function isTrue(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
