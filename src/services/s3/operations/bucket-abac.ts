import {
  GetBucketAbac$,
  type GetBucketAbacOutput,
  type GetBucketAbacRequest,
  PutBucketAbac$,
  type PutBucketAbacRequest,
} from '@aws-sdk/client-s3';
import type { Call } from '#kernel/operation.ts';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { invalidRequest, malformedXml } from '../errors.ts';
import { changeSettings } from './set-bucket.ts';

export const putBucketAbac = operation<S3Context, PutBucketAbacRequest, Record<string, never>>(PutBucketAbac$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketAbac')],
  async handle(input, _call, s3) {
    const status = input.AbacStatus?.Status;
    if (status === undefined) throw malformedXml();
    await changeSettings(s3, input.Bucket ?? '', { isAbacEnabled: status === 'Enabled' ? true : undefined });
    return {};
  },
});

export const getBucketAbac = operation<S3Context, GetBucketAbacRequest, GetBucketAbacOutput>(GetBucketAbac$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketAbac')],
  async handle(input, call, s3) {
    const { isAbacEnabled } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
    return { AbacStatus: { Status: isAbacEnabled === true ? 'Enabled' : 'Disabled' } };
  },
});

/** Tags that decide on access are changed by TagResource and UntagResource alone. @throws ServiceError InvalidRequest */
export async function requireTagsForCostsOnly(s3: S3Context, call: Call, bucket: string): Promise<void> {
  if (settingsOf(await s3.scope.bucket(call, bucket)).isAbacEnabled !== true) return;
  throw invalidRequest(
    'The bucket has attribute-based access control (ABAC) enabled: its tags are changed by TagResource and UntagResource.',
  );
}
