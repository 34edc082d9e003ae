import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export function invalidLookupAttributes(message: string): ServiceError {
  return new ServiceError('InvalidLookupAttributesException', 400, message);
}

export function invalidTimeRange(): ServiceError {
  return new ServiceError('InvalidTimeRangeException', 400, 'The start time must be before the end time.');
}

export function invalidNextToken(): ServiceError {
  return new ServiceError('InvalidNextTokenException', 400, 'The NextToken is invalid or belongs to other parameters.');
}

export function unsupported(message: string): ServiceError {
  return new ServiceError('UnsupportedOperationException', 400, message);
}

export const cloudTrailErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('AccessDeniedException', 400, message),
  validation: (violations) => new ServiceError('ValidationException', 400, validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', 400, message),
  internal: () =>
    new ServiceError('InternalFailure', 500, 'The request processing has failed because of an unknown error.'),
};
