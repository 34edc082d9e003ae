import {
  DeleteBucketTagging$,
  type DeleteBucketTaggingRequest,
  DeleteObjectTagging$,
  type DeleteObjectTaggingOutput,
  type DeleteObjectTaggingRequest,
  GetBucketTagging$,
  type GetBucketTaggingOutput,
  type GetBucketTaggingRequest,
  GetObjectTagging$,
  type GetObjectTaggingOutput,
  type GetObjectTaggingRequest,
  PutBucketTagging$,
  type PutBucketTaggingRequest,
  PutObjectTagging$,
  type PutObjectTaggingOutput,
  type PutObjectTaggingRequest,
} from '@aws-sdk/client-s3';
import { type Call, operation } from '#kernel/operation.ts';
import { bucketAccess, existingObjectAccess, missingKey, type ObjectInput } from '../access.ts';
import type { S3Context } from '../context.ts';
import { refuseVersionId } from '../domain/preconditions.ts';
import { checkTags, tagList } from '../domain/tag-set.ts';
import { notFoundConfiguration } from '../errors.ts';
import type { StoredObject } from '../objects.ts';
import { requestTagConditions } from './put-object.ts';
import { setBucket } from './set-bucket.ts';

const OBJECT_TAGS = 10;
const BUCKET_TAGS = 50;

export const putObjectTagging = operation<S3Context, PutObjectTaggingRequest, PutObjectTaggingOutput>(
  PutObjectTagging$,
  {
    isAuthenticationRequired: false,
    isDataEvent: true,
    authorize: async (input, call, s3) => [
      await existingObjectAccess(
        s3,
        call,
        input,
        's3:PutObjectTagging',
        requestTagConditions(checkTags(input.Tagging?.TagSet ?? [], OBJECT_TAGS)),
      ),
    ],
    async handle(input, call, s3) {
      const object = await taggedObject(s3, call, input);
      await s3.objects.setTags(object, checkTags(input.Tagging?.TagSet ?? [], OBJECT_TAGS));
      return {};
    },
  },
);

export const getObjectTagging = operation<S3Context, GetObjectTaggingRequest, GetObjectTaggingOutput>(
  GetObjectTagging$,
  {
    isAuthenticationRequired: false,
    isDataEvent: true,
    authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:GetObjectTagging')],
    async handle(input, call, s3) {
      const object = await taggedObject(s3, call, input);
      return { TagSet: tagList(object.facts.tags ?? {}) };
    },
  },
);

export const deleteObjectTagging = operation<S3Context, DeleteObjectTaggingRequest, DeleteObjectTaggingOutput>(
  DeleteObjectTagging$,
  {
    isAuthenticationRequired: false,
    isDataEvent: true,
    authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:DeleteObjectTagging')],
    async handle(input, call, s3) {
      await s3.objects.setTags(await taggedObject(s3, call, input), undefined);
      return {};
    },
  },
);

export const putBucketTagging = operation<S3Context, PutBucketTaggingRequest, Record<string, never>>(
  PutBucketTagging$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketTagging')],
    async handle(input, _call, s3) {
      const tags = checkTags(input.Tagging?.TagSet ?? [], BUCKET_TAGS);
      await setBucket(s3, input.Bucket ?? '', { tags: JSON.stringify(tags) });
      return {};
    },
  },
);

export const getBucketTagging = operation<S3Context, GetBucketTaggingRequest, GetBucketTaggingOutput>(
  GetBucketTagging$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketTagging')],
    async handle(input, call, s3) {
      const { tags, name } = await s3.scope.bucket(call, input.Bucket ?? '');
      if (tags === null) throw notFoundConfiguration('NoSuchTagSet', 'The TagSet does not exist', name);
      return { TagSet: tagList(JSON.parse(tags) as Record<string, string>) };
    },
  },
);

export const deleteBucketTagging = operation<S3Context, DeleteBucketTaggingRequest, Record<string, never>>(
  DeleteBucketTagging$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketTagging')],
    async handle(input, _call, s3) {
      await setBucket(s3, input.Bucket ?? '', { tags: null });
      return {};
    },
  },
);

async function taggedObject(
  s3: S3Context,
  call: Call,
  input: ObjectInput & { readonly VersionId?: string | undefined },
): Promise<StoredObject> {
  refuseVersionId(input.VersionId);
  const object = await s3.scope.object(call, input.Bucket ?? '', input.Key ?? '');
  if (object === undefined) throw await missingKey(s3, call, input);
  return object;
}
