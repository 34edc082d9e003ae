import {
  DeletePublicAccessBlock$,
  type DeletePublicAccessBlockRequest,
  GetPublicAccessBlock$,
  type GetPublicAccessBlockOutput,
  type GetPublicAccessBlockRequest,
  PutPublicAccessBlock$,
  type PutPublicAccessBlockRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { readPublicAccessBlock } from '../domain/public-access-block.ts';
import { notFoundConfiguration } from '../errors.ts';
import { changeSettings } from './set-bucket.ts';

export const putPublicAccessBlock = operation<S3Context, PutPublicAccessBlockRequest, Record<string, never>>(
  PutPublicAccessBlock$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketPublicAccessBlock')],
    async handle(input, _call, s3) {
      const publicAccessBlock = readPublicAccessBlock(input.PublicAccessBlockConfiguration);
      await changeSettings(s3, input.Bucket ?? '', { publicAccessBlock });
      return {};
    },
  },
);

export const getPublicAccessBlock = operation<S3Context, GetPublicAccessBlockRequest, GetPublicAccessBlockOutput>(
  GetPublicAccessBlock$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketPublicAccessBlock')],
    async handle(input, call, s3) {
      const { publicAccessBlock } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
      if (publicAccessBlock !== undefined) return { PublicAccessBlockConfiguration: publicAccessBlock };
      // Nothing is blocked then beyond what policies say.
      throw notFoundConfiguration(
        'NoSuchPublicAccessBlockConfiguration',
        'The public access block configuration was not found',
        input.Bucket ?? '',
      );
    },
  },
);

export const deletePublicAccessBlock = operation<S3Context, DeletePublicAccessBlockRequest, Record<string, never>>(
  DeletePublicAccessBlock$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketPublicAccessBlock')],
    async handle(input, _call, s3) {
      await changeSettings(s3, input.Bucket ?? '', { publicAccessBlock: undefined });
      return {};
    },
  },
);
