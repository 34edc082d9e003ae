import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export function invalidArgument(message: string): ServiceError {
  return new ServiceError('InvalidArgumentException', 400, message);
}

export function connectionLimitExceeded(message: string): ServiceError {
  return new ServiceError('ConnectionLimitExceededException', 400, message);
}

export const kinesisVideoMediaErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('AccessDeniedException', 403, message),
  validation: (violations) => invalidArgument(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', 400, message),
  internal: () => new ServiceError('InternalFailure', 500, 'An internal error occurred.'),
};
