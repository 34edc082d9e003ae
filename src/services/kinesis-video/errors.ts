import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDeniedException', 403, message);
}

export function invalidArgument(message: string): ServiceError {
  return new ServiceError('InvalidArgumentException', 400, message);
}

export function streamNotFound(): ServiceError {
  return new ServiceError('ResourceNotFoundException', 404, 'The requested stream is not found or not active.');
}

export const kinesisVideoErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => invalidArgument(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', 400, message),
  internal: () => new ServiceError('InternalFailure', 500, 'An internal error occurred.'),
};
