import { AuthFailure } from '#auth/auth-failure.ts';
import type { Logger } from '#kernel/logger.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { DecodeFailure } from '#protocol/decode-failure.ts';
import { StorageFullError } from '#storage/storage-full-error.ts';
import { authError } from './auth-errors.ts';
import type { AnyService, Target } from './operations-table.ts';
import { BodyAbortedError, BodyTooLargeError } from './request-body.ts';

/** An operation of the service's API that Coffer does not have. */
export function notImplemented({ service, wire }: Target): ServiceError {
  const message = `Coffer does not implement the operation ${wire.name} of ${service.name}.`;
  return new ServiceError('NotImplemented', 501, message);
}

/** Whatever a stage threw, as the one error that the client gets. What was not foreseen is logged and told to nobody. */
export function toServiceError(
  error: unknown,
  service: Pick<AnyService, 'protocol' | 'errors'>,
  logger: Logger,
): ServiceError {
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
  if (error instanceof BodyAbortedError || isConnectionLoss(error)) {
    return isS3
      ? new ServiceError(
          'IncompleteBody',
          400,
          'You did not provide the number of bytes specified by the Content-Length HTTP header',
        )
      : service.errors.malformed('The request body did not come whole.');
  }
  if (error instanceof DecodeFailure) return service.errors.malformed(error.message, error);
  if (error instanceof StorageFullError) {
    logger.error({ err: error }, 'the storage is full: a write was refused');
    return new ServiceError('InsufficientStorage', 507, error.message);
  }
  logger.error({ err: error }, 'an operation failed for a reason that was not foreseen');
  return service.errors.internal();
}

const CONNECTION_LOSS = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE']);

function isConnectionLoss(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CONNECTION_LOSS.has(String(error.code));
}
