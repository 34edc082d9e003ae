import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { invalidPublicKey } from '../errors.ts';

const SSH_RSA = /^ssh-rsa ([A-Za-z0-9+/]+={0,2})( .*)?$/;
const ALGORITHM = 'ssh-rsa';
const MIN_BITS = 2048;
const MAX_BITS = 16_384;

/** An RSA key in the encodings of SSH (RFC 4253, section 6.6). */
export interface SshKey {
  /** MD5 in hexadecimal digits, joined by colons. */
  readonly fingerprint: string;
  /** `ssh-rsa AAAA…`. */
  readonly ssh: string;
  /** X.509's form of a public key. */
  readonly pem: string;
}

/**
 * @param body in SSH's encoding, or in PEM
 * @throws ServiceError InvalidPublicKey
 */
export function parseSshKey(body: string): SshKey {
  const key = body.trim().startsWith('-----BEGIN') ? fromPem(body) : fromSsh(body.trim());
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < MIN_BITS || bits > MAX_BITS) {
    throw invalidPublicKey(`The public key has to be an RSA key of ${MIN_BITS} to ${MAX_BITS} bits.`);
  }
  const blob = blobOf(key);
  const digest = createHash('md5').update(blob).digest('hex');
  return {
    fingerprint: digest.match(/../g)?.join(':') ?? '',
    ssh: `${ALGORITHM} ${blob.toString('base64')}`,
    pem: String(key.export({ type: 'spki', format: 'pem' })),
  };
}

function fromPem(pem: string): KeyObject {
  // A private key would be read as the public one that belongs to it.
  if (/PRIVATE/.test(pem)) throw invalidPublicKey('The public key is a private one.');
  try {
    return createPublicKey({ key: pem, format: 'pem' });
  } catch {
    throw invalidPublicKey('The public key cannot be read.');
  }
}

function fromSsh(line: string): KeyObject {
  const blob = Buffer.from(SSH_RSA.exec(line)?.[1] ?? '', 'base64');
  const parts = partsOf(blob);
  const [algorithm, exponent, modulus] = parts;
  if (parts.length !== 3 || algorithm?.toString('latin1') !== ALGORITHM || !exponent || !modulus) {
    throw invalidPublicKey('The public key cannot be read.');
  }
  const key = { kty: 'RSA', e: unsigned(exponent).toString('base64url'), n: unsigned(modulus).toString('base64url') };
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    throw invalidPublicKey('The public key cannot be read.');
  }
}

/** The strings in a blob, each behind its length; none where one is cut off. */
function partsOf(blob: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < blob.length; ) {
    if (at + 4 > blob.length) return [];
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return [];
    parts.push(blob.subarray(at + 4, end));
    at = end;
  }
  return parts;
}

function unsigned(number: Buffer): Buffer {
  return number[0] === 0 ? number.subarray(1) : number;
}

function blobOf(key: KeyObject): Buffer {
  const { e = '', n = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(ALGORITHM), signed(e), signed(n)].flatMap((part) => [lengthOf(part), part]));
}

/** A positive number whose first bit is set begins with a zero byte. */
function signed(base64url: string): Buffer {
  const number = Buffer.from(base64url, 'base64url');
  return (number[0] ?? 0) < 0x80 ? number : Buffer.concat([Buffer.of(0), number]);
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}
