import { accountOf } from '#kernel/caller.ts';
import { formatArn } from '#kernel/arn.ts';
import type { Authority } from '#kernel/door.ts';
import type { AccessRequest, Call, ConditionContext } from '#kernel/operation.ts';
import type { S3Context } from './context.ts';
import type { EncryptionMembers } from './domain/encryption-choice.ts';
import { accessDenied, noSuchKey } from './errors.ts';
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
  return accessRequest(call, bucket, action, bucketArn(bucket.name), context);
}

/** The question that an operation on an object asks. @throws as `bucketAccess` */
export async function objectAccess(
  s3: S3Context,
  call: Call,
  input: ObjectInput,
  action: string,
  context?: ConditionContext,
): Promise<AccessRequest> {
  const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.account) throw accessDenied();
  return accessRequest(call, bucket, action, objectArn(bucket.name, input.Key ?? ''), context);
}

/** As `objectAccess`, for actions that know the tags of an object that exists: `s3:ExistingObjectTag/…`. */
export async function existingObjectAccess(
  s3: S3Context,
  call: Call,
  input: ObjectInput,
  action: string,
  context?: ConditionContext,
): Promise<AccessRequest> {
  const request = await objectAccess(s3, call, input, action, context);
  const object = await s3.scope.object(call, input.Bucket ?? '', input.Key ?? '');
  if (object?.facts.tags === undefined) return request;
  return { ...request, context: { ...request.context, ...tagContext('s3:ExistingObjectTag', object.facts.tags) } };
}

export function tagContext(prefix: string, tags: Readonly<Record<string, string>>): ConditionContext {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [`${prefix}/${name}`, value]));
}

function accessRequest(
  call: Call,
  bucket: BucketRow,
  action: string,
  resource: string,
  context: ConditionContext | undefined,
): AccessRequest {
  const { source } = call;
  return {
    action,
    resource,
    resourceAccount: bucket.account,
    resourcePolicy: { document: bucket.policy ?? undefined, isRequired: false, kind: 'resource-based' },
    context: {
      's3:ResourceAccount': bucket.account,
      's3:authType': source.authType === 'ANONYMOUS' || source.authType === 'INTERNAL' ? undefined : source.authType,
      's3:signatureversion': source.signatureVersion,
      's3:signatureAge': source.signatureAge === undefined ? undefined : String(Math.max(0, source.signatureAge)),
      's3:x-amz-content-sha256': source.contentSha256,
      ...context,
    },
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
 * The refusal of a key that does not exist: only those who may list the bucket are told so.
 *
 * @throws ServiceError AccessDenied
 */
export async function missingKey(s3: S3Context, call: Call, input: ObjectInput): Promise<Error> {
  await call.require(await bucketAccess(s3, call, input, 's3:ListBucket'));
  return noSuchKey(input.Key ?? '');
}
