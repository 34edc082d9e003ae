import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

/** What is wrong with a CPIX document: text, as the encryptor shows it to people. SPEKE suggests this status. */
export function unprocessableDocument(message: string): ServiceError {
  return new ServiceError('UnprocessableEntityException', 422, message, { headers: { 'content-type': 'text/plain' } });
}

export function badRequest(message: string): ServiceError {
  return new ServiceError('BadRequestException', 400, message);
}

export function notFound(message: string): ServiceError {
  return new ServiceError('NotFoundException', 404, message);
}

/** A content whose keys are scheduled for deletion. */
export function gone(message: string): ServiceError {
  return new ServiceError('GoneException', 410, message);
}

export function tooLarge(): ServiceError {
  return new ServiceError('RequestTooLargeException', 413, 'Request Too Long');
}

/** A licence token that is over, was never made here, or is one of something else. */
export function tokenRefused(message: string): ServiceError {
  return new ServiceError('ForbiddenException', 403, message);
}

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDeniedException', 403, message);
}

export const keyProviderErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => badRequest(validationErrorMessage(violations)),
  malformed: badRequest,
  unknownRoute: (allowed) =>
    allowed.length === 0
      ? notFound('Not Found')
      : new ServiceError('MethodNotAllowedException', 405, 'Method Not Allowed', {
          headers: { allow: allowed.join(', ') },
        }),
  internal: () => new ServiceError('InternalServerErrorException', 500, 'Internal Server Error'),
};
