import type { S3Client } from '@aws-sdk/client-s3';
import type { HttpReader } from '../http/http-reader.ts';
import { ERROR_CODES, MISSING_OR_HIDDEN, TranscodeError } from '../transcode-error.ts';
import type { MediaLocation } from '../transcode-input.ts';
import { openObject, readRange } from './s3-io.ts';

/** What a job reads from: the platform's S3 with the role's rights, and the web. */
export interface SourcePorts {
  readonly s3: S3Client;
  readonly http: HttpReader;
  readonly signal: AbortSignal;
}

/** A file that stays the same while it is read, or ends the job. */
export interface OpenedSource {
  readonly size: number;
  /**
   * Fills `target` with the bytes from `offset` on.
   *
   * @param onBytes told how many of them are there, where they may be used as they come
   * @throws TranscodeError
   */
  read(offset: number, target: Uint8Array, onBytes?: (count: number) => void): Promise<void>;
}

/** @throws TranscodeError 1404, 1401 or of the 34xx codes when the file is not there or may not be read */
export async function openSource(location: MediaLocation, { s3, http, signal }: SourcePorts): Promise<OpenedSource> {
  if ('url' in location) {
    const file = await http.open(location);
    return { size: file.size, read: (offset, target) => http.read(file, offset, target) };
  }
  const object = await openObject(s3, location, signal);
  return {
    size: object.size,
    read: (offset, target, onBytes) => readRange(s3, object, offset, target, { signal, onBytes }),
  };
}

/** Whether a file could not be opened as it is not there, or as nobody may say whether it is. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof TranscodeError)) return false;
  const { code, message } = error;
  if (code === ERROR_CODES.notFound || code === ERROR_CODES.httpMissing) return true;
  return code === ERROR_CODES.accessDenied && message.includes(MISSING_OR_HIDDEN);
}
