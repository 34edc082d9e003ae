import { AuthFailure } from '#auth/auth-failure.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Service } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { StorageFullError } from '#storage/storage-full-error.ts';
import { authError } from './auth-errors.ts';
import { BodyAbortedError, BodyTooLargeError } from './request-body.ts';

/** An operation of the service's API that Coffer does not have. */
export function notImplemented(service: Service, operation: string): ServiceError {
  const message = `Coffer does not implement ${service.name}:${operation}.`;
  return new ServiceError('NotImplemented', 501, message);
}

/** Whatever a stage threw, as the one error that the client gets. What was not foreseen is logged and told to nobody. */
export function toServiceError(error: unknown, service: Service, logger: Logger): ServiceError {
  if (error instanceof ServiceError) {
    if (error.status >= 500 && error.cause !== undefined) logger.error({ err: error.cause }, error.message);
    return error;
  }
  if (error instanceof AuthFailure) return authError(error, service.protocol);
  const isS3 = service.protocol === 'restXml';
  if (error instanceof BodyTooLargeError) {
    return isS3
      ? new ServiceError('MaxMessageLengthExceeded', 400, 'Your request was too big.')
      : new ServiceError('RequestEntityTooLargeException', 413, 'The request body is too large.');
  }
  if (error instanceof BodyAbortedError) {
    return isS3
      ? new ServiceError(
          'IncompleteBody',
          400,
          'You did not provide the number of bytes specified by the Content-Length HTTP header',
        )
      : service.errors.malformed('The request body did not come whole.');
  }
  if (error instanceof StorageFullError) {
    logger.error({ err: error }, 'the storage is full: a write was refused');
    return new ServiceError('InsufficientStorage', 507, error.message);
  }
  logger.error({ err: error }, 'an operation failed for a reason that was not foreseen');
  return service.errors.internal();
}
