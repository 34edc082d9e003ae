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
import { operation } from '#kernel/operation.ts';
import { bucketAccess, existingObjectAccess, requireObject, versionAnswer } from '../access.ts';
import type { S3Context } from '../context.ts';
import { checkTags, tagList } from '../domain/tag-set.ts';
import { notFoundConfiguration } from '../errors.ts';
import { announceChanged } from '../notifications/announce.ts';
import { requireTagsForCostsOnly } from './bucket-abac.ts';
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
      const object = await requireObject(s3, call, input);
      const tags = checkTags(input.Tagging?.TagSet ?? [], OBJECT_TAGS);
      await s3.objects.setTags(object, tags, await announceChanged(s3, call, object, 's3:ObjectTagging:Put'));
      return await versionAnswer(s3, call, object);
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
      const object = await requireObject(s3, call, input);
      return { TagSet: tagList(object.facts.tags ?? {}), ...(await versionAnswer(s3, call, object)) };
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
      const object = await requireObject(s3, call, input);
      await s3.objects.setTags(object, undefined, await announceChanged(s3, call, object, 's3:ObjectTagging:Delete'));
      return await versionAnswer(s3, call, object);
    },
  },
);

export const putBucketTagging = operation<S3Context, PutBucketTaggingRequest, Record<string, never>>(
  PutBucketTagging$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketTagging')],
    async handle(input, call, s3) {
      await requireTagsForCostsOnly(s3, call, input.Bucket ?? '');
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
    async handle(input, call, s3) {
      await requireTagsForCostsOnly(s3, call, input.Bucket ?? '');
      await setBucket(s3, input.Bucket ?? '', { tags: null });
      return {};
    },
  },
);
