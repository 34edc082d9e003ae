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

export const kinesisVideoArchivedMediaErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('AccessDeniedException', 403, message),
  validation: (violations) => invalidArgument(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', 400, message),
  internal: () => new ServiceError('InternalFailure', 500, 'An internal error occurred.'),
};
