import { createHmac, timingSafeEqual } from 'node:crypto';

// Frozen: clients keep tokens, though for a short while.
const VERSION = 1;
const ID_LENGTH = 32;
const NONCE_LENGTH = 16;
const TAG_LENGTH = 32;
const TAG_START = 1 + ID_LENGTH + NONCE_LENGTH;

/** The length of the key that a grant's tokens are made with. */
export const TOKEN_KEY_LENGTH = 32;

/** A token, as far as it can be read without its grant. */
interface ReadGrantToken {
  /** 64 hexadecimal digits. */
  readonly grantId: string;
  /** Whether it was made for the grant that has this key. */
  isOf(tokenKey: Uint8Array): boolean;
}

/**
 * A token that names a grant, another one each time: `version ‖ grant id (32) ‖ nonce (16) ‖ HMAC-SHA-256 of all before`,
 * in base64. It is no credential: only the grantee can use what it names.
 *
 * @param nonce 16 bytes
 */
export function makeGrantToken(grantId: string, tokenKey: Uint8Array, nonce: Uint8Array): string {
  const head = Buffer.concat([Buffer.of(VERSION), Buffer.from(grantId, 'hex'), nonce]);
  return Buffer.concat([head, tagOf(head, tokenKey)]).toString('base64');
}

/** @returns `undefined` for what is no token of ours */
export function readGrantToken(token: string): ReadGrantToken | undefined {
  const bytes = Buffer.from(token, 'base64');
  if (bytes.length !== TAG_START + TAG_LENGTH || bytes[0] !== VERSION) return undefined;
  if (bytes.toString('base64') !== token) return undefined;
  return {
    grantId: bytes.toString('hex', 1, 1 + ID_LENGTH),
    isOf: (tokenKey) => timingSafeEqual(tagOf(bytes.subarray(0, TAG_START), tokenKey), bytes.subarray(TAG_START)),
  };
}

function tagOf(head: Uint8Array, tokenKey: Uint8Array): Buffer {
  return createHmac('sha256', tokenKey).update(head).digest();
}
