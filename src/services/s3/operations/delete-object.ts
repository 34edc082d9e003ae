import {
  DeleteObject$,
  type DeleteObjectOutput,
  type DeleteObjectRequest,
  DeleteObjects$,
  type DeleteObjectsOutput,
  type DeleteObjectsRequest,
  type ObjectIdentifier,
} from '@aws-sdk/client-s3';
import { type Call, exempt, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { bucketAccess, existingObjectAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { matchesEtag, refuseVersionId } from '../domain/preconditions.ts';
import { checkKey } from '../domain/refusals.ts';
import { invalidArgument, malformedXml, noSuchKey, preconditionFailed } from '../errors.ts';

const MAXIMUM_KEYS = 1000;

interface DeleteCondition {
  readonly ETag?: string | undefined;
  readonly LastModifiedTime?: Date | undefined;
  readonly Size?: number | undefined;
}

export const deleteObject = operation<S3Context, DeleteObjectRequest, DeleteObjectOutput>(DeleteObject$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:DeleteObject')],
  async handle(input, _call, s3) {
    refuseVersionId(input.VersionId);
    refuseBypass(input);
    const condition = { ETag: input.IfMatch, LastModifiedTime: input.IfMatchLastModifiedTime, Size: input.IfMatchSize };
    await remove(s3, input.Bucket ?? '', checkKey(input.Key), condition);
    return {};
  },
});

export const deleteObjects = operation<S3Context, DeleteObjectsRequest, DeleteObjectsOutput>(DeleteObjects$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: exempt('each key is authorised by itself, and the answer says which were refused'),
  async handle(input, call, s3) {
    // Refuses a bucket that does not exist, or has another owner than expected, before anything is done.
    await bucketAccess(s3, call, input, 's3:DeleteObject');
    refuseBypass(input);
    const items = input.Delete?.Objects ?? [];
    if (items.length === 0 || items.length > MAXIMUM_KEYS) throw malformedXml();
    const deleted: { Key: string }[] = [];
    const errors: { Key: string; Code: string; Message: string }[] = [];
    const outcomes = await Promise.all(items.map((item) => removeItem(s3, call, input, item)));
    for (const { key, failure } of outcomes) {
      if (failure === undefined) deleted.push({ Key: key });
      else errors.push({ Key: key, Code: failure.code, Message: failure.message });
    }
    return {
      ...(input.Delete?.Quiet !== true && deleted.length > 0 && { Deleted: deleted }),
      ...(errors.length > 0 && { Errors: errors }),
    };
  },
});

async function removeItem(
  s3: S3Context,
  call: Call,
  input: DeleteObjectsRequest,
  item: ObjectIdentifier,
): Promise<{ readonly key: string; readonly failure: ServiceError | undefined }> {
  const key = item.Key ?? '';
  try {
    checkKey(key);
    await call.require(await existingObjectAccess(s3, call, { ...input, Key: key }, 's3:DeleteObject'));
    refuseVersionId(item.VersionId);
    await remove(s3, input.Bucket ?? '', key, item);
    return { key, failure: undefined };
  } catch (error) {
    if (error instanceof ServiceError) return { key, failure: error };
    throw error;
  }
}

async function remove(s3: S3Context, bucket: string, key: string, condition: DeleteCondition): Promise<void> {
  await s3.objects.delete(bucket, key, (head) => {
    const { ETag: etag, LastModifiedTime: time, Size: size } = condition;
    if (etag === undefined && time === undefined && size === undefined) return;
    if (head === undefined) throw noSuchKey(key);
    if (etag !== undefined && !matchesEtag(etag, head.etag)) throw preconditionFailed('If-Match');
    if (time !== undefined && Math.floor(time.getTime() / 1000) !== Math.floor(head.modified_at / 1000)) {
      throw preconditionFailed('x-amz-if-match-last-modified-time');
    }
    if (size !== undefined && size !== head.size) throw preconditionFailed('x-amz-if-match-size');
  });
}

function refuseBypass(input: { readonly BypassGovernanceRetention?: boolean | undefined }): void {
  if (input.BypassGovernanceRetention === undefined) return;
  throw invalidArgument('x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.');
}
