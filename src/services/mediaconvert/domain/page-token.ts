import { badRequest } from '../errors.ts';
import type { JobRecord } from '../store.ts';

/** Where the next page begins: behind this job. */
export function encodePageToken(job: Pick<JobRecord, 'created_at' | 'id'>): string {
  return Buffer.from(JSON.stringify([job.created_at, job.id])).toString('base64url');
}

/** @throws ServiceError for anything that is not a token of ours */
export function decodePageToken(token: string): { readonly createdAt: number; readonly id: string } {
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
