import type { Permission } from '@aws-sdk/client-s3';
import { accountOf } from '#kernel/caller.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { AccessRequest, Call } from '#kernel/operation.ts';
import type { S3Context } from '../context.ts';
import { checkVersionId } from '../domain/version.ts';
import type { StoredObject } from '../objects.ts';
import type { BucketRow } from '../store.ts';
import { publicAccessBlockOf } from '../public-access.ts';
import { type AclGrant, ANONYMOUS_ID, ANONYMOUS_OWNER, granteesOf, isPublicAcl, type Owner } from './acl.ts';
import { bucketGrants, hasAcls, objectGrants, ownerOf } from './ownership.ts';

/**
 * INVARIANT: this is all that an access control list allows; what stands in neither table nor below them, no list allows
 * (S3 user guide, "Mapping of ACL permissions and access policy permissions").
 */
const OF_BUCKETS: Readonly<Record<string, Permission>> = {
  's3:ListBucket': 'READ',
  's3:ListBucketVersions': 'READ',
  's3:ListBucketMultipartUploads': 'READ',
  's3:GetBucketAcl': 'READ_ACP',
  's3:PutBucketAcl': 'WRITE_ACP',
};
const OF_OBJECTS: Readonly<Record<string, Permission>> = {
  's3:GetObject': 'READ',
  's3:GetObjectVersion': 'READ',
  's3:GetObjectAcl': 'READ_ACP',
  's3:GetObjectVersionAcl': 'READ_ACP',
  's3:PutObjectAcl': 'WRITE_ACP',
  's3:PutObjectVersionAcl': 'WRITE_ACP',
};
/** The permission in a list of a bucket or object that allows an action. */
export function allowedByAcl(kind: 'bucket' | 'object', action: string): Permission | undefined {
  return kind === 'bucket' ? OF_BUCKETS[action] : OF_OBJECTS[action];
}

/** What the bucket's owner may do with objects of others only as far as they let it, beyond what lists know. */
const OWNERS_ALONE: ReadonlySet<string> = new Set(['s3:GetObjectAttributes', 's3:GetObjectVersionAttributes']);

/** What who began an upload may do with it, as long as they may write (S3 user guide, "Multipart upload and permissions"). */
const OF_UPLOADS: ReadonlySet<string> = new Set(['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts']);

interface Place {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly UploadId?: string | undefined;
}

/** Adds to a question about a bucket, or what is in it, what access control lists have to say to it. */
export function withAcl(
  s3: S3Context,
  call: Call,
  bucket: BucketRow,
  request: AccessRequest,
  place?: Place,
): AccessRequest | Promise<AccessRequest> {
  if (!hasAcls(bucket)) return request;
  return place === undefined ? withBucketAcl(s3, bucket, request) : withObjectAcl(s3, call, bucket, request, place);
}

async function withBucketAcl(s3: S3Context, bucket: BucketRow, request: AccessRequest): Promise<AccessRequest> {
  const permission = allowedByAcl('bucket', request.action);
  return permission === undefined ? request : allowing(request, await heardBucketGrants(s3, bucket), permission);
}

async function withObjectAcl(
  s3: S3Context,
  call: Call,
  bucket: BucketRow,
  request: AccessRequest,
  place: Place,
): Promise<AccessRequest> {
  const { action } = request;
  const { Key: key = '', VersionId: version } = place;
  if (OF_UPLOADS.has(action)) return await withUploadAcl(s3, call, bucket, request, place);
  const permission = allowedByAcl('object', action);
  const isWrite = action === 's3:PutObject' || action === 's3:DeleteObject';
  if (permission === undefined && !isWrite && !OWNERS_ALONE.has(action)) return request;
  const object = await s3.scope.object(call, bucket.name, key, checkVersionId(version));
  if (isWrite) return await withBucketWrite(s3, call, bucket, request, object);
  if (object === undefined) {
    // Who may list the bucket may learn that there is nothing to read.
    return permission === 'READ' ? allowing(request, await heardBucketGrants(s3, bucket), 'READ') : request;
  }
  const owner = await ownerOf(s3, bucket, object.facts);
  const grants = await heard(s3, bucket, await objectGrants(s3, bucket, object.facts));
  if (owner.account !== bucket.account) return ownedBy(request, owner.account, grants, permission);
  return permission === undefined ? request : allowing(request, grants, permission);
}

async function withUploadAcl(
  s3: S3Context,
  call: Call,
  bucket: BucketRow,
  request: AccessRequest,
  { Key: key, UploadId: id = '' }: Place,
): Promise<AccessRequest> {
  const row = await s3.store.findUpload(id);
  if (row === undefined || row.bucket !== bucket.name || row.key !== key) return request;
  const isOwn = isCallers(call, await ownerOf(s3, bucket, s3.uploads.check(row).facts));
  return isOwn ? allowing(request, await heardBucketGrants(s3, bucket), 'WRITE') : request;
}

function isCallers(call: Call, owner: Owner): boolean {
  return owner.account === (accountOf(call.caller) ?? ANONYMOUS_OWNER.account);
}

/**
 * WRITE on a bucket lets others make new objects, and write over and remove those that are theirs (API reference,
 * PutBucketAcl, `GrantWrite`).
 */
async function withBucketWrite(
  s3: S3Context,
  call: Call,
  bucket: BucketRow,
  request: AccessRequest,
  object: StoredObject | undefined,
): Promise<AccessRequest> {
  const isNew = object === undefined && request.action === 's3:PutObject';
  const isOwn = object !== undefined && isCallers(call, await ownerOf(s3, bucket, object.facts));
  return isNew || isOwn ? allowing(request, await heardBucketGrants(s3, bucket), 'WRITE') : request;
}

/**
 * A question about an object that is not the bucket owner's: its owner's account decides and its list, and of the bucket's
 * policy is heard only what it denies (S3 user guide, "How Amazon S3 authorizes a request for an object operation").
 */
export function ownedBy(
  request: AccessRequest,
  account: AccountId,
  grants: readonly AclGrant[],
  permission: Permission | undefined,
): AccessRequest {
  const { resourcePolicy, resource, resourceAccount, acl: _, ...rest } = request;
  return {
    ...rest,
    resource,
    resourceAccount: account,
    ...(resourceAccount !== undefined && { placeAccount: resourceAccount }),
    ...(resourcePolicy !== undefined && { resourcePolicy: { ...resourcePolicy, isDenyOnly: true } }),
    ...(permission !== undefined && { acl: { name: resource, grantees: granteesOf(grants, permission) } }),
  };
}

function allowing(request: AccessRequest, grants: readonly AclGrant[], permission: Permission): AccessRequest {
  return { ...request, acl: { name: request.resource, grantees: granteesOf(grants, permission) } };
}

async function heardBucketGrants(s3: S3Context, bucket: BucketRow): Promise<readonly AclGrant[]> {
  return await heard(s3, bucket, await bucketGrants(s3, bucket));
}

/** Where public lists are ignored, one that is public says nothing to anybody: its owner needs none. */
async function heard(s3: S3Context, bucket: BucketRow, grants: readonly AclGrant[]): Promise<readonly AclGrant[]> {
  const isPublic = isPublicAcl(grants) || grants.some(({ to }) => to === ANONYMOUS_ID);
  return isPublic && (await publicAccessBlockOf(s3, bucket)).IgnorePublicAcls ? [] : grants;
}
