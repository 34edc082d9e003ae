import {
  DeleteBucketCors$,
  type DeleteBucketCorsRequest,
  GetBucketCors$,
  type GetBucketCorsOutput,
  type GetBucketCorsRequest,
  PutBucketCors$,
  type PutBucketCorsRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { corsRulesAnswer, readCorsRules } from '../domain/cors-rules.ts';
import { notFoundConfiguration } from '../errors.ts';
import { changeSettings } from './set-bucket.ts';

export const putBucketCors = operation<S3Context, PutBucketCorsRequest, Record<string, never>>(PutBucketCors$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketCORS')],
  async handle(input, _call, s3) {
    const cors = readCorsRules(input.CORSConfiguration?.CORSRules ?? []);
    await changeSettings(s3, input.Bucket ?? '', { cors });
    return {};
  },
});

export const getBucketCors = operation<S3Context, GetBucketCorsRequest, GetBucketCorsOutput>(GetBucketCors$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketCORS')],
  async handle(input, call, s3) {
    const { cors } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
    if (cors !== undefined) return { CORSRules: corsRulesAnswer(cors) };
    throw notFoundConfiguration('NoSuchCORSConfiguration', 'The CORS configuration does not exist', input.Bucket ?? '');
  },
});

export const deleteBucketCors = operation<S3Context, DeleteBucketCorsRequest, Record<string, never>>(
  DeleteBucketCors$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketCORS')],
    async handle(input, _call, s3) {
      await changeSettings(s3, input.Bucket ?? '', { cors: undefined });
      return {};
    },
  },
);
