import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

const BAD_REQUEST = 400;
const FORBIDDEN = 403;

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDenied', FORBIDDEN, message);
}

export function validation(message: string): ServiceError {
  return new ServiceError('ValidationError', BAD_REQUEST, message);
}

export function malformedPolicy(message: string): ServiceError {
  return new ServiceError('MalformedPolicyDocument', BAD_REQUEST, message);
}

export function packedPolicyTooLarge(percent: number): ServiceError {
  const message = `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`;
  return new ServiceError('PackedPolicyTooLarge', BAD_REQUEST, message);
}

export function packedTagsTooLarge(percent: number): ServiceError {
  const message = `Packed size of session tags consumes ${percent}% of allotted space.`;
  return new ServiceError('PackedPolicyTooLarge', BAD_REQUEST, message);
}

/** What is wrong with session tags. */
export function invalidParameter(message: string): ServiceError {
  return new ServiceError('InvalidParameterValue', BAD_REQUEST, message);
}

export function invalidAuthorizationMessage(): ServiceError {
  return new ServiceError(
    'InvalidAuthorizationMessageException',
    BAD_REQUEST,
    'The message is not an authorization message of this account.',
  );
}

export function invalidIdentityToken(message: string): ServiceError {
  return new ServiceError('InvalidIdentityToken', BAD_REQUEST, message);
}

export function expiredToken(message: string): ServiceError {
  return new ServiceError('ExpiredTokenException', BAD_REQUEST, message);
}

export function idpRejectedClaim(message: string): ServiceError {
  return new ServiceError('IDPRejectedClaim', FORBIDDEN, message);
}

/** What went wrong is the operator's to know: who brings a token learns nothing of the network. */
export function idpCommunicationError(cause: Error): ServiceError {
  const message = "The identity provider's keys could not be read. Try again in a moment.";
  return new ServiceError('IDPCommunicationError', BAD_REQUEST, message, { cause });
}

/** A member that is not carried out. */
export function unsupportedMember(name: string): ServiceError {
  return validation(`The parameter ${name} is not supported.`);
}

export const stsErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => validation(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('MalformedInput', BAD_REQUEST, message),
  internal: () =>
    new ServiceError(
      'InternalFailure',
      500,
      'The request processing has failed because of an unknown error, exception or failure.',
    ),
};
