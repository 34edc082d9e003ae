import { randomFillSync, randomInt, randomUUID } from 'node:crypto';

/** Randomness, handed in so that tests can fix what must be reproducible. The system's is cryptographic. */
export interface Randomness {
  bytes(length: number): Buffer;
  uuid(): string;
  /** A string of `length` characters, each drawn uniformly from `alphabet`. */
  text(length: number, alphabet: string): string;
}

export const UPPER_ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
export const LOWER_ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Most are nonces and keys, for which asking the system each time would be a large part of the work. */
const pool = Buffer.alloc(4096);
let drawn = pool.length;

/** Bytes of the system's generator; short ones from a pool of them, in which what was drawn is overwritten. */
export function randomBytes(length: number): Buffer {
  if (length > pool.length / 16) return randomFillSync(Buffer.allocUnsafeSlow(length));
  if (drawn + length > pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  const bytes = Buffer.from(pool.subarray(drawn, drawn + length));
  pool.fill(0, drawn, drawn + length);
  drawn += length;
  return bytes;
}

export const systemRandomness: Randomness = {
  bytes: randomBytes,
  uuid: () => randomUUID(),
  text(length, alphabet) {
    let result = '';
    for (let i = 0; i < length; i++) result += alphabet[randomInt(alphabet.length)];
    return result;
  },
};
