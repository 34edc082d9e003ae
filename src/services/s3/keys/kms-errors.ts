import { ServiceError } from '#kernel/service-error.ts';
import { accessDenied } from '../errors.ts';

const STATUS = 400;

/**
 * KMS's errors as S3 passes them on when it writes: the code with `KMS.` before it, a refusal as AccessDenied with
 * KMS's own message.
 */
export function kmsErrorOnWrite(error: unknown): unknown {
  if (!(error instanceof ServiceError)) return error;
  switch (error.code) {
    case 'AccessDeniedException':
      // With KMS's authorization message.
      return new ServiceError('AccessDenied', 403, error.message, { headers: error.headers });
    case 'NotFoundException':
    case 'DisabledException':
    case 'InvalidKeyUsageException':
    case 'KeyUnavailableException':
      return new ServiceError(`KMS.${error.code}`, STATUS, error.message, { cause: error });
    case 'KMSInvalidStateException':
      return new ServiceError('KMS.KMSInvalidStateException', STATUS, error.message, { cause: error });
    case 'InvalidArnException':
    case 'ValidationException':
      return new ServiceError('KMS.NotFoundException', STATUS, error.message, { cause: error });
    default:
      return error;
  }
}

/** KMS's errors as S3 passes them on when it reads. */
export function kmsErrorOnRead(error: unknown): unknown {
  if (!(error instanceof ServiceError)) return error;
  switch (error.code) {
    case 'DisabledException':
    case 'KMSInvalidStateException':
    case 'AccessDeniedException':
      return kmsErrorOnWrite(error);
    case 'NotFoundException':
    case 'IncorrectKeyException':
    case 'InvalidArnException':
      return accessDenied(
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      );
    default:
      return error;
  }
}
