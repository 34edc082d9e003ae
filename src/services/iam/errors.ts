import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

const BAD_REQUEST = 400;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
const CONFLICT = 409;

export function noSuchEntity(message: string): ServiceError {
  return new ServiceError('NoSuchEntity', NOT_FOUND, message);
}

export function alreadyExists(message: string): ServiceError {
  return new ServiceError('EntityAlreadyExists', CONFLICT, message);
}

export function deleteConflict(message: string): ServiceError {
  return new ServiceError('DeleteConflict', CONFLICT, message);
}

export function limitExceeded(message: string): ServiceError {
  return new ServiceError('LimitExceeded', CONFLICT, message);
}

export function quotaExceeded(quota: string, limit: number): ServiceError {
  return limitExceeded(`Cannot exceed quota for ${quota}: ${limit}`);
}

export function malformedPolicy(message: string): ServiceError {
  return new ServiceError('MalformedPolicyDocument', BAD_REQUEST, message);
}

export function unmodifiableEntity(message: string): ServiceError {
  return new ServiceError('UnmodifiableEntity', BAD_REQUEST, message);
}

export function concurrentModification(message: string): ServiceError {
  return new ServiceError('ConcurrentModification', CONFLICT, message);
}

export function invalidUserType(message: string): ServiceError {
  return new ServiceError('InvalidUserType', BAD_REQUEST, message);
}

export function passwordPolicyViolation(message: string): ServiceError {
  return new ServiceError('PasswordPolicyViolation', BAD_REQUEST, message);
}

export function invalidInput(message: string): ServiceError {
  return new ServiceError('InvalidInput', BAD_REQUEST, message);
}

export function validation(message: string): ServiceError {
  return new ServiceError('ValidationError', BAD_REQUEST, message);
}

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDenied', FORBIDDEN, message);
}

export const iamErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => validation(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('MalformedInput', BAD_REQUEST, message),
  internal: () =>
    new ServiceError(
      'ServiceFailure',
      500,
      'The request processing has failed because of an unknown error, exception or failure.',
    ),
};
