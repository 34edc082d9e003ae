import { DecryptionError } from '#crypto/decryption-error.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { FragmentMissingError } from '#services/kinesis-video/api.ts';

/** Why a fragment is not in the answer, as the tags in its place say it. */
export interface FragmentFailure {
  readonly id: number;
  readonly code: string;
  readonly message: string;
  /** True where the fragments that follow will fare no better. */
  readonly isFinal: boolean;
}

/** The id and name that AWS gives in its place: not the one that GetMedia's documentation lists (aws-sdk-js issue 3217). */
export const FRAGMENT_NOT_FOUND: FragmentFailure = {
  id: 3000,
  code: 'FRAGMENT_NOT_FOUND',
  message: 'The fragment does not exist, or is no longer kept.',
  isFinal: false,
};

/** KMS's error → id and name. Source: "GetMedia" and "PutMedia" in the API reference, error ids 4500 to 4506. */
const KMS_FAILURES: Readonly<Record<string, readonly [id: number, code: string]>> = {
  AccessDeniedException: [4500, 'KMS_KEY_ACCESS_DENIED'],
  DisabledException: [4501, 'KMS_KEY_DISABLED'],
  ValidationException: [4502, 'KMS_KEY_VALIDATION_ERROR'],
  InvalidArnException: [4502, 'KMS_KEY_VALIDATION_ERROR'],
  KeyUnavailableException: [4503, 'KMS_KEY_UNAVAILABLE'],
  DependencyTimeoutException: [4503, 'KMS_KEY_UNAVAILABLE'],
  InvalidKeyUsageException: [4504, 'KMS_KEY_INVALID_USAGE'],
  KMSInvalidStateException: [4505, 'KMS_KEY_INVALID_STATE'],
  NotFoundException: [4506, 'KMS_KEY_NOT_FOUND'],
};

const INTERNAL: FragmentFailure = {
  id: 5000,
  code: 'INTERNAL_ERROR',
  message: 'The fragment could not be read.',
  isFinal: false,
};

/** What is told of an error that reading a fragment ended in. What was not foreseen is told to nobody. */
export function failureOf(error: unknown): FragmentFailure {
  if (error instanceof FragmentMissingError) return FRAGMENT_NOT_FOUND;
  if (error instanceof ServiceError) {
    const known = KMS_FAILURES[error.code];
    if (known !== undefined) return { id: known[0], code: known[1], message: error.message, isFinal: true };
  }
  return INTERNAL;
}

/** True of what an operator has to hear of: damage, and what was not foreseen. */
export function isUnforeseen(error: unknown): boolean {
  return error instanceof DecryptionError || failureOf(error) === INTERNAL;
}
