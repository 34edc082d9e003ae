import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Randomness } from '#kernel/randomness.ts';
import { SerialQueues } from '#kernel/serial-queues.ts';
import { privateKeyDer } from './key-pair.ts';
import { isPairSpec, type MadeKeySpec, type PairSpec, type SymmetricSpec } from './key-specs.ts';

const newKeyPair = promisify(generateKeyPair);

const RSA_AT_ONCE = 2;
// The threads are the process's, and so are the queues.
const rsaQueues = new SerialQueues();
let turn = 0;

/** The bytes of a key that is no pair; of HMAC, as many as the hash gives. */
const SYMMETRIC_LENGTHS: Readonly<Record<SymmetricSpec, number>> = {
  SYMMETRIC_DEFAULT: 32,
  HMAC_224: 28,
  HMAC_256: 32,
  HMAC_384: 48,
  HMAC_512: 64,
};

/**
 * Makes the material of a new key, off the event loop where it takes long: RSA-4096 takes about a second.
 *
 * @returns raw bytes of a symmetric key, PKCS #8 in DER of a key pair; the caller overwrites them
 */
export async function generateKeyMaterial(spec: MadeKeySpec, randomness: Randomness): Promise<Buffer> {
  if (isPairSpec(spec)) return privateKeyDer((await generatePair(spec)).privateKey);
  return randomness.bytes(SYMMETRIC_LENGTHS[spec]);
}

/** A new key pair of a spec. */
export function generatePair(spec: PairSpec): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  switch (spec) {
    case 'RSA_2048':
      return generateRsa(2048);
    case 'RSA_3072':
      return generateRsa(3072);
    case 'RSA_4096':
      return generateRsa(4096);
    case 'ECC_NIST_P256':
      return newKeyPair('ec', { namedCurve: 'P-256' });
    case 'ECC_NIST_P384':
      return newKeyPair('ec', { namedCurve: 'P-384' });
    case 'ECC_NIST_P521':
      return newKeyPair('ec', { namedCurve: 'P-521' });
    case 'ECC_SECG_P256K1':
      return newKeyPair('ec', { namedCurve: 'secp256k1' });
    case 'ECC_NIST_EDWARDS25519':
      return newKeyPair('ed25519', {});
    case 'ML_DSA_44':
      return newKeyPair('ml-dsa-44', {});
    case 'ML_DSA_65':
      return newKeyPair('ml-dsa-65', {});
    case 'ML_DSA_87':
      return newKeyPair('ml-dsa-87', {});
    case 'ML_KEM_512':
      return newKeyPair('ml-kem-512', {});
    case 'ML_KEM_768':
      return newKeyPair('ml-kem-768', {});
    case 'ML_KEM_1024':
      return newKeyPair('ml-kem-1024', {});
  }
}

/**
 * As many at once as leave Node's threads (four) to others: whoever reads or writes a file needs one, and the primes of
 * RSA-4096 are looked for longer than anybody would wait for that.
 */
function generateRsa(modulusLength: number): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  turn = (turn + 1) % RSA_AT_ONCE;
  return rsaQueues.run(String(turn), () => newKeyPair('rsa', { modulusLength }));
}
