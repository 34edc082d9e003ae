import type { Encryption } from '@aws-sdk/client-mediaconnect';
import type { SrtEncryption } from '#media/live/flow-spec.ts';

const KEY_BYTES = { aes128: 16, aes192: 24, aes256: 32 } as const;
const MIN_PASSWORD = 10;
const MAX_PASSWORD = 80;

/** A secret's text cannot be used as what it should be. The message says the rule, and nothing of the text. */
export class KeyFormError extends Error {}

/**
 * Makes of a secret's text what encrypts a stream. A static key is used as it is written: its text is the passphrase,
 * and its algorithm the length of the keys that are made from it.
 *
 * @param text without regard to one line break at its end, which editors and shells leave there
 * @throws KeyFormError
 */
export function srtEncryptionOf(text: string, { KeyType, Algorithm }: Encryption): SrtEncryption {
  const passphrase = text.replace(/\r?\n$/, '');
  const keyBytes = Algorithm === undefined ? undefined : KEY_BYTES[Algorithm];
  if (KeyType === 'srt-password') {
    const length = Buffer.byteLength(passphrase);
    if (length < MIN_PASSWORD || length > MAX_PASSWORD) {
      throw new KeyFormError(`an SRT password is plain text of ${MIN_PASSWORD} to ${MAX_PASSWORD} bytes`);
    }
    return { passphrase, ...(keyBytes !== undefined && { keyBytes }) };
  }
  const digits = 2 * (keyBytes ?? 0);
  if (keyBytes === undefined || !/^[0-9A-Fa-f]+$/.test(passphrase) || passphrase.length !== digits) {
    throw new KeyFormError(`a static key for ${Algorithm ?? 'AES'} is plain text of ${digits} hexadecimal digits`);
  }
  return { passphrase, keyBytes };
}
