import { DecodeFailure } from './decode-failure.ts';

/** Decoded parameters of a query string or a form: name → values in their order. */
export type QueryParameters = ReadonlyMap<string, readonly string[]>;

const NONE: QueryParameters = new Map();
const MAX_PARAMETERS = 20_000;

/**
 * Splits and decodes `a=1&b=2`; `+` stands for a space.
 *
 * @throws DecodeFailure when an escape is broken or is not UTF-8, or there are too many parameters
 */
export function parseQuery(raw: string): QueryParameters {
  if (raw === '') return NONE;
  const result = new Map<string, string[]>();
  let count = 0;
  for (let start = 0; start <= raw.length; ) {
    let end = raw.indexOf('&', start);
    if (end < 0) end = raw.length;
    if (end > start) {
      const equals = raw.indexOf('=', start);
      const hasValue = equals >= 0 && equals < end;
      const name = decodeComponent(raw.slice(start, hasValue ? equals : end));
      const value = hasValue ? decodeComponent(raw.slice(equals + 1, end)) : '';
      const values = result.get(name);
      if (values === undefined) result.set(name, [value]);
      else values.push(value);
      count += 1;
      if (count > MAX_PARAMETERS) throw new DecodeFailure('There are too many parameters');
    }
    start = end + 1;
  }
  return result;
}

function decodeComponent(raw: string): string {
  return percentDecode(raw.includes('+') ? raw.replaceAll('+', ' ') : raw);
}

/** @throws DecodeFailure when an escape is broken or is not UTF-8 */
export function percentDecode(raw: string): string {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new DecodeFailure('A percent-encoded value is not valid');
  }
}
