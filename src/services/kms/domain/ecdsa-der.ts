/** `SEQUENCE { INTEGER r, INTEGER s }` in DER (RFC 3279, 2.2.3): the form of ECDSA signatures. Both are above 0. */

const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** A length of 128 and more stands behind this byte. */
const LONG_LENGTH = 0x81;

export function writeEcdsaSignature(r: bigint, s: bigint): Buffer {
  const content = Buffer.concat([integer(r), integer(s)]);
  const head = content.length < 128 ? [SEQUENCE, content.length] : [SEQUENCE, LONG_LENGTH, content.length];
  return Buffer.concat([Buffer.from(head), content]);
}

/** @returns `undefined` for all but the one way in which DER writes two numbers above 0 */
export function readEcdsaSignature(der: Uint8Array): { readonly r: bigint; readonly s: bigint } | undefined {
  const bytes = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
  const start = bytes[1] === LONG_LENGTH ? 3 : 2;
  const r = integerAt(bytes, start);
  const s = r === undefined ? undefined : integerAt(bytes, r.end);
  if (r === undefined || s === undefined) return undefined;
  // What is not written as it would be here is not DER.
  return writeEcdsaSignature(r.value, s.value).equals(bytes) ? { r: r.value, s: s.value } : undefined;
}

function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  // A first bit that is set would make it negative.
  const content = (digits[0] ?? 0) < 128 ? digits : Buffer.concat([Buffer.of(0), digits]);
  return Buffer.concat([Buffer.of(INTEGER, content.length), content]);
}

function integerAt(bytes: Buffer, start: number): { readonly value: bigint; readonly end: number } | undefined {
  const length = bytes[start + 1] ?? 0;
  const end = start + 2 + length;
  if (bytes[start] !== INTEGER || length === 0 || length >= 128 || end > bytes.length) return undefined;
  const value = BigInt(`0x${bytes.toString('hex', start + 2, end)}`);
  return value === 0n ? undefined : { value, end };
}
