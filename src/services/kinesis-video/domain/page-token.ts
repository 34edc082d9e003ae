import { invalidPageToken } from '../errors.ts';

const PREFIX = '1:';

/** Where the next page begins: behind this name. */
export function encodePageToken(lastName: string): string {
  return Buffer.from(`${PREFIX}${lastName}`).toString('base64');
}

/** @throws ServiceError InvalidArgumentException for anything that is not a token of ours */
export function decodePageToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (text.startsWith(PREFIX)) return text.slice(PREFIX.length);
  throw invalidPageToken();
}
