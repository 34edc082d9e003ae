import {
  GetBucketRequestPayment$,
  type GetBucketRequestPaymentOutput,
  type GetBucketRequestPaymentRequest,
  PutBucketRequestPayment$,
  type PutBucketRequestPaymentRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { malformedXml } from '../errors.ts';
import { changeSettings } from './set-bucket.ts';

export const putBucketRequestPayment = operation<S3Context, PutBucketRequestPaymentRequest, Record<string, never>>(
  PutBucketRequestPayment$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketRequestPayment')],
    async handle(input, _call, s3) {
      const payer = input.RequestPaymentConfiguration?.Payer;
      if (payer !== 'Requester' && payer !== 'BucketOwner') throw malformedXml();
      await changeSettings(s3, input.Bucket ?? '', { isRequesterPaying: payer === 'Requester' ? true : undefined });
      return {};
    },
  },
);

export const getBucketRequestPayment = operation<
  S3Context,
  GetBucketRequestPaymentRequest,
  GetBucketRequestPaymentOutput
>(GetBucketRequestPayment$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketRequestPayment')],
  async handle(input, call, s3) {
    const { isRequesterPaying } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
    return { Payer: isRequesterPaying === true ? 'Requester' : 'BucketOwner' };
  },
});
