import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';
import { invalidValueMessage } from './domain/invalid-value-message.ts';

const BAD_REQUEST = 400;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
const CONFLICT = 409;
const GONE = 410;

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

export function malformedCertificate(message: string): ServiceError {
  return new ServiceError('MalformedCertificate', BAD_REQUEST, message);
}

export function invalidCertificate(message: string): ServiceError {
  return new ServiceError('InvalidCertificate', BAD_REQUEST, message);
}

export function keyPairMismatch(message: string): ServiceError {
  return new ServiceError('KeyPairMismatch', BAD_REQUEST, message);
}

export function duplicateCertificate(message: string): ServiceError {
  return new ServiceError('DuplicateCertificate', CONFLICT, message);
}

export function invalidPublicKey(message: string): ServiceError {
  return new ServiceError('InvalidPublicKey', BAD_REQUEST, message);
}

export function duplicateSshPublicKey(message: string): ServiceError {
  return new ServiceError('DuplicateSSHPublicKey', BAD_REQUEST, message);
}

export function reportNotPresent(message: string): ServiceError {
  return new ServiceError('ReportNotPresent', GONE, message);
}

export function reportExpired(message: string): ServiceError {
  return new ServiceError('ReportExpired', GONE, message);
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

export function invalidAuthenticationCode(message: string): ServiceError {
  return new ServiceError('InvalidAuthenticationCode', FORBIDDEN, message);
}

/** As for credentials that are none: IAM does not say more to sessions that it takes nothing from. */
export function invalidClientToken(): ServiceError {
  const message = 'The security token included in the request is invalid';
  return new ServiceError('InvalidClientTokenId', FORBIDDEN, message);
}

export function validation(message: string): ServiceError {
  return new ServiceError('ValidationError', BAD_REQUEST, message);
}

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDenied', FORBIDDEN, message);
}

export const iamErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => validation(invalidValueMessage(violations) ?? validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('MalformedInput', BAD_REQUEST, message),
  internal: () =>
    new ServiceError(
      'ServiceFailure',
      500,
      'The request processing has failed because of an unknown error, exception or failure.',
    ),
};
