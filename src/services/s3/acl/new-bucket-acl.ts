import type { CreateBucketRequest } from '@aws-sdk/client-s3';
import type { AccountId } from '#kernel/ids.ts';
import type { AccessRequest } from '#kernel/operation.ts';
import type { S3Context } from '../context.ts';
import type { BucketSettings } from '../domain/bucket-settings.ts';
import { isOwnersAlone } from './acl.ts';
import { aclWithoutOwnership } from './acl-errors.ts';
import { namesAcl, readAclHeaders } from './read-acl.ts';

/** The rights that CreateBucket needs where it says more than that there be a bucket (API reference, CreateBucket). */
export function newBucketAccess(
  input: CreateBucketRequest,
  { resource, context }: AccessRequest,
): readonly AccessRequest[] {
  const ask = (action: string): AccessRequest => ({ action, resource, ...(context !== undefined && { context }) });
  return [
    ...(namesAcl(input) && input.ACL !== 'private' ? [ask('s3:PutBucketAcl')] : []),
    ...(input.ObjectOwnership === undefined ? [] : [ask('s3:PutBucketOwnershipControls')]),
  ];
}

/**
 * Whose the objects of a new bucket are, and its access control list.
 *
 * @throws ServiceError InvalidBucketAclWithObjectOwnership, and as `readAclHeaders`
 */
export async function newBucketAcl(
  s3: S3Context,
  account: AccountId,
  input: CreateBucketRequest,
): Promise<Pick<BucketSettings, 'ownership' | 'acl'>> {
  const { ObjectOwnership: ownership = 'BucketOwnerEnforced' } = input;
  if (ownership === 'BucketOwnerEnforced') {
    if (namesAcl(input) && input.ACL !== 'private') throw aclWithoutOwnership();
    return {};
  }
  const owner = await s3.canonicalIdOf(account);
  const acl = await readAclHeaders(s3, input, { owner });
  return { ownership, ...(acl !== undefined && !isOwnersAlone(acl, owner) && { acl }) };
}
