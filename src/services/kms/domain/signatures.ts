import { constants, type KeyObject, type SigningOptions, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeySpec, MessageType, SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { validation } from '../errors.ts';
import { isCurveSpec, signDigestEcdsa, verifyDigestEcdsa } from './ecdsa-of-digests.ts';
import { inTurn } from './in-turn.ts';
import type { KeyPair } from './key-pair.ts';
import {
  isLatticeSpec,
  signEd25519ph,
  signExternalMu,
  verifyEd25519ph,
  verifyExternalMu,
} from './prehashed-signatures.ts';
import {
  type HashName,
  isRsaSignatureLength,
  signDigestPkcs1,
  signDigestPss,
  verifyDigestPkcs1,
  verifyDigestPss,
} from './rsa-digest-signatures.ts';

/** What is signed, and how. */
export interface SignedMessage {
  /** The key's; it has the algorithm. */
  readonly spec: KeySpec;
  readonly algorithm: SigningAlgorithmSpec;
  readonly messageType: MessageType;
  readonly message: Uint8Array;
}

interface Scheme {
  readonly kind: 'pkcs1' | 'pss' | 'ecdsa' | 'ed25519' | 'ed25519ph' | 'ml-dsa';
  /** Of the schemes that hash first. */
  readonly hash?: HashName;
  /** The lengths of messages that are not `RAW`, in bytes; a type that is absent is refused. */
  readonly lengths: Partial<Record<MessageType, number>>;
  readonly takesRaw: boolean;
}

const hashed = (kind: Scheme['kind'], hash: HashName, length: number): Scheme => ({
  kind,
  hash,
  lengths: { DIGEST: length },
  takesRaw: true,
});

const SCHEMES: Readonly<Record<Exclude<SigningAlgorithmSpec, 'SM2DSA'>, Scheme>> = {
  RSASSA_PKCS1_V1_5_SHA_256: hashed('pkcs1', 'sha256', 32),
  RSASSA_PKCS1_V1_5_SHA_384: hashed('pkcs1', 'sha384', 48),
  RSASSA_PKCS1_V1_5_SHA_512: hashed('pkcs1', 'sha512', 64),
  RSASSA_PSS_SHA_256: hashed('pss', 'sha256', 32),
  RSASSA_PSS_SHA_384: hashed('pss', 'sha384', 48),
  RSASSA_PSS_SHA_512: hashed('pss', 'sha512', 64),
  ECDSA_SHA_256: hashed('ecdsa', 'sha256', 32),
  ECDSA_SHA_384: hashed('ecdsa', 'sha384', 48),
  ECDSA_SHA_512: hashed('ecdsa', 'sha512', 64),
  ED25519_SHA_512: { kind: 'ed25519', lengths: {}, takesRaw: true },
  ED25519_PH_SHA_512: { kind: 'ed25519ph', lengths: { DIGEST: 64 }, takesRaw: false },
  ML_DSA_SHAKE_256: { kind: 'ml-dsa', lengths: { EXTERNAL_MU: 64 }, takesRaw: true },
};

// Node's signing takes its callback in a thread of its own, where a long one (RSA-4096: 2 ms) holds up nobody.
const signInThread = promisify<string | null, Uint8Array, KeyInput, Buffer>(sign);
const verifyInThread = promisify<string | null, Uint8Array, KeyInput, Uint8Array, boolean>(verify);

type KeyInput = SigningOptions & { readonly key: KeyObject };

/** @throws ServiceError ValidationException for a type or length of message that the algorithm does not sign */
export function checkMessage({ algorithm, messageType, message }: Omit<SignedMessage, 'spec'>): void {
  const { lengths, takesRaw } = schemeOf(algorithm);
  if (messageType === 'RAW' && takesRaw) return;
  const length = lengths[messageType];
  if (length === undefined) throw validation(`MessageType ${messageType} is not valid for algorithm ${algorithm}.`);
  if (message.length !== length) throw validation(`Digest is invalid length for algorithm ${algorithm}.`);
}

/** Signs a message that was checked. */
export async function signMessage(pair: KeyPair, signed: SignedMessage): Promise<Uint8Array> {
  const { spec, message } = signed;
  const { kind, hash } = schemeOf(signed.algorithm);
  if (kind === 'ed25519ph') return signEd25519ph(pair, message);
  if (signed.messageType === 'RAW') {
    return await signInThread(hash ?? null, message, { key: pair.privateKey, ...paddingOf(kind) });
  }
  if (isLatticeSpec(spec)) return await signExternalMu(pair, spec, message);
  if (isCurveSpec(spec)) return await signDigestEcdsa(pair, spec, message);
  if (hash === undefined) throw new Error(`${signed.algorithm} signs no digests.`);
  return await inTurn(() =>
    kind === 'pss' ? signDigestPss(pair, hash, message) : signDigestPkcs1(pair, hash, message),
  );
}

/** Says whether a signature is the key's for a message that was checked. */
export async function verifyMessage(pair: KeyPair, signed: SignedMessage, signature: Uint8Array): Promise<boolean> {
  const { spec, message } = signed;
  const { kind, hash } = schemeOf(signed.algorithm);
  if (kind === 'ed25519ph') return verifyEd25519ph(pair, message, signature);
  const isRsa = kind === 'pkcs1' || kind === 'pss';
  if (isRsa && !isRsaSignatureLength(pair.publicKey, signature)) return false;
  if (signed.messageType === 'RAW') {
    return await verifyInThread(hash ?? null, message, { key: pair.publicKey, ...paddingOf(kind) }, signature);
  }
  if (isLatticeSpec(spec)) return await verifyExternalMu(pair, spec, message, signature);
  if (isCurveSpec(spec)) return await verifyDigestEcdsa(pair, spec, message, signature);
  if (hash === undefined) throw new Error(`${signed.algorithm} signs no digests.`);
  return kind === 'pss'
    ? verifyDigestPss(pair, hash, message, signature)
    : verifyDigestPkcs1(pair, hash, message, signature);
}

function schemeOf(algorithm: SigningAlgorithmSpec): Scheme {
  if (algorithm === 'SM2DSA') throw new Error('No key has SM2DSA.');
  return SCHEMES[algorithm];
}

function paddingOf(kind: Scheme['kind']): SigningOptions {
  if (kind === 'pss') {
    return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  }
  return kind === 'pkcs1' ? { padding: constants.RSA_PKCS1_PADDING } : {};
}
