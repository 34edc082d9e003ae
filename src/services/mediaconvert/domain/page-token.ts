import { badRequest } from '../errors.ts';

/** Where the next page begins: behind this one. */
export interface PagePlace {
  readonly createdAt: number;
  /** The id of a job, the name of another thing. */
  readonly id: string;
}

export function encodePageToken({ createdAt, id }: PagePlace): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

/** @throws ServiceError for anything that is not a token of ours */
export function decodePageToken(token: string): PagePlace {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'string') {
      return { createdAt: value[0], id: value[1] };
    }
  } catch {
    // Told below.
  }
  throw badRequest('/nextToken: Is not a token of this list');
}
