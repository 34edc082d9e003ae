import {
  GetObjectLegalHold$,
  type GetObjectLegalHoldOutput,
  type GetObjectLegalHoldRequest,
  GetObjectLockConfiguration$,
  type GetObjectLockConfigurationOutput,
  type GetObjectLockConfigurationRequest,
  GetObjectRetention$,
  type GetObjectRetentionOutput,
  type GetObjectRetentionRequest,
  PutObjectLegalHold$,
  type PutObjectLegalHoldRequest,
  PutObjectLockConfiguration$,
  type PutObjectLockConfigurationRequest,
  PutObjectRetention$,
  type PutObjectRetentionRequest,
} from '@aws-sdk/client-s3';
import { type Call, operation } from '#kernel/operation.ts';
import { bucketAccess, existingObjectAccess, requireObject } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf, settingsText } from '../domain/bucket-settings.ts';
import {
  lockConfigurationOf,
  readLockConfiguration,
  readRetention,
  requireRetentionChange,
} from '../domain/object-lock.ts';
import {
  invalidBucketState,
  lockMissing,
  malformedXml,
  noSuchLock,
  notFoundConfiguration,
  notImplemented,
} from '../errors.ts';
import { bypassAccess, lockConditions } from './lock-members.ts';
import { setBucket } from './set-bucket.ts';

const putObjectLockConfiguration = operation<S3Context, PutObjectLockConfigurationRequest, Record<string, never>>(
  PutObjectLockConfiguration$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketObjectLockConfiguration')],
    async handle(input, _call, s3) {
      if (input.Token !== undefined) throw notImplemented('x-amz-bucket-object-lock-token');
      const objectLock = readLockConfiguration(input.ObjectLockConfiguration);
      await setBucket(s3, input.Bucket ?? '', (row) => {
        const settings = settingsOf(row);
        if (settings.versioning !== 'Enabled') {
          throw invalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
        }
        return { settings: settingsText({ ...settings, objectLock }) };
      });
      return {};
    },
  },
);

const getObjectLockConfiguration = operation<
  S3Context,
  GetObjectLockConfigurationRequest,
  GetObjectLockConfigurationOutput
>(GetObjectLockConfiguration$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketObjectLockConfiguration')],
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const { objectLock } = settingsOf(bucket);
    if (objectLock === undefined) {
      throw notFoundConfiguration(
        'ObjectLockConfigurationNotFoundError',
        'Object Lock configuration does not exist for this bucket',
        bucket.name,
      );
    }
    return { ObjectLockConfiguration: lockConfigurationOf(objectLock) };
  },
});

const putObjectRetention = operation<S3Context, PutObjectRetentionRequest, Record<string, never>>(PutObjectRetention$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  async authorize(input, call, s3) {
    const { Mode: ObjectLockMode, RetainUntilDate: ObjectLockRetainUntilDate } = input.Retention ?? {};
    const context = lockConditions(call, { ObjectLockMode, ObjectLockRetainUntilDate });
    return [
      await existingObjectAccess(s3, call, input, 's3:PutObjectRetention', context),
      ...(await bypassAccess(s3, call, input, context)),
    ];
  },
  async handle(input, call, s3) {
    const after = readRetention(input.Retention, call.now);
    await requireLock(s3, call, input.Bucket);
    const object = await requireObject(s3, call, input);
    // Who asked for it was asked for the right to.
    const removing = { now: call.now, mayBypass: input.BypassGovernanceRetention === true };
    await s3.objects.change(object, ({ retention: before, ...facts }) => {
      requireRetentionChange(before, after, removing);
      return { ...facts, ...(after !== undefined && { retention: after }) };
    });
    return {};
  },
});

const getObjectRetention = operation<S3Context, GetObjectRetentionRequest, GetObjectRetentionOutput>(
  GetObjectRetention$,
  {
    isAuthenticationRequired: false,
    isDataEvent: true,
    authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:GetObjectRetention')],
    async handle(input, call, s3) {
      await requireLock(s3, call, input.Bucket);
      const { retention } = (await requireObject(s3, call, input)).facts;
      if (retention === undefined) throw noSuchLock();
      return { Retention: { Mode: retention.mode, RetainUntilDate: new Date(retention.until) } };
    },
  },
);

const putObjectLegalHold = operation<S3Context, PutObjectLegalHoldRequest, Record<string, never>>(PutObjectLegalHold$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [
    await existingObjectAccess(
      s3,
      call,
      input,
      's3:PutObjectLegalHold',
      lockConditions(call, { ObjectLockLegalHoldStatus: input.LegalHold?.Status }),
    ),
  ],
  async handle(input, call, s3) {
    const status = input.LegalHold?.Status;
    if (status === undefined) throw malformedXml();
    await requireLock(s3, call, input.Bucket);
    const object = await requireObject(s3, call, input);
    await s3.objects.change(object, (facts) => ({ ...facts, legalHold: status === 'ON' }));
    return {};
  },
});

const getObjectLegalHold = operation<S3Context, GetObjectLegalHoldRequest, GetObjectLegalHoldOutput>(
  GetObjectLegalHold$,
  {
    isAuthenticationRequired: false,
    isDataEvent: true,
    authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:GetObjectLegalHold')],
    async handle(input, call, s3) {
      await requireLock(s3, call, input.Bucket);
      const { legalHold } = (await requireObject(s3, call, input)).facts;
      if (legalHold === undefined) throw noSuchLock();
      return { LegalHold: { Status: legalHold ? 'ON' : 'OFF' } };
    },
  },
);

export const objectLockOperations = [
  putObjectLockConfiguration,
  getObjectLockConfiguration,
  putObjectRetention,
  getObjectRetention,
  putObjectLegalHold,
  getObjectLegalHold,
];

/** @throws ServiceError InvalidRequest */
async function requireLock(s3: S3Context, call: Call, name: string | undefined): Promise<void> {
  if (settingsOf(await s3.scope.bucket(call, name ?? '')).objectLock === undefined) throw lockMissing();
}
