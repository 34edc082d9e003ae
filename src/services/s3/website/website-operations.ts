import {
  DeleteBucketWebsite$,
  type DeleteBucketWebsiteRequest,
  GetBucketWebsite$,
  type GetBucketWebsiteOutput,
  type GetBucketWebsiteRequest,
  PutBucketWebsite$,
  type PutBucketWebsiteRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { noSuchWebsite } from '../errors.ts';
import { changeSettings } from '../operations/set-bucket.ts';
import { readWebsite } from './website-settings.ts';

const putBucketWebsite = operation<S3Context, PutBucketWebsiteRequest, Record<string, never>>(PutBucketWebsite$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketWebsite')],
  async handle(input, _call, s3) {
    await changeSettings(s3, input.Bucket ?? '', { website: readWebsite(input.WebsiteConfiguration) });
    return {};
  },
});

const getBucketWebsite = operation<S3Context, GetBucketWebsiteRequest, GetBucketWebsiteOutput>(GetBucketWebsite$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketWebsite')],
  async handle(input, call, s3) {
    const { website } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
    if (website === undefined) throw noSuchWebsite(input.Bucket ?? '');
    return website;
  },
});

const deleteBucketWebsite = operation<S3Context, DeleteBucketWebsiteRequest, Record<string, never>>(
  DeleteBucketWebsite$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:DeleteBucketWebsite')],
    async handle(input, _call, s3) {
      await changeSettings(s3, input.Bucket ?? '', { website: undefined });
      return {};
    },
  },
);

export const websiteOperations = [putBucketWebsite, getBucketWebsite, deleteBucketWebsite] as const;
