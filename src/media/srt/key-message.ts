import { createCipheriv, createDecipheriv, pbkdf2Sync } from 'node:crypto';
import { EVEN_KEY, ODD_KEY } from './packet.ts';

export type KeyBytes = 16 | 24 | 32;

/** The key(s) that a sender uses from now on, or will use soon. */
export interface KeyMaterial {
  readonly keyBytes: KeyBytes;
  /** 16 bytes. */
  readonly salt: Buffer;
  readonly even?: Buffer;
  readonly odd?: Buffer;
}

/** What a key message says before it is unwrapped: anybody can have written it. */
export type KeyMessageHead =
  | { readonly keyBytes: KeyBytes; readonly problem?: undefined }
  | { readonly keyBytes?: undefined; readonly problem: 'malformed' | 'unsupported-cipher' };

/** A four-byte answer to a key message: why the key was not taken. */
export const KEY_STATE = { noSecret: 3, badSecret: 4 } as const;

const SALT_OFFSET = 16;
const SALT_BYTES = 16;
const WRAP_BYTES = 8;
const VERSION_AND_TYPE = 0x12;
const SIGNATURE = 0x2029;
const CIPHER_AES_CTR = 2;
const STREAM_OF_SRT = 2;
const ITERATIONS = 2048;
/** RFC 3394's initial value. */
const WRAP_IV = Buffer.alloc(WRAP_BYTES, 0xa6);

/** Checks all that can be checked without the passphrase. */
export function readKeyMessageHead(message: Buffer): KeyMessageHead {
  if (message.length < SALT_OFFSET || message[0] !== VERSION_AND_TYPE || message.readUInt16BE(1) !== SIGNATURE) {
    return { problem: 'malformed' };
  }
  const keys = keyCount(message);
  const keyBytes = (message[15] as number) * 4;
  if (message[8] !== CIPHER_AES_CTR || message[9] !== 0) return { problem: 'unsupported-cipher' };
  if (
    keys === 0 ||
    !isKeyLength(keyBytes) ||
    (message[14] as number) * 4 !== SALT_BYTES ||
    message[10] !== STREAM_OF_SRT
  ) {
    return { problem: 'malformed' };
  }
  if (message.length !== SALT_OFFSET + SALT_BYTES + keys * keyBytes + WRAP_BYTES) return { problem: 'malformed' };
  return { keyBytes };
}

/**
 * Unwraps a key message.
 *
 * @param message one whose head has no problem
 * @returns `undefined` when it was wrapped under another passphrase
 */
export function openKeyMessage(message: Buffer, passphrase: string): KeyMaterial | undefined {
  const head = readKeyMessageHead(message);
  if (head.problem !== undefined) return undefined;
  const { keyBytes } = head;
  const salt = Buffer.from(message.subarray(SALT_OFFSET, SALT_OFFSET + SALT_BYTES));
  const wrappingKey = deriveWrappingKey(passphrase, salt, keyBytes);
  try {
    const decipher = createDecipheriv(`id-aes${keyBytes * 8}-wrap`, wrappingKey, WRAP_IV);
    const keys = Buffer.concat([decipher.update(message.subarray(SALT_OFFSET + SALT_BYTES)), decipher.final()]);
    const bits = message[3] as number;
    const even = (bits & EVEN_KEY) === 0 ? undefined : keys.subarray(0, keyBytes);
    const odd = (bits & ODD_KEY) === 0 ? undefined : keys.subarray(even === undefined ? 0 : keyBytes);
    return { keyBytes, salt, ...(even && { even }), ...(odd && { odd }) };
  } catch {
    return undefined;
  } finally {
    wrappingKey.fill(0);
  }
}

/** Wraps the key(s) of `material` under the passphrase. */
export function makeKeyMessage({ keyBytes, salt, even, odd }: KeyMaterial, passphrase: string): Buffer {
  const head = Buffer.alloc(SALT_OFFSET);
  head[0] = VERSION_AND_TYPE;
  head.writeUInt16BE(SIGNATURE, 1);
  head[3] = (even === undefined ? 0 : EVEN_KEY) | (odd === undefined ? 0 : ODD_KEY);
  head[8] = CIPHER_AES_CTR;
  head[10] = STREAM_OF_SRT;
  head[14] = SALT_BYTES / 4;
  head[15] = keyBytes / 4;
  const wrappingKey = deriveWrappingKey(passphrase, salt, keyBytes);
  const keys = Buffer.concat([even ?? Buffer.alloc(0), odd ?? Buffer.alloc(0)]);
  try {
    const cipher = createCipheriv(`id-aes${keyBytes * 8}-wrap`, wrappingKey, WRAP_IV);
    return Buffer.concat([head, salt, cipher.update(keys), cipher.final()]);
  } finally {
    wrappingKey.fill(0);
    keys.fill(0);
  }
}

/** Takes about a millisecond, by design of the protocol. */
function deriveWrappingKey(passphrase: string, salt: Buffer, keyBytes: KeyBytes): Buffer {
  return pbkdf2Sync(passphrase, salt.subarray(SALT_BYTES / 2), ITERATIONS, keyBytes, 'sha1');
}

function keyCount(message: Buffer): number {
  const bits = message[3] as number;
  return (bits & EVEN_KEY) + ((bits & ODD_KEY) >> 1);
}

function isKeyLength(bytes: number): bytes is KeyBytes {
  return bytes === 16 || bytes === 24 || bytes === 32;
}
