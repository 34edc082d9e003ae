import {
  GetBucketLogging$,
  type GetBucketLoggingOutput,
  type GetBucketLoggingRequest,
  PutBucketLogging$,
  type PutBucketLoggingRequest,
} from '@aws-sdk/client-s3';
import { type Call, operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import { bucketOwnerOf, hasAcls } from '../acl/ownership.ts';
import { readAclHeaders } from '../acl/read-acl.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { grantMembers, loggingAnswer, type LoggingSettings, readLogging } from '../domain/logging-settings.ts';
import { aclNotSupported, crossLocationLogging, invalidLoggingTarget } from '../errors.ts';
import { changeSettings } from './set-bucket.ts';

export const putBucketLogging = operation<S3Context, PutBucketLoggingRequest, Record<string, never>>(
  PutBucketLogging$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketLogging')],
    async handle(input, call, s3) {
      const name = input.Bucket ?? '';
      const given = input.BucketLoggingStatus?.LoggingEnabled;
      const logging = given && readLogging(given);
      if (logging !== undefined) await checkTarget(s3, call, name, logging);
      await changeSettings(s3, name, { logging });
      return {};
    },
  },
);

/**
 * Whether its policy lets logs in is seen when they are delivered: it may be put later.
 *
 * @throws ServiceError InvalidTargetBucketForLogging, CrossLocationLoggingProhibitted, AccessControlListNotSupported, …
 */
async function checkTarget(s3: S3Context, call: Call, name: string, logging: LoggingSettings): Promise<void> {
  const { target, grants } = logging;
  const source = await s3.scope.bucket(call, name);
  const found = await s3.store.findBucket(target);
  if (found === undefined) throw invalidLoggingTarget('The target bucket for logging does not exist', target);
  const row = s3.seal.checkBucket(found);
  if (row.account !== source.account) {
    throw invalidLoggingTarget('The owner for the bucket to be logged and the target bucket must be the same.', target);
  }
  if (row.region !== source.region) throw crossLocationLogging(source.region, row.region);
  if (grants === undefined) return;
  if (!hasAcls(row)) throw aclNotSupported();
  const { id } = await bucketOwnerOf(s3, row);
  await readAclHeaders(s3, grantMembers(logging, id), { owner: id, bucketOwner: id });
}

export const getBucketLogging = operation<S3Context, GetBucketLoggingRequest, GetBucketLoggingOutput>(
  GetBucketLogging$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketLogging')],
    async handle(input, call, s3) {
      const { logging } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
      return logging === undefined ? {} : { LoggingEnabled: loggingAnswer(logging) };
    },
  },
);
