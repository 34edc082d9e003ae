import { createHmac, timingSafeEqual } from 'node:crypto';

/** Bytes of a seed: as AWS's own (64 characters of Base32). */
export const SEED_LENGTH = 40;

const STEP_MS = 30_000;
const DIGITS = 6;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The number of the time step in which `now` (milliseconds since the epoch) lies. */
export function stepOf(now: number): number {
  return Math.floor(now / STEP_MS);
}

/** The code of one time step: RFC 6238 with SHA-1, steps of 30 seconds and six digits, as authenticator apps have it. */
export function totpCode(seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', seed).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

/**
 * The step whose code `code` is, among those around `step` that are later than `after`; the nearest one first.
 * @param reach how many steps before and after `step` are looked at
 */
export function findStep(
  seed: Uint8Array,
  codes: readonly string[],
  step: number,
  reach: number,
  after: number,
): number | undefined {
  for (let distance = 0; distance <= reach; distance++) {
    for (const candidate of distance === 0 ? [step] : [step - distance, step + distance]) {
      if (candidate <= after || candidate < 0) continue;
      // No early end: how long it takes says nothing of which digit was wrong.
      const right = codes.map((code, index) => isSameCode(totpCode(seed, candidate + index), code));
      if (right.every(Boolean)) return candidate;
    }
  }
  return undefined;
}

function isSameCode(right: string, given: string): boolean {
  const [a, b] = [Buffer.from(right), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** RFC 4648, without padding. */
export function toBase32(bytes: Uint8Array): string {
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(value >>> bits) & 31];
    }
    value &= 0xff;
  }
  if (bits > 0) text += BASE32[(value << (5 - bits)) & 31];
  return text;
}
