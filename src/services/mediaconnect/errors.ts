import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export const mediaConnectErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('ForbiddenException', 403, message),
  validation: (violations) => new ServiceError('BadRequestException', 400, validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('BadRequestException', 400, message),
  internal: () => new ServiceError('InternalServerErrorException', 500, 'An internal error occurred.'),
};
