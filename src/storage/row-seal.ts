import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** What a column can hold. Whole numbers are the same as `number` and as `bigint`. */
export type ColumnValue = null | number | bigint | boolean | string | Uint8Array;

/** The column that holds a row's seal. Frozen: see docs/formats/row-seals.md. */
export const SEAL_COLUMN = 'mac';

/** For `RootKey.deriveKey`. Frozen: see docs/formats/row-seals.md. */
export const ROW_SEAL_PURPOSE = 'storage/row-seal/1';

/** A stored row does not bear its seal: something other than Coffer changed it. Names the row, not what it holds. */
export class RowDamageError extends Error {
  constructor(row: string) {
    super(`The record ${row} was changed outside of Coffer.`);
    this.name = 'RowDamageError';
  }
}

/**
 * Binds the columns of a row to one another, to their names and to the table, so that a byte changed in the database
 * is an error on read and never believed. It cannot see that a row is missing, or is an older one that was put back.
 */
export class RowSeal {
  #key: KeyObject;
  #former: KeyObject | undefined;

  /**
   * @param key 32 bytes, derived from the root key for this purpose
   * @param former the former root key's, while the rows are sealed anew
   */
  constructor(key: Uint8Array, former?: Uint8Array) {
    this.#key = createSecretKey(key);
    this.#former = former && createSecretKey(former);
  }

  /** From now on rows are sealed under `key`; those that bear the seal of the one before are sound, too. */
  changeKey(key: Uint8Array): void {
    this.#former = this.#key;
    this.#key = createSecretKey(key);
  }

  /** Rows that bear the former key's seal are no longer sound. */
  forgetFormerKey(): void {
    this.#former = undefined;
  }

  /**
   * @param columns names, sorted, without the seal's own
   * @param values one for each column
   * @returns 32 bytes
   */
  seal(table: string, columns: readonly string[], values: readonly ColumnValue[]): Buffer {
    return macOf(this.#key, encodeRow(table, columns, values));
  }

  isSealed(table: string, columns: readonly string[], values: readonly ColumnValue[], mac: ColumnValue): boolean {
    return this.check(table, columns, values, mac) !== undefined;
  }

  /** Which key's seal a row bears; `undefined` for none. */
  check(
    table: string,
    columns: readonly string[],
    values: readonly ColumnValue[],
    mac: ColumnValue,
  ): 'present' | 'former' | undefined {
    if (!(mac instanceof Uint8Array)) return undefined;
    const text = encodeRow(table, columns, values);
    if (isSame(macOf(this.#key, text), mac)) return 'present';
    return this.#former !== undefined && isSame(macOf(this.#former, text), mac) ? 'former' : undefined;
  }
}

function macOf(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function isSame(expected: Uint8Array, actual: Uint8Array): boolean {
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/**
 * One text for each row and one row for each text: every part begins with its kind, and its length where that varies.
 */
function encodeRow(table: string, columns: readonly string[], values: readonly ColumnValue[]): string {
  if (columns.length !== values.length) throw new TypeError(`${table}: a row has one value for each column.`);
  let text = encodeText(table);
  for (let i = 0; i < columns.length; i++) text += encodeText(columns[i] ?? '') + encodeValue(values[i] ?? null);
  return text;
}

function encodeValue(value: ColumnValue): string {
  if (value === null) return 'n';
  if (typeof value === 'string') return encodeText(value);
  // The driver stores numbers as SQLite likes, and gives whole ones back as integers.
  if (typeof value === 'bigint') return `i${value};`;
  if (typeof value === 'boolean') return value ? 'i1;' : 'i0;';
  if (typeof value === 'number') return encodeNumber(value);
  return encodeBlob(value);
}

function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('A number that is not finite cannot be stored.');
  return Number.isInteger(value) ? `i${BigInt(value)};` : `r${value};`;
}

function encodeText(value: string): string {
  // What UTF-8 cannot say, half a surrogate pair, is U+FFFD in the database and in the HMAC's input: one unit as well.
  return `t${value.length}:${value}`;
}

function encodeBlob(value: Uint8Array): string {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  return `b${text.length}:${text}`;
}
