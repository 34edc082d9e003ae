import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export function invalidArgument(message: string): ServiceError {
  return new ServiceError('InvalidArgumentException', 400, message);
}

export function resourceNotFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', 404, message);
}

/** For streams whose retention is 0. */
export function noDataRetention(): ServiceError {
  return new ServiceError(
    'NoDataRetentionException',
    400,
    'The stream does not retain data (its data retention is 0 hours).',
  );
}

export function clientLimitExceeded(message: string): ServiceError {
  return new ServiceError('ClientLimitExceededException', 400, message);
}

/** A streaming session that is over, or was never begun. The API's model says 401, its documentation and the service 403. */
export function notAuthorized(message: string): ServiceError {
  return new ServiceError('NotAuthorizedException', 403, message);
}

/**
 * What KMS has answered to a consumer, in the form of this service; `undefined` for any other error.
 *
 * @param error what the reader of a fragment has thrown
 */
export function refusedByKms(error: unknown): ServiceError | undefined {
  if (!(error instanceof ServiceError) || !error.isClientFault) return undefined;
  if (error.code === 'AccessDeniedException') return new ServiceError(error.code, 403, error.message);
  return invalidArgument(`The stream's KMS key cannot be used (${error.code}): ${error.message}`);
}

/** Without FFmpeg there are no pictures; the message says how to get it. */
export function ffmpegUnavailable(message: string): ServiceError {
  return new ServiceError('NotImplemented', 501, message);
}

export const kinesisVideoArchivedMediaErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('AccessDeniedException', 403, message),
  validation: (violations) => invalidArgument(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', 400, message),
  internal: () => new ServiceError('InternalFailure', 500, 'An internal error occurred.'),
};
