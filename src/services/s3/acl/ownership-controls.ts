import {
  DeleteBucketOwnershipControls$,
  type DeleteBucketOwnershipControlsRequest,
  GetBucketOwnershipControls$,
  type GetBucketOwnershipControlsOutput,
  type GetBucketOwnershipControlsRequest,
  PutBucketOwnershipControls$,
  type PutBucketOwnershipControlsRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf, settingsText } from '../domain/bucket-settings.ts';
import { malformedXml, notFoundConfiguration } from '../errors.ts';
import { changeSettings, setBucket } from '../operations/set-bucket.ts';
import { aclWithoutOwnership } from './acl-errors.ts';
import { bucketOwnerOf, ownershipOf } from './ownership.ts';

export const putBucketOwnershipControls = operation<
  S3Context,
  PutBucketOwnershipControlsRequest,
  Record<string, never>
>(PutBucketOwnershipControls$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [
    await bucketAccess(s3, call, input, 's3:PutBucketOwnershipControls', {
      's3:x-amz-object-ownership': input.OwnershipControls?.Rules?.[0]?.ObjectOwnership,
    }),
  ],
  async handle(input, call, s3) {
    const [rule, ...others] = input.OwnershipControls?.Rules ?? [];
    const chosen = rule?.ObjectOwnership;
    if (chosen === undefined || others.length > 0) throw malformedXml();
    const { id: owner } = await bucketOwnerOf(s3, await s3.scope.bucket(call, input.Bucket ?? ''));
    await setBucket(s3, input.Bucket ?? '', (row) => {
      const { ownership: _, acl, ...rest } = settingsOf(row);
      if (chosen !== 'BucketOwnerEnforced') {
        return { settings: settingsText({ ...rest, ...(acl !== undefined && { acl }), ownership: chosen }) };
      }
      // A list that lets others in must not fall silent unseen: its owner takes it back first.
      if (acl?.some(({ to }) => to !== owner) === true) throw aclWithoutOwnership();
      return { settings: settingsText(rest) };
    });
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
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const ObjectOwnership = ownershipOf(bucket);
    if (ObjectOwnership !== 'None') return { OwnershipControls: { Rules: [{ ObjectOwnership }] } };
    throw notFoundConfiguration(
      'OwnershipControlsNotFoundError',
      'The bucket ownership controls were not found',
      bucket.name,
    );
  },
});

export const deleteBucketOwnershipControls = operation<
  S3Context,
  DeleteBucketOwnershipControlsRequest,
  Record<string, never>
>(DeleteBucketOwnershipControls$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketOwnershipControls')],
  async handle(input, _call, s3) {
    await changeSettings(s3, input.Bucket ?? '', { ownership: 'None' });
    return {};
  },
});
