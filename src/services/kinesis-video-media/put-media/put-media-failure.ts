import type { Logger } from '#kernel/logger.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { MatroskaFault } from '#media/matroska/matroska-error.ts';
import { MatroskaError } from '#media/matroska/matroska-error.ts';
import { StorageFullError } from '#storage/storage-full-error.ts';
import { INTERNAL_ERROR, kmsFailure, type MediaFailure } from '#services/kinesis-video/api.ts';
import type { AcknowledgedFragment } from './acknowledgements.ts';

// Frozen: developer guide, "PutMedia", and the enumerations of the producer libraries.
export const STREAM_READ_ERROR: MediaFailure = { id: 4000, code: 'STREAM_READ_ERROR' };
export const MAX_CONNECTION_DURATION_REACHED: MediaFailure = { id: 4003, code: 'MAX_CONNECTION_DURATION_REACHED' };
export const INVALID_PRODUCER_TIMESTAMP: MediaFailure = { id: 4007, code: 'INVALID_PRODUCER_TIMESTAMP' };
export const STREAM_NOT_ACTIVE: MediaFailure = { id: 4008, code: 'STREAM_NOT_ACTIVE' };
const ARCHIVAL_ERROR: MediaFailure = { id: 5001, code: 'ARCHIVAL_ERROR' };

const ID_OF_FAULT: Readonly<Record<MatroskaFault, number>> = {
  MAX_FRAGMENT_SIZE_REACHED: 4001,
  MAX_FRAGMENT_DURATION_REACHED: 4002,
  FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS: 4004,
  INVALID_MKV_DATA: 4006,
  FRAGMENT_METADATA_LIMIT_REACHED: 4009,
  TRACK_NUMBER_MISMATCH: 4010,
  FRAMES_MISSING_FOR_TRACK: 4011,
  MORE_THAN_ALLOWED_TRACKS_FOUND: 4012,
};

/** Ends a connection with an acknowledgement of type ERROR. */
export class PutMediaError extends Error {
  readonly failure: MediaFailure;
  readonly fragment: Partial<AcknowledgedFragment>;

  constructor(failure: MediaFailure, fragment: Partial<AcknowledgedFragment> = {}, options?: ErrorOptions) {
    super(failure.code, options);
    this.name = 'PutMediaError';
    this.failure = failure;
    this.fragment = fragment;
  }
}

/** Whatever ended a connection, as its producer is told. What was not foreseen is logged. */
export function putMediaErrorOf(
  error: unknown,
  fragment: Partial<AcknowledgedFragment>,
  logger: Logger,
): PutMediaError {
  if (error instanceof PutMediaError) return error;
  const options = { cause: error };
  if (error instanceof MatroskaError) {
    const failure = { id: ID_OF_FAULT[error.fault], code: error.fault };
    const { timecodeMs } = error;
    const isSame = timecodeMs === undefined || timecodeMs === fragment.timecodeMs;
    return new PutMediaError(failure, isSame ? fragment : { timecodeMs }, options);
  }
  const kms = kmsFailure(error);
  if (kms !== undefined) return new PutMediaError(kms, fragment, options);
  if (error instanceof ServiceError && error.code === 'ResourceNotFoundException') {
    return new PutMediaError(STREAM_NOT_ACTIVE, fragment, options);
  }
  if (error instanceof StorageFullError) {
    logger.error({ err: error }, 'the storage is full: a fragment was refused');
    return new PutMediaError(ARCHIVAL_ERROR, fragment, options);
  }
  logger.error({ err: error }, 'a connection of PutMedia failed for a reason that was not foreseen');
  return new PutMediaError(INTERNAL_ERROR, fragment, options);
}
