import type { ServiceErrors, Violation } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';

type Members = Readonly<Record<string, unknown>>;

export function s3Error(code: string, status: number, message: string, members: Members = {}): ServiceError {
  return new ServiceError(code, status, message, { members });
}

export function noSuchBucket(bucket: string): ServiceError {
  return s3Error('NoSuchBucket', 404, 'The specified bucket does not exist', { BucketName: bucket });
}

export function noSuchKey(key: string): ServiceError {
  return s3Error('NoSuchKey', 404, 'The specified key does not exist.', { Key: key });
}

export function noSuchVersion(key: string, versionId: string): ServiceError {
  return s3Error('NoSuchVersion', 404, 'The specified version does not exist.', { Key: key, VersionId: versionId });
}

/** The newest version of the key is a delete marker. */
export function hiddenKey(key: string, versionId: string): ServiceError {
  return new ServiceError('NoSuchKey', 404, 'The specified key does not exist.', {
    members: { Key: key },
    headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': versionId },
  });
}

/** The version that a request wants to read is a delete marker. */
export function markerNotReadable(versionId: string, modifiedAt: number): ServiceError {
  return new ServiceError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    members: { Method: 'GET', ResourceType: 'DeleteMarker' },
    headers: {
      'x-amz-delete-marker': 'true',
      'x-amz-version-id': versionId,
      'last-modified': new Date(modifiedAt).toUTCString(),
      allow: 'DELETE',
    },
  });
}

export function noSuchUpload(uploadId: string): ServiceError {
  return s3Error(
    'NoSuchUpload',
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: uploadId },
  );
}

export function accessDenied(message = 'Access Denied'): ServiceError {
  return s3Error('AccessDenied', 403, message);
}

export function invalidArgument(message: string, name?: string, value?: string): ServiceError {
  const members = { ...(name && { ArgumentName: name }), ...(value !== undefined && { ArgumentValue: value }) };
  return s3Error('InvalidArgument', 400, message, members);
}

export function invalidRequest(message: string): ServiceError {
  return s3Error('InvalidRequest', 400, message);
}

/** A header or member that Coffer does not carry out. */
export function notImplemented(name: string): ServiceError {
  return s3Error(
    'NotImplemented',
    501,
    `A header or setting you provided implies functionality that is not implemented: ${name}`,
    {
      Header: name,
    },
  );
}

export function malformedXml(): ServiceError {
  return s3Error(
    'MalformedXML',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

export function illegalVersioning(): ServiceError {
  return s3Error('IllegalVersioningConfigurationException', 400, 'The Versioning element must be specified');
}

export function malformedPolicy(message: string): ServiceError {
  return s3Error('MalformedPolicy', 400, message);
}

export function invalidBucketName(bucket: string): ServiceError {
  return s3Error('InvalidBucketName', 400, 'The specified bucket is not valid.', { BucketName: bucket });
}

export function bucketAlreadyExists(bucket: string): ServiceError {
  return s3Error(
    'BucketAlreadyExists',
    409,
    'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
    { BucketName: bucket },
  );
}

export function bucketAlreadyOwnedByYou(bucket: string): ServiceError {
  return s3Error(
    'BucketAlreadyOwnedByYou',
    409,
    'Your previous request to create the named bucket succeeded and you already own it.',
    { BucketName: bucket },
  );
}

export function bucketNotEmpty(bucket: string): ServiceError {
  return s3Error('BucketNotEmpty', 409, 'The bucket you tried to delete is not empty', { BucketName: bucket });
}

export function illegalLocationConstraint(constraint: string | undefined): ServiceError {
  return s3Error(
    'IllegalLocationConstraintException',
    400,
    `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

export function invalidLocationConstraint(constraint: string): ServiceError {
  return s3Error('InvalidLocationConstraint', 400, 'The specified location-constraint is not valid', {
    LocationConstraint: constraint,
  });
}

export function keyTooLong(size: number): ServiceError {
  return s3Error('KeyTooLongError', 400, 'Your key is too long', { Size: String(size), MaxSizeAllowed: '1024' });
}

export function metadataTooLarge(size: number): ServiceError {
  return s3Error('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size', {
    Size: String(size),
    MaxSizeAllowed: '2048',
  });
}

export function badDigest(what: string): ServiceError {
  return s3Error('BadDigest', 400, `The ${what} you specified did not match the calculated checksum.`);
}

export function badContentMd5(): ServiceError {
  return s3Error('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.');
}

export function invalidDigest(value: string): ServiceError {
  return s3Error('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', { 'Content-MD5': value });
}

export function incompleteBody(): ServiceError {
  return s3Error(
    'IncompleteBody',
    400,
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );
}

export function missingContentLength(): ServiceError {
  return s3Error('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.');
}

export function entityTooLarge(size: number, limit: number): ServiceError {
  return s3Error('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
    ProposedSize: String(size),
    MaxSizeAllowed: String(limit),
  });
}

export function entityTooSmall(partNumber: number, size: number, etag: string): ServiceError {
  return s3Error('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
    PartNumber: String(partNumber),
    ProposedSize: String(size),
    MinSizeAllowed: String(5 * 1024 * 1024),
    ETag: etag,
  });
}

/** A form's file, against the range of its policy. */
export function formTooSmall(size: number, limit: number): ServiceError {
  return s3Error('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
    ProposedSize: String(size),
    MinSizeAllowed: String(limit),
  });
}

export function invalidPart(partNumber?: number, etag?: string, uploadId?: string): ServiceError {
  return s3Error(
    'InvalidPart',
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    {
      ...(uploadId !== undefined && { UploadId: uploadId }),
      ...(partNumber !== undefined && { PartNumber: String(partNumber) }),
      ...(etag !== undefined && { ETag: etag }),
    },
  );
}

export function invalidPartOrder(uploadId: string): ServiceError {
  return s3Error(
    'InvalidPartOrder',
    400,
    'The list of parts was not in ascending order. Parts must be ordered by part number.',
    { UploadId: uploadId },
  );
}

export function invalidPartNumber(partNumber: number, actualCount: number): ServiceError {
  return s3Error('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable', {
    PartNumberRequested: String(partNumber),
    ActualPartCount: String(actualCount),
  });
}

export function invalidRange(range: string, size: number): ServiceError {
  return new ServiceError('InvalidRange', 416, 'The requested range is not satisfiable', {
    members: { RangeRequested: range, ActualObjectSize: String(size) },
    headers: { 'Content-Range': `bytes */${size}` },
  });
}

export function preconditionFailed(condition: string): ServiceError {
  return s3Error('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });
}

/** An answer rather than an error: 304 without a body. */
export function notModified(headers: Readonly<Record<string, string>>): ServiceError {
  return new ServiceError('NotModified', 304, 'Not Modified', { headers });
}

export function notFoundConfiguration(code: string, message: string, bucket: string): ServiceError {
  return s3Error(code, 404, message, { BucketName: bucket });
}

/** A preflight that does not say what it asks. */
export function corsBadRequest(message: string): ServiceError {
  return s3Error('BadRequest', 400, message);
}

/** The refusal of a preflight. */
export function corsForbidden(
  message: string,
  about: { readonly method: string; readonly resourceType: string },
): ServiceError {
  const members = { Method: about.method, ResourceType: about.resourceType };
  return s3Error('AccessForbidden', 403, `CORSResponse: ${message}`, members);
}

/** The bucket that is to get the log of another. */
export function invalidLoggingTarget(message: string, target: string): ServiceError {
  return s3Error('InvalidTargetBucketForLogging', 400, message, { TargetBucket: target });
}

export function crossLocationLogging(source: string, target: string): ServiceError {
  // AWS's spelling.
  return s3Error('CrossLocationLoggingProhibitted', 403, 'Cross S3 location logging not allowed. ', {
    SourceBucketLocation: source,
    TargetBucketLocation: target,
  });
}

export function invalidConfigurationId(): ServiceError {
  return s3Error('InvalidConfigurationId', 400, 'The specified configuration id is invalid.');
}

export function noSuchConfiguration(bucket: string): ServiceError {
  return s3Error('NoSuchConfiguration', 404, 'The specified configuration does not exist.', { BucketName: bucket });
}

export function tooManyConfigurations(): ServiceError {
  return s3Error(
    'TooManyConfigurations',
    400,
    'You are attempting to create a new configuration but have already reached the 1,000-configuration limit.',
  );
}

export function invalidInventoryDestination(): ServiceError {
  return s3Error('InvalidS3DestinationBucket', 400, 'The destination bucket is not valid.');
}

export function noSuchWebsite(bucket: string): ServiceError {
  return notFoundConfiguration(
    'NoSuchWebsiteConfiguration',
    'The specified bucket does not have a website configuration',
    bucket,
  );
}

export function methodNotAllowed(method: string, resourceType: string): ServiceError {
  return s3Error('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    Method: method,
    ResourceType: resourceType,
  });
}

export function invalidBucketState(message: string): ServiceError {
  return s3Error('InvalidBucketState', 409, message);
}

export function idempotencyMismatch(): ServiceError {
  return s3Error(
    'IdempotencyParameterMismatch',
    400,
    'Parameters on this idempotent request are inconsistent with parameters used in previous request(s).',
  );
}

export function operationAborted(): ServiceError {
  return s3Error(
    'OperationAborted',
    409,
    'A conflicting conditional operation is currently in progress against this resource. Please try again.',
  );
}

export function invalidRetentionPeriod(message: string): ServiceError {
  return s3Error('InvalidRetentionPeriod', 400, message);
}

/** The bucket has no object lock. */
export function lockMissing(): ServiceError {
  return invalidRequest('Bucket is missing Object Lock Configuration');
}

/** The object has no retention, or no legal hold. */
export function noSuchLock(): ServiceError {
  return s3Error('NoSuchObjectLockConfiguration', 404, 'The specified object does not have a ObjectLock configuration');
}

export function invalidRedirectLocation(): ServiceError {
  return s3Error(
    'InvalidRedirectLocation',
    400,
    "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
  );
}

export function malformedAcl(): ServiceError {
  return s3Error(
    'MalformedACLError',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

export function aclNotSupported(): ServiceError {
  return s3Error('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs');
}

export function invalidTag(message: string): ServiceError {
  return s3Error('InvalidTag', 400, message);
}

function invalidStorageClass(): ServiceError {
  return s3Error('InvalidStorageClass', 400, 'The storage class you specified is not valid');
}

export function internalError(cause?: unknown): ServiceError {
  return new ServiceError('InternalError', 500, 'We encountered an internal error. Please try again.', { cause });
}

/** Broken constraints, each in the words that S3 has for the header or element. */
function validation(violations: readonly Violation[]): ServiceError {
  const violation = violations[0];
  if (violation === undefined) return internalError();
  const name = violation.path.join('.');
  const value = typeof violation.value === 'string' ? violation.value : undefined;
  if (/^x-amz-server-side-encryption$/i.test(name)) {
    return invalidArgument('The encryption method specified is not supported', name, value);
  }
  if (/storage-class$/i.test(name)) return invalidStorageClass();
  if (/^x-amz-.*attributes$/.test(String(violation.path[0]))) {
    return invalidArgument('Invalid attribute name specified.', String(violation.path[0]), value);
  }
  if (/^AccessControlPolicy[.]/.test(name)) return malformedAcl();
  // Regions come that the model does not know yet: where one would lie decides who looks at it, not the document.
  if (name.endsWith('LocationConstraint')) return invalidLocationConstraint(value ?? '');
  // Members with a dot lie in an XML document, the others come from headers and the query.
  if (violation.path.length > 1) return malformedXml();
  // Members that are not bound to a header or the query are the document itself.
  if (violation.kind === 'required' && /^[A-Z]/.test(name)) {
    return s3Error('MissingRequestBodyError', 400, 'Request Body is empty');
  }
  if (violation.kind === 'required') return invalidRequest(`Missing required parameter: ${name}`);
  if (name === 'encoding-type') return invalidArgument('Invalid Encoding Method specified in Request', name, value);
  return invalidArgument(`Invalid value for ${name}`, name, value);
}

export const s3Errors: ServiceErrors = {
  accessDenied,
  validation,
  malformed: malformedXml,
  internal: internalError,
};
