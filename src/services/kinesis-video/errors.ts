import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDeniedException', 403, message);
}

export function invalidArgument(message: string): ServiceError {
  return new ServiceError('InvalidArgumentException', 400, message);
}

export function invalidPageToken(): ServiceError {
  return invalidArgument('NextToken is not a token of this list.');
}

export function streamNotFound(): ServiceError {
  return new ServiceError('ResourceNotFoundException', 404, 'The requested stream is not found or not active.');
}

export function resourceInUse(message: string): ServiceError {
  return new ServiceError('ResourceInUseException', 400, message);
}

export function versionMismatch(given: string): ServiceError {
  return new ServiceError(
    'VersionMismatchException',
    400,
    `${given} is not the latest version of the stream. DescribeStream tells the latest one.`,
  );
}

export function tooManyTags(limit: number): ServiceError {
  return new ServiceError('TagsPerResourceExceededLimitException', 400, `A stream has at most ${limit} tags.`);
}

export function noDataRetention(): ServiceError {
  return new ServiceError('NoDataRetentionException', 400, 'The stream retains no data: its retention is 0 hours.');
}

export const kinesisVideoErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => invalidArgument(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', 400, message),
  internal: () => new ServiceError('InternalFailure', 500, 'An internal error occurred.'),
};
