import { createHash } from 'node:crypto';
import { XksFailure } from './proxy-failure.ts';

/** What a proxy's encryption gave: all of it is needed to decrypt. */
export interface WrappedText {
  /** 12 or 16 bytes. */
  readonly iv: Uint8Array;
  /** The proxy's own, at most 20 bytes; empty where it has none. */
  readonly metadata: Uint8Array;
  /** 16 bytes. */
  readonly tag: Uint8Array;
  /** As long as the plaintext. */
  readonly ciphertext: Uint8Array;
}

type Members = Readonly<Record<string, unknown>>;

const MAX_METADATA = 20;
const MAX_USAGES = 10;
const MAX_MANAGERS = 10;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** @throws XksFailure that the answer tells, or that it cannot be read */
export function readMembers(status: number, body: Buffer): Members {
  const members = parseMembers(body);
  if (status === 200) return members;
  const name = members['errorName'];
  throw typeof name === 'string' ? XksFailure.ofName(name) : new XksFailure('unreadable');
}

function parseMembers(body: Buffer): Members {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // Not the cause: it would quote the answer.
    throw new XksFailure('unreadable');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new XksFailure('unreadable');
  return value as Members;
}

/** @throws XksFailure when no key manager behind the proxy is available */
export function checkHealth(members: Members): void {
  const { xksProxyFleetSize: size, ekmFleetDetails: managers } = members;
  for (const name of ['xksProxyVendor', 'xksProxyModel', 'ekmVendor']) textOf(members, name);
  if (!Number.isSafeInteger(size) || Number(size) < 1 || !Array.isArray(managers)) throw new XksFailure('unreadable');
  if (managers.length < 1 || managers.length > MAX_MANAGERS) throw new XksFailure('unreadable');
  const states = managers.map((manager: unknown) => {
    if (typeof manager !== 'object' || manager === null) throw new XksFailure('unreadable');
    const facts = manager as Members;
    textOf(facts, 'id');
    textOf(facts, 'model');
    return textOf(facts, 'healthStatus');
  });
  if (!states.every((state) => ['ACTIVE', 'DEGRADED', 'UNAVAILABLE'].includes(state))) {
    throw new XksFailure('unreadable');
  }
  if (states.every((state) => state === 'UNAVAILABLE')) throw new XksFailure('noneAvailable');
}

/** Refuses an external key that KMS could not use: an AES-256 key that is enabled, encrypts and decrypts. */
export function checkKeyMetadata(members: Members): void {
  const { keyUsage: usages } = members;
  const spec = textOf(members, 'keySpec');
  const status = textOf(members, 'keyStatus');
  const isList = Array.isArray(usages) && usages.length <= MAX_USAGES;
  if (!isList || !usages.every((usage) => typeof usage === 'string')) throw new XksFailure('unreadable');
  if (status !== 'ENABLED' && status !== 'DISABLED') throw new XksFailure('unreadable');
  if (spec !== 'AES_256' || !usages.includes('ENCRYPT') || !usages.includes('DECRYPT')) {
    throw new XksFailure('keyUsage');
  }
  if (status !== 'ENABLED') throw new XksFailure('keyNotEnabled');
}

/**
 * The integrity value says that the proxy has tried to decrypt what it gives.
 *
 * @param length of the plaintext
 * @param aad the additional authenticated data of the request
 */
export function readWrappedText(members: Members, length: number, aad: Uint8Array): WrappedText {
  const wrapped = {
    iv: bytesOf(members, 'initializationVector'),
    metadata: members['ciphertextMetadata'] === undefined ? Buffer.of() : bytesOf(members, 'ciphertextMetadata'),
    tag: bytesOf(members, 'authenticationTag'),
    ciphertext: bytesOf(members, 'ciphertext'),
  };
  const { iv, metadata, tag, ciphertext } = wrapped;
  const isShaped = [12, 16].includes(iv.length) && tag.length === 16 && metadata.length <= MAX_METADATA;
  if (!isShaped || ciphertext.length !== length) throw new XksFailure('unreadable');
  const hash = createHash('sha256');
  for (const part of [aad, metadata, iv, ciphertext, tag]) hash.update(part);
  if (!hash.digest().equals(bytesOf(members, 'ciphertextDataIntegrityValue'))) throw new XksFailure('unreadable');
  return wrapped;
}

/** @param length of the ciphertext */
export function readPlaintext(members: Members, length: number): Buffer {
  const plaintext = bytesOf(members, 'plaintext');
  if (plaintext.length !== length) throw new XksFailure('unreadable');
  return plaintext;
}

function textOf(members: Members, name: string): string {
  const value = members[name];
  if (typeof value !== 'string') throw new XksFailure('unreadable');
  return value;
}

function bytesOf(members: Members, name: string): Buffer {
  const text = textOf(members, name);
  if (!BASE64.test(text)) throw new XksFailure('unreadable');
  return Buffer.from(text, 'base64');
}
