import { ServiceError } from '#kernel/service-error.ts';

/** An error that is told in the stream itself, after the answer has begun. */
export interface MediaFailure {
  readonly id: number;
  /** As the producer libraries spell it. */
  readonly code: string;
}

// Frozen: PutMedia's ErrorId and ErrorCode, AWS_KINESISVIDEO_ERROR_ID and _ERROR_CODE where media is read.
const KMS_KEY_ACCESS_DENIED: MediaFailure = { id: 4500, code: 'KMS_KEY_ACCESS_DENIED' };
const KMS_KEY_DISABLED: MediaFailure = { id: 4501, code: 'KMS_KEY_DISABLED' };
const KMS_KEY_VALIDATION_ERROR: MediaFailure = { id: 4502, code: 'KMS_KEY_VALIDATION_ERROR' };
const KMS_KEY_UNAVAILABLE: MediaFailure = { id: 4503, code: 'KMS_KEY_UNAVAILABLE' };
const KMS_KEY_INVALID_USAGE: MediaFailure = { id: 4504, code: 'KMS_KEY_INVALID_USAGE' };
const KMS_KEY_INVALID_STATE: MediaFailure = { id: 4505, code: 'KMS_KEY_INVALID_STATE' };
const KMS_KEY_NOT_FOUND: MediaFailure = { id: 4506, code: 'KMS_KEY_NOT_FOUND' };
export const INTERNAL_ERROR: MediaFailure = { id: 5000, code: 'INTERNAL_ERROR' };

const BY_KMS_ERROR: Readonly<Record<string, MediaFailure>> = {
  AccessDeniedException: KMS_KEY_ACCESS_DENIED,
  DisabledException: KMS_KEY_DISABLED,
  ValidationException: KMS_KEY_VALIDATION_ERROR,
  InvalidArnException: KMS_KEY_VALIDATION_ERROR,
  InvalidGrantTokenException: KMS_KEY_VALIDATION_ERROR,
  KeyUnavailableException: KMS_KEY_UNAVAILABLE,
  DependencyTimeoutException: KMS_KEY_UNAVAILABLE,
  InvalidKeyUsageException: KMS_KEY_INVALID_USAGE,
  KMSInvalidStateException: KMS_KEY_INVALID_STATE,
  NotFoundException: KMS_KEY_NOT_FOUND,
  // What the stored data key does not open any more, because it is another key's or another stream's.
  IncorrectKeyException: KMS_KEY_INVALID_USAGE,
  InvalidCiphertextException: KMS_KEY_VALIDATION_ERROR,
};

/** The failure that KMS's refusal is told as; `undefined` for errors that are not KMS's. */
export function kmsFailure(error: unknown): MediaFailure | undefined {
  return error instanceof ServiceError ? BY_KMS_ERROR[error.code] : undefined;
}
