import type { ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';

const BAD_REQUEST = 400;

export function notFound(message: string): ServiceError {
  return new ServiceError('NotFoundException', BAD_REQUEST, message);
}

export function keyNotFound(keyArn: string): ServiceError {
  return notFound(`Key '${keyArn}' does not exist`);
}

export function aliasNotFound(aliasArn: string): ServiceError {
  return notFound(`Alias ${aliasArn} is not found.`);
}

export function invalidArn(message: string): ServiceError {
  return new ServiceError('InvalidArnException', BAD_REQUEST, message);
}

export function disabled(keyArn: string): ServiceError {
  return new ServiceError('DisabledException', BAD_REQUEST, `${keyArn} is disabled.`);
}

export function invalidState(keyArn: string, what: string): ServiceError {
  return new ServiceError('KMSInvalidStateException', BAD_REQUEST, `${keyArn} ${what}.`);
}

/** One error for every reason: nothing is told about why a ciphertext does not open. */
export function invalidCiphertext(): ServiceError {
  return new ServiceError('InvalidCiphertextException', BAD_REQUEST, '');
}

export function incorrectKey(): ServiceError {
  return new ServiceError(
    'IncorrectKeyException',
    BAD_REQUEST,
    'The key ID in the request does not identify a CMK that can perform this operation.',
  );
}

export function validation(message: string): ServiceError {
  return new ServiceError('ValidationException', BAD_REQUEST, message);
}

export function unsupported(message: string): ServiceError {
  return new ServiceError('UnsupportedOperationException', BAD_REQUEST, message);
}

export function invalidKeyUsage(message: string): ServiceError {
  return new ServiceError('InvalidKeyUsageException', BAD_REQUEST, message);
}

export function incompatibleAlgorithm(algorithm: string, spec: string): ServiceError {
  return invalidKeyUsage(`Algorithm ${algorithm} is incompatible with key spec ${spec}.`);
}

/** One error for every signature that is not the key's, whatever is wrong with it. */
export function invalidSignature(): ServiceError {
  return new ServiceError('KMSInvalidSignatureException', BAD_REQUEST, '');
}

export function invalidMac(): ServiceError {
  return new ServiceError('KMSInvalidMacException', BAD_REQUEST, '');
}

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDeniedException', BAD_REQUEST, message);
}

export function invalidAliasName(message: string): ServiceError {
  return new ServiceError('InvalidAliasNameException', BAD_REQUEST, message);
}

export function alreadyExists(message: string): ServiceError {
  return new ServiceError('AlreadyExistsException', BAD_REQUEST, message);
}

export function limitExceeded(message: string): ServiceError {
  return new ServiceError('LimitExceededException', BAD_REQUEST, message);
}

export function incorrectKeyMaterial(message: string): ServiceError {
  return new ServiceError('IncorrectKeyMaterialException', BAD_REQUEST, message);
}

export function invalidImportToken(): ServiceError {
  return new ServiceError('InvalidImportTokenException', BAD_REQUEST, 'The import token is not one of this key.');
}

export function expiredImportToken(): ServiceError {
  return new ServiceError('ExpiredImportTokenException', BAD_REQUEST, 'The import token has expired.');
}

export function conflict(message: string): ServiceError {
  return new ServiceError('ConflictException', BAD_REQUEST, message);
}

export function invalidMarker(): ServiceError {
  return new ServiceError('InvalidMarkerException', BAD_REQUEST, 'Could not deserialize marker');
}

export function malformedPolicy(message: string): ServiceError {
  return new ServiceError('MalformedPolicyDocumentException', BAD_REQUEST, message);
}

export function invalidTag(message: string): ServiceError {
  return new ServiceError('TagException', BAD_REQUEST, message);
}

export function invalidGrantToken(): ServiceError {
  return new ServiceError('InvalidGrantTokenException', BAD_REQUEST, 'Invalid grant token');
}

/** @param id of a form that no grant's id has */
export function invalidGrantId(id: string): ServiceError {
  return new ServiceError('InvalidGrantIdException', BAD_REQUEST, `Invalid grant ID ${id}`);
}

export function grantNotFound(id: string): ServiceError {
  return notFound(`Grant ID ${id} not found`);
}

/** Of the settings of an external key store: nothing is asked of its proxy with them. */
export function customKeyStoreError(code: CustomKeyStoreErrorCode, message: string): ServiceError {
  return new ServiceError(code, BAD_REQUEST, message);
}

type CustomKeyStoreErrorCode =
  | 'CustomKeyStoreNotFoundException'
  | 'CustomKeyStoreNameInUseException'
  | 'CustomKeyStoreInvalidStateException'
  | 'CustomKeyStoreHasCMKsException'
  | 'XksProxyUriInUseException'
  | 'XksKeyAlreadyInUseException';

/** The answer to a dry run that would have worked. One for all: it says nothing of the call, and is thrown often. */
export const DRY_RUN_SUCCEEDED = new ServiceError(
  'DryRunOperationException',
  412,
  'The request would have succeeded, but the DryRun option is set.',
);

export const kmsErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => validation(validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('SerializationException', BAD_REQUEST, message),
  internal: () =>
    new ServiceError('KMSInternalException', 500, 'The request was rejected because an internal exception occurred.'),
};
