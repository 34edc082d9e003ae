import { StorageFullError } from '../storage-full-error.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The error to throw for a failed write: one of our own where the disk is full, else the same. */
export function storageError(error: unknown): unknown {
  return FULL.has(codeOf(error)) ? new StorageFullError({ cause: error }) : error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
