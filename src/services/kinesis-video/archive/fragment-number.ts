const BASE = 1n << 156n;
const RANDOM_BITS = 92n;
const DIGITS = 47;
const RANDOM_BYTES = 12;

/**
 * A fragment's number: 2^156 + sequence · 2^92 + 92 random bits, in 47 decimal digits, so that the order of texts is the
 * order of numbers. Frozen (docs/formats/fragment.md).
 *
 * @param sequence grows with each fragment of a stream; below 2^60
 * @param random 12 bytes
 */
export function fragmentNumber(sequence: number, random: Uint8Array): string {
  if (random.length !== RANDOM_BYTES) throw new RangeError(`A fragment number has ${RANDOM_BYTES} random bytes.`);
  const bits = BigInt(`0x${Buffer.from(random).toString('hex')}`) & ((1n << RANDOM_BITS) - 1n);
  return textOf(BASE + (BigInt(sequence) << RANDOM_BITS) + bits);
}

/** No number of this sequence or a later one is less. */
export function lowestNumber(sequence: number): string {
  return textOf(BASE + (BigInt(Math.max(0, Math.floor(sequence))) << RANDOM_BITS));
}

export function sequenceOf(number: string): number {
  return Number((BigInt(number) - BASE) >> RANDOM_BITS);
}

/** A number in the form in which they are compared: clients may leave out or add zeros in front. */
export function normalNumber(text: string): string {
  return text.replace(/^0+/, '').padStart(DIGITS, '0');
}

function textOf(value: bigint): string {
  return value.toString().padStart(DIGITS, '0');
}
