import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export function badRequest(message: string, cause?: unknown): ServiceError {
  return new ServiceError('BadRequestException', 400, message, { cause });
}

export function forbidden(message: string): ServiceError {
  return new ServiceError('ForbiddenException', 403, message);
}

export function flowNotFound(): ServiceError {
  return notFound('The flow does not exist.');
}

export function notFound(message: string): ServiceError {
  return new ServiceError('NotFoundException', 404, message);
}

/** MediaConnect's status for quotas is 420. */
export function quotaExceeded(
  operation: 'CreateFlow' | 'AddFlowOutputs' | 'GrantFlowEntitlements',
  message: string,
): ServiceError {
  return new ServiceError(`${operation}420Exception`, 420, message);
}

/** What AWS has and Coffer does not carry out. @param what names the member or value */
export function notCarriedOut(what: string, reason: string): ServiceError {
  return badRequest(`${what} is not implemented by Coffer: ${reason}`);
}

export const mediaConnectErrors: ServiceErrors = {
  accessDenied: forbidden,
  validation: (violations) => badRequest(validationErrorMessage(violations)),
  malformed: (message) => badRequest(message),
  internal: () => new ServiceError('InternalServerErrorException', 500, 'An internal error occurred.'),
};
