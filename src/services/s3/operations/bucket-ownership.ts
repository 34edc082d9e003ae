import {
  GetBucketOwnershipControls$,
  type GetBucketOwnershipControlsOutput,
  type GetBucketOwnershipControlsRequest,
  PutBucketAcl$,
  type PutBucketAclRequest,
  PutBucketOwnershipControls$,
  type PutBucketOwnershipControlsRequest,
  PutObjectAcl$,
  type PutObjectAclOutput,
  type PutObjectAclRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess, existingObjectAccess, requireObject } from '../access.ts';
import type { S3Context } from '../context.ts';
import { aclNotSupported, malformedXml, notImplemented } from '../errors.ts';

// Buckets are their owner's with all that is in them: what AWS calls BucketOwnerEnforced, and gives every new bucket.

export const putBucketOwnershipControls = operation<
  S3Context,
  PutBucketOwnershipControlsRequest,
  Record<string, never>
>(PutBucketOwnershipControls$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketOwnershipControls')],
  handle(input) {
    const [rule, ...others] = input.OwnershipControls?.Rules ?? [];
    if (rule?.ObjectOwnership === undefined || others.length > 0) throw malformedXml();
    if (rule.ObjectOwnership !== 'BucketOwnerEnforced')
      throw notImplemented(`ObjectOwnership: ${rule.ObjectOwnership}`);
    return {};
  },
});

export const getBucketOwnershipControls = operation<
  S3Context,
  GetBucketOwnershipControlsRequest,
  GetBucketOwnershipControlsOutput
>(GetBucketOwnershipControls$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketOwnershipControls')],
  handle: () => ({ OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }),
});

export const putBucketAcl = operation<S3Context, PutBucketAclRequest, Record<string, never>>(PutBucketAcl$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [
    await bucketAccess(s3, call, input, 's3:PutBucketAcl', { 's3:x-amz-acl': input.ACL }),
  ],
  handle() {
    throw aclNotSupported();
  },
});

export const putObjectAcl = operation<S3Context, PutObjectAclRequest, PutObjectAclOutput>(PutObjectAcl$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [
    await existingObjectAccess(s3, call, input, 's3:PutObjectAcl', { 's3:x-amz-acl': input.ACL }),
  ],
  async handle(input, call, s3) {
    await requireObject(s3, call, input);
    throw aclNotSupported();
  },
});
