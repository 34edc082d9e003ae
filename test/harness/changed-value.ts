import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';

/** Another value of the same kind: so little that only the seal can tell. */
export function changed(value: SQLOutputValue | undefined, isNumber: boolean): SQLInputValue {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value.slice(0, -1)}${value.endsWith('x') ? 'y' : 'x'}`;
  if (!(value instanceof Uint8Array)) return isNumber ? 1 : 'x';
  const bytes = Buffer.from(value);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  return bytes;
}
