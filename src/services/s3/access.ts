import { accountOf } from '#kernel/caller.ts';
import { formatArn } from '#kernel/arn.ts';
import type { Authority } from '#kernel/door.ts';
import type { AccessRequest, Call, ConditionContext, ResourcePolicy } from '#kernel/operation.ts';
import { withAcl } from './acl/acl-access.ts';
import type { S3Context } from './context.ts';
import type { EncryptionMembers } from './domain/encryption-choice.ts';
import { isPublicPolicy } from './domain/bucket-policy.ts';
import { settingsOf, versioningOf } from './domain/bucket-settings.ts';
import { checkVersionId, versionText } from './domain/version.ts';
import { accessDenied, hiddenKey, markerNotReadable, noSuchKey, noSuchVersion } from './errors.ts';
import { type StoredObject, versionOf } from './objects.ts';
import { publicAccessBlockOf } from './public-access.ts';
import type { BucketRow } from './store.ts';

export function bucketArn(bucket: string): string {
  return formatArn({ service: 's3', resource: bucket });
}

export function objectArn(bucket: string, key: string): string {
  return formatArn({ service: 's3', resource: `${bucket}/${key}` });
}

/** What every S3 request that names a bucket has. */
export interface BucketInput {
  readonly Bucket: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

export interface ObjectInput extends BucketInput {
  readonly Key: string | undefined;
}

/** What every S3 request has that may name a version of an object. */
export interface VersionInput extends ObjectInput {
  readonly VersionId?: string | undefined;
}

/** Actions that have another name where a request names the version (service authorization reference, S3). */
const VERSION_ACTIONS: Readonly<Record<string, string>> = {
  's3:GetObject': 's3:GetObjectVersion',
  's3:GetObjectAcl': 's3:GetObjectVersionAcl',
  's3:GetObjectAttributes': 's3:GetObjectVersionAttributes',
  's3:GetObjectTagging': 's3:GetObjectVersionTagging',
  's3:PutObjectAcl': 's3:PutObjectVersionAcl',
  's3:PutObjectTagging': 's3:PutObjectVersionTagging',
  's3:DeleteObject': 's3:DeleteObjectVersion',
  's3:DeleteObjectTagging': 's3:DeleteObjectVersionTagging',
};

/**
 * The question that an operation on a bucket asks.
 *
 * @throws ServiceError NoSuchBucket, or AccessDenied when the bucket has another owner than the request expects
 */
export async function bucketAccess(
  s3: S3Context,
  call: Call,
  input: BucketInput,
  action: string,
  context?: ConditionContext,
): Promise<AccessRequest> {
  const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.account) throw accessDenied();
  return withAcl(s3, call, bucket, await accessRequest(s3, call, bucket, action, bucketArn(bucket.name), context));
}

/** The question that an operation on an object asks. @throws as `bucketAccess` */
export async function objectAccess(
  s3: S3Context,
  call: Call,
  input: VersionInput & { readonly UploadId?: string | undefined },
  action: string,
  context?: ConditionContext,
): Promise<AccessRequest> {
  const request = await plainObjectAccess(s3, call, input, action, context);
  return withAcl(s3, call, await s3.scope.bucket(call, input.Bucket ?? ''), request, input);
}

/** As `objectAccess`, without what the access control list of an object that exists has to say. */
export async function plainObjectAccess(
  s3: S3Context,
  call: Call,
  input: ObjectInput,
  action: string,
  context?: ConditionContext,
): Promise<AccessRequest> {
  const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.account) throw accessDenied();
  return accessRequest(s3, call, bucket, action, objectArn(bucket.name, input.Key ?? ''), context);
}

/**
 * As `objectAccess`, for actions that know the tags of an object that exists: `s3:ExistingObjectTag/…`.
 *
 * @param action as it is called without a version: where the request names one, its other name is asked for
 */
export async function existingObjectAccess(
  s3: S3Context,
  call: Call,
  input: VersionInput,
  action: string,
  context?: ConditionContext,
): Promise<AccessRequest> {
  const versionId = checkVersionId(input.VersionId);
  const request =
    versionId === undefined
      ? await objectAccess(s3, call, input, action, context)
      : await objectAccess(s3, call, input, VERSION_ACTIONS[action] ?? action, {
          ...context,
          's3:VersionId': versionId,
        });
  const object = await s3.scope.object(call, input.Bucket ?? '', input.Key ?? '', versionId);
  if (object?.facts.tags === undefined) return request;
  return { ...request, context: { ...request.context, ...tagContext('s3:ExistingObjectTag', object.facts.tags) } };
}

export function tagContext(prefix: string, tags: Readonly<Record<string, string>>): ConditionContext {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [`${prefix}/${name}`, value]));
}

/**
 * INVARIANT: where RestrictPublicBuckets is on, of the bucket or of its owner's account, a public policy lets nobody in
 * from outside the account, but services. What it denies is heard all the same: an access control list might let them in.
 */
async function effectivePolicy(s3: S3Context, call: Call, bucket: BucketRow): Promise<ResourcePolicy> {
  const { policy, account } = bucket;
  const heard = { document: policy ?? undefined, isRequired: false, kind: 'resource-based' } as const;
  if (policy === null || call.caller.type === 'service' || accountOf(call.caller) === account) return heard;
  const { RestrictPublicBuckets: isRestricted } = await publicAccessBlockOf(s3, bucket);
  return isRestricted && isPublicPolicy(policy) ? { ...heard, isDenyOnly: true } : heard;
}

/** Nothing is charged here; but who is to pay must have said so, as in AWS. @throws ServiceError AccessDenied */
function agreePayment(call: Call, bucket: BucketRow): void {
  const { caller, source, reply } = call;
  if (bucket.settings === null || caller.type === 'service' || accountOf(caller) === bucket.account) return;
  if (settingsOf(bucket).isRequesterPaying !== true) return;
  if (caller.type === 'anonymous' || source.header('x-amz-request-payer') !== 'requester') throw accessDenied();
  reply.headers['x-amz-request-charged'] = 'requester';
}

/** The tags of a bucket, where they are conditions of policies: on the bucket, and on what is in it. */
function bucketTags({ settings, tags }: BucketRow): Pick<AccessRequest, 'resourceTags' | 'context'> {
  if (tags === null || settingsOf({ settings }).isAbacEnabled !== true) return {};
  const resourceTags = JSON.parse(tags) as Readonly<Record<string, string>>;
  return { resourceTags, context: tagContext('s3:BucketTag', resourceTags) };
}

async function accessRequest(
  s3: S3Context,
  call: Call,
  bucket: BucketRow,
  action: string,
  resource: string,
  context: ConditionContext | undefined,
): Promise<AccessRequest> {
  const { source } = call;
  agreePayment(call, bucket);
  const { resourceTags, context: tagKeys } = bucketTags(bucket);
  return {
    action,
    resource,
    resourceAccount: bucket.account,
    resourcePolicy: await effectivePolicy(s3, call, bucket),
    context: {
      's3:ResourceAccount': bucket.account,
      's3:authType': source.authType === 'ANONYMOUS' || source.authType === 'INTERNAL' ? undefined : source.authType,
      's3:signatureversion': source.signatureVersion,
      's3:signatureAge': source.signatureAge === undefined ? undefined : String(Math.max(0, source.signatureAge)),
      's3:x-amz-content-sha256': source.contentSha256,
      ...tagKeys,
      ...context,
    },
    ...(resourceTags !== undefined && { resourceTags }),
  };
}

/**
 * The condition keys of a request that may say how to encrypt. They are what the request says: the bucket's default
 * is applied after the policies have spoken (S3 user guide, "Protecting data with server-side encryption").
 */
export function encryptionConditions(call: Call, members: EncryptionMembers): ConditionContext {
  return {
    's3:x-amz-server-side-encryption': members.ServerSideEncryption,
    's3:x-amz-server-side-encryption-aws-kms-key-id': keyIdCondition(call, members.SSEKMSKeyId),
    's3:x-amz-server-side-encryption-customer-algorithm': members.SSECustomerAlgorithm,
  };
}

/** Policies name keys by their ARN: an id stands for the key in the requester's account and region. */
function keyIdCondition(call: Call, keyId: string | undefined): string | undefined {
  const account = accountOf(call.caller);
  if (keyId === undefined || keyId.startsWith('arn:') || account === undefined) return keyId;
  const resource = keyId.startsWith('alias/') ? keyId : `key/${keyId}`;
  return formatArn({ service: 'kms', region: call.region, account, resource });
}

/** The authority to call KMS in the caller's name, through S3, in the region of the bucket. */
export function kmsAuthority(call: Call, bucket: BucketRow): Authority {
  const authority = call.forward('s3');
  if (bucket.region === call.region) return authority;
  return { ...authority, region: bucket.region, via: [...call.via, `s3.${bucket.region}.amazonaws.com`] };
}

/**
 * The refusal of an object that does not exist, or is hidden by a delete marker: only those who may list the bucket are
 * told so.
 *
 * @throws ServiceError AccessDenied
 */
async function missingKey(s3: S3Context, call: Call, input: VersionInput): Promise<Error> {
  const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
  const { Key: key = '', VersionId: versionId } = input;
  // Who may list what begins with this key could find out by a listing.
  const action = versionId === undefined ? 's3:ListBucket' : 's3:ListBucketVersions';
  await call.require(await bucketAccess(s3, call, input, action, { 's3:prefix': key }));
  if (versioningOf(bucket) === 'Never' && versionId === undefined) return noSuchKey(key);
  const marker = await s3.objects.findMarker(bucket.name, key, versionId);
  if (marker === undefined) return versionId === undefined ? noSuchKey(key) : noSuchVersion(key, versionId);
  const { version, modifiedAt } = marker;
  return versionId === undefined ? hiddenKey(key, versionText(version)) : markerNotReadable(versionId, modifiedAt);
}

/** The object that a request names. @throws ServiceError NoSuchKey, NoSuchVersion, MethodNotAllowed, AccessDenied */
export async function requireObject(s3: S3Context, call: Call, input: VersionInput): Promise<StoredObject> {
  const object = await s3.scope.object(call, input.Bucket ?? '', input.Key ?? '', checkVersionId(input.VersionId));
  if (object === undefined) throw await missingKey(s3, call, input);
  return object;
}

/** How answers name the version of an object: only where its bucket has, or had, versioning. */
export async function versionAnswer(
  s3: S3Context,
  call: Call,
  object: StoredObject,
): Promise<{ readonly VersionId?: string }> {
  const bucket = await s3.scope.bucket(call, object.row.bucket);
  return versioningOf(bucket) === 'Never' ? {} : { VersionId: versionText(versionOf(object)) };
}
