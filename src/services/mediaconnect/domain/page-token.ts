import { badRequest } from '../errors.ts';

/** Where the next page of a list begins: behind this item. */
export interface Position {
  readonly value: number | string;
  readonly id: string;
}

/** Opaque to clients: base64url of JSON behind a version. */
export function encodePageToken({ value, id }: Position): string {
  return Buffer.from(JSON.stringify([1, value, id])).toString('base64url');
}

/** @throws ServiceError BadRequestException for anything that is not a token of ours */
export function decodePageToken<Value extends 'number' | 'string'>(
  token: string | undefined,
  type: Value,
): { readonly value: Value extends 'number' ? number : string; readonly id: string } | undefined {
  if (token === undefined) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw invalidToken();
  }
  if (!Array.isArray(parts) || parts.length !== 3) throw invalidToken();
  const [version, value, id] = parts as unknown[];
  if (version !== 1 || typeof value !== type || typeof id !== 'string') throw invalidToken();
  return { value: value as never, id };
}

function invalidToken(): Error {
  return badRequest('NextToken is not a token of this list.');
}
