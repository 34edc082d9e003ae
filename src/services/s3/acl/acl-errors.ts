import type { ServiceError } from '#kernel/service-error.ts';
import { s3Error } from '../errors.ts';

/** A request for a list that names none, neither in its headers nor in its body. */
export function missingAcl(): ServiceError {
  return s3Error('MissingSecurityHeader', 400, 'Your request was missing a required header', {
    MissingHeaderName: 'x-amz-acl',
  });
}

export function unexpectedContent(): ServiceError {
  return s3Error('UnexpectedContent', 400, 'This request does not support content');
}

/** AWS takes no e-mail addresses as grantees since October 2025 (API reference, PutObjectAcl). */
export function emailGrantee(): ServiceError {
  return s3Error('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    ResourceType: 'AmazonCustomerByEmail',
  });
}

/** The bucket's list names others than its owner, or is to, where lists have no say. */
export function aclWithoutOwnership(): ServiceError {
  return s3Error(
    'InvalidBucketAclWithObjectOwnership',
    400,
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
  );
}
