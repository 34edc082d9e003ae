import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** Randomness, handed in so that tests can fix what must be reproducible. The system's is cryptographic. */
export interface Randomness {
  bytes(length: number): Buffer;
  uuid(): string;
  /** A string of `length` characters, each drawn uniformly from `alphabet`. */
  text(length: number, alphabet: string): string;
}

export const UPPER_ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
export const LOWER_ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789';

export const systemRandomness: Randomness = {
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
  text(length, alphabet) {
    let result = '';
    for (let i = 0; i < length; i++) result += alphabet[randomInt(alphabet.length)];
    return result;
  },
};
