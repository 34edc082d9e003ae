import { invalidNextToken } from '../errors.ts';

/** Where the next page begins: behind this item of a list in the same order. */
export interface Position {
  /** The order in which the list was: a token of another list is refused. */
  readonly order: string;
  readonly value: string | number;
  readonly id: string;
}

/** Opaque to clients: base64url of JSON behind a version. */
export function encodePosition({ order, value, id }: Position): string {
  return Buffer.from(JSON.stringify([1, order, value, id])).toString('base64url');
}

/** @throws ServiceError InvalidNextTokenException for anything that is not a token of this list */
export function decodePosition(token: string | undefined, order: string): Position | undefined {
  if (token === undefined) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw invalidNextToken();
  }
  if (!Array.isArray(parts) || parts.length !== 4) throw invalidNextToken();
  const [version, givenOrder, value, id] = parts as unknown[];
  const isValue = typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (version !== 1 || givenOrder !== order || !isValue || typeof id !== 'string') throw invalidNextToken();
  return { order, value, id };
}
