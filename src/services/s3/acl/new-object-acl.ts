import type { AccessRequest, Call } from '#kernel/operation.ts';
import { accountOf, nameOf } from '#kernel/caller.ts';
import { objectArn, type ObjectInput, plainObjectAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { accessDenied, aclNotSupported } from '../errors.ts';
import type { BucketRow } from '../store.ts';
import { publicAccessBlockOf } from '../public-access.ts';
import { ownedBy } from './acl-access.ts';
import { type AclGrant, isOwnersAlone, isPublicAcl, ownerGrant, type StoredAcl } from './acl.ts';
import { bucketOwnerOf, hasAcls, ownershipOf, writerOf } from './ownership.ts';
import { aclConditions, type AclMembers, namesAcl, readAclHeaders } from './read-acl.ts';

/** S3 takes WRITE in the list of a new object, where it says nothing, although the API's model does not have it there. */
export function membersOf(call: Call, input: AclMembers): AclMembers {
  const { ACL, GrantFullControl, GrantRead, GrantReadACP, GrantWriteACP } = input;
  const GrantWrite = input.GrantWrite ?? call.source.header('x-amz-grant-write');
  return { ACL, GrantFullControl, GrantRead, GrantReadACP, GrantWrite, GrantWriteACP };
}

/**
 * The right that a write needs beyond s3:PutObject where it says who else may have what it writes: to set the list of an
 * object that is its writer's.
 */
export async function newAclAccess(
  s3: S3Context,
  call: Call,
  input: ObjectInput & AclMembers,
): Promise<readonly AccessRequest[]> {
  if (!namesAcl(membersOf(call, input))) return [];
  const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
  if (!hasAcls(bucket) || call.caller.type === 'service') return [];
  const request = await plainObjectAccess(s3, call, input, 's3:PutObjectAcl', aclConditions(membersOf(call, input)));
  const writer = await writerOf(s3, call, bucket);
  if (writer.account === bucket.account) return [request];
  return [ownedBy(request, writer.account, [ownerGrant(writer.id)], 'WRITE_ACP')];
}

/**
 * Whose a new object is, and who else may have it, as its record keeps it.
 *
 * @throws ServiceError AccessControlListNotSupported, AccessDenied, and as `readAclHeaders`
 */
export async function newObjectAcl(
  s3: S3Context,
  call: Call,
  input: ObjectInput & AclMembers,
): Promise<{ readonly acl?: StoredAcl }> {
  const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
  const members = membersOf(call, input);
  if (!hasAcls(bucket)) {
    if (namesAcl(members)) await requireNothingSaid(s3, call, bucket, members);
    return {};
  }
  const bucketOwner = await bucketOwnerOf(s3, bucket);
  const isGivenUp = ownershipOf(bucket) === 'BucketOwnerPreferred' && input.ACL === 'bucket-owner-full-control';
  const owner = isGivenUp ? bucketOwner : await writerOf(s3, call, bucket);
  const said = await readAclHeaders(s3, members, { owner: owner.id, bucketOwner: bucketOwner.id });
  if (said !== undefined)
    await requireNotBlocked(s3, call, bucket, 's3:PutObject', objectArn(bucket.name, input.Key ?? ''), said);
  const acl = {
    ...(owner.account !== bucket.account && { owner }),
    ...(said !== undefined && !isOwnersAlone(said, owner.id) && { grants: said }),
  };
  return Object.keys(acl).length === 0 ? {} : { acl };
}

/**
 * Where lists have no say, only what is so can be said: that all is the bucket owner's. `private` by that owner says so too,
 * and is taken, unlike in AWS: tools of some age send it unasked.
 */
async function requireNothingSaid(s3: S3Context, call: Call, bucket: BucketRow, input: AclMembers): Promise<void> {
  if (input.ACL === 'bucket-owner-full-control') return;
  const owner = await bucketOwnerOf(s3, bucket);
  if (input.ACL === 'private' && accountOf(call.caller) === bucket.account) return;
  if (input.ACL !== undefined) throw aclNotSupported();
  const said = await readAclHeaders(s3, input, { owner: owner.id, bucketOwner: owner.id });
  if (said === undefined || !isOwnersAlone(said, owner.id)) throw aclNotSupported();
}

/** @throws ServiceError AccessDenied where the list is public, and that is blocked */
export async function requireNotBlocked(
  s3: S3Context,
  call: Call,
  bucket: Pick<BucketRow, 'account' | 'settings'>,
  action: string,
  resource: string,
  grants: readonly AclGrant[],
): Promise<void> {
  if (!isPublicAcl(grants) || !(await publicAccessBlockOf(s3, bucket)).BlockPublicAcls) return;
  throw accessDenied(
    `User: ${nameOf(call.caller)} is not authorized to perform: ${action} on resource: "${resource}" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.`,
  );
}
