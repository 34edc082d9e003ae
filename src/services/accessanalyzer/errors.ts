import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

type Reason = 'unknownOperation' | 'cannotParse' | 'fieldValidationFailed' | 'other' | 'notSupported';

export function validation(message: string, reason: Reason): ServiceError {
  return new ServiceError('ValidationException', 400, message, { members: { reason } });
}

export const accessAnalyzerErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('AccessDeniedException', 403, message),
  validation: (violations) => validation(validationErrorMessage(violations), 'fieldValidationFailed'),
  malformed: (message) => validation(message, 'cannotParse'),
  internal: () => new ServiceError('InternalServerException', 500, 'An internal error occurred.'),
};
