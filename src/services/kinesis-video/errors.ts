import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export const kinesisVideoErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('AccessDeniedException', 403, message),
  validation: (violations) => new ServiceError('InvalidArgumentException', 400, validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', 400, message),
  internal: () => new ServiceError('InternalFailure', 500, 'An internal error occurred.'),
};
