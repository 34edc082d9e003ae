import type { Tag } from '@aws-sdk/client-s3';
import { parseArn } from '#kernel/arn.ts';
import type { AccountId } from '#kernel/ids.ts';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { checkTags, tagList, type Tags } from '../domain/tag-set.ts';
import { invalidRequest, notImplemented } from '../errors.ts';
import { setBucket } from '../operations/set-bucket.ts';
import { ListTagsForResource$, TagResource$, UntagResource$ } from './schemas.ts';

const BUCKET_TAGS = 50;

interface ResourceInput {
  readonly AccountId: AccountId;
  readonly ResourceArn: string;
}

/** Buckets alone have tags here: S3's other resources are not built. */
function bucketOf(arn: string): string {
  const parts = parseArn(arn);
  if (parts?.service !== 's3') throw invalidRequest('The resource ARN is not valid.');
  if (parts.account !== '' || parts.region !== '' || parts.resource.includes('/')) throw notImplemented(arn);
  return parts.resource;
}

async function tagAccess(
  s3: S3Context,
  call: Call,
  input: ResourceInput,
  action: string,
  requestTags?: Tags,
): Promise<AccessRequest[]> {
  const bucket = { Bucket: bucketOf(input.ResourceArn), ExpectedBucketOwner: input.AccountId };
  const request = await bucketAccess(s3, call, bucket, action);
  return [requestTags === undefined ? request : { ...request, requestTags }];
}

export const tagResource = operation<
  S3Context,
  ResourceInput & { readonly Tags?: readonly Tag[] },
  Record<string, never>
>(TagResource$, {
  authorize: (input, call, s3) =>
    tagAccess(s3, call, input, 's3:TagResource', checkTags(input.Tags ?? [], BUCKET_TAGS)),
  async handle(input, _call, s3) {
    const added = checkTags(input.Tags ?? [], BUCKET_TAGS);
    await setBucket(s3, bucketOf(input.ResourceArn), (row) => {
      const tags = { ...tagsOf(row), ...added };
      return { tags: textOf(checkTags(tagList(tags), BUCKET_TAGS)) };
    });
    return {};
  },
});

export const untagResource = operation<
  S3Context,
  ResourceInput & { readonly TagKeys?: readonly string[] },
  Record<string, never>
>(UntagResource$, {
  authorize: (input, call, s3) =>
    tagAccess(s3, call, input, 's3:UntagResource', Object.fromEntries((input.TagKeys ?? []).map((name) => [name, '']))),
  async handle(input, _call, s3) {
    const removed = new Set(input.TagKeys);
    await setBucket(s3, bucketOf(input.ResourceArn), (row) => ({
      tags: textOf(Object.fromEntries(Object.entries(tagsOf(row)).filter(([name]) => !removed.has(name)))),
    }));
    return {};
  },
});

export const listTagsForResource = operation<S3Context, ResourceInput, { readonly Tags: Tag[] }>(ListTagsForResource$, {
  authorize: (input, call, s3) => tagAccess(s3, call, input, 's3:ListTagsForResource'),
  async handle(input, call, s3) {
    return { Tags: tagList(tagsOf(await s3.scope.bucket(call, bucketOf(input.ResourceArn)))) };
  },
});

function tagsOf({ tags }: { readonly tags: string | null }): Tags {
  return tags === null ? {} : (JSON.parse(tags) as Tags);
}

function textOf(tags: Tags): string | null {
  return Object.keys(tags).length === 0 ? null : JSON.stringify(tags);
}
