import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export const secretsManagerErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('AccessDeniedException', 400, message),
  validation: (violations) => new ServiceError('ValidationException', 400, validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', 400, message),
  internal: () => new ServiceError('InternalServiceError', 500, 'An error occurred on the server side.'),
};
