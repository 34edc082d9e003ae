import { FragmentMissingError, INTERNAL_ERROR, kmsFailure, type MediaFailure } from '#services/kinesis-video/api.ts';

/** Why a fragment is not in the answer, as the tags in its place say it. */
export interface FragmentFailure extends MediaFailure {
  readonly message: string;
  /** True where the fragments that follow will fare no better. */
  readonly isFinal: boolean;
  /** True of damage and of what was not foreseen: an operator has to hear of it, and the client is told no more. */
  readonly isUnforeseen: boolean;
}

/** The id that AWS's answers have, which is not the one in GetMedia's documentation (aws-sdk-js, issue 3217). */
export const FRAGMENT_NOT_FOUND: FragmentFailure = {
  id: 3000,
  code: 'FRAGMENT_NOT_FOUND',
  message: 'The fragment does not exist, or is no longer kept.',
  isFinal: false,
  isUnforeseen: false,
};

/** What is told of an error that the reading of a fragment has ended in. */
export function failureOf(error: unknown): FragmentFailure {
  if (error instanceof FragmentMissingError) return FRAGMENT_NOT_FOUND;
  const refused = kmsFailure(error);
  if (refused !== undefined && error instanceof Error) {
    return { ...refused, message: error.message, isFinal: true, isUnforeseen: false };
  }
  return { ...INTERNAL_ERROR, message: 'The fragment could not be read.', isFinal: false, isUnforeseen: true };
}
