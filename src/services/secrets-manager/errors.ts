import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

const BAD_REQUEST = 400;

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDeniedException', BAD_REQUEST, message);
}

export function validation(message: string): ServiceError {
  return new ServiceError('ValidationException', BAD_REQUEST, message);
}

export function invalidParameter(message: string): ServiceError {
  return new ServiceError('InvalidParameterException', BAD_REQUEST, message);
}

export function invalidRequest(message: string): ServiceError {
  return new ServiceError('InvalidRequestException', BAD_REQUEST, message);
}

function notFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', BAD_REQUEST, message);
}

export function secretNotFound(): ServiceError {
  return notFound("Secrets Manager can't find the specified secret.");
}

/** @param what such as `staging label: AWSCURRENT` */
export function valueNotFound(what: string): ServiceError {
  return notFound(`Secrets Manager can't find the specified secret value for ${what}`);
}

export function resourceExists(message: string): ServiceError {
  return new ServiceError('ResourceExistsException', BAD_REQUEST, message);
}

export function tokenInUse(token: string, arn: string): ServiceError {
  return resourceExists(
    `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${arn}.`,
  );
}

export function markedForDeletion(): ServiceError {
  return invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
}

export function replicaRefused(): ServiceError {
  return invalidRequest("Operation not permitted on a replica secret. Call must be made in primary secret's region.");
}

export function limitExceeded(message: string): ServiceError {
  return new ServiceError('LimitExceededException', BAD_REQUEST, message);
}

export function invalidNextToken(): ServiceError {
  return new ServiceError('InvalidNextTokenException', BAD_REQUEST, 'The NextToken value is invalid.');
}

export function malformedPolicy(message: string): ServiceError {
  return new ServiceError('MalformedPolicyDocumentException', BAD_REQUEST, message);
}

export function publicPolicy(): ServiceError {
  return new ServiceError(
    'PublicPolicyException',
    BAD_REQUEST,
    'The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to the secret.',
  );
}

export function encryptionFailure(): ServiceError {
  return new ServiceError(
    'EncryptionFailure',
    BAD_REQUEST,
    "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.",
  );
}

export function decryptionFailure(): ServiceError {
  return new ServiceError(
    'DecryptionFailure',
    BAD_REQUEST,
    "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
  );
}

export function kmsDenied(): ServiceError {
  return accessDenied('Access to KMS is not allowed');
}

export const secretsManagerErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => validation(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', BAD_REQUEST, message),
  internal: () => new ServiceError('InternalServiceError', 500, 'An error occurred on the server side.'),
};
