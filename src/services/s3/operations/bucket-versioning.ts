import {
  GetBucketVersioning$,
  type GetBucketVersioningOutput,
  type GetBucketVersioningRequest,
  PutBucketVersioning$,
  type PutBucketVersioningRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { type BucketSettings, settingsOf, settingsText } from '../domain/bucket-settings.ts';
import { illegalVersioning, invalidBucketState, operationAborted } from '../errors.ts';
import { requireMfa } from './mfa-delete.ts';
import { setBucket } from './set-bucket.ts';

export const putBucketVersioning = operation<S3Context, PutBucketVersioningRequest, Record<string, never>>(
  PutBucketVersioning$,
  {
    isAuthenticationRequired: false,
    secretMembers: ['MFA'],
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketVersioning')],
    async handle(input, call, s3) {
      const { Status: versioning, MFADelete: mfaDelete } = input.VersioningConfiguration ?? {};
      if (versioning === undefined) throw illegalVersioning();
      const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
      requireNoLifecycle(settingsOf(bucket), mfaDelete);
      const before = settingsOf(bucket).mfaDelete;
      const changesMfaDelete = mfaDelete !== undefined && mfaDelete !== (before ?? 'Disabled');
      // Where it is on, nobody changes anything of the bucket's versioning without the device.
      if (before === 'Enabled' || changesMfaDelete) await requireMfa(s3, call, bucket, input.MFA);
      await setBucket(s3, input.Bucket ?? '', (row) => {
        const settings = settingsOf(row);
        if (versioning === 'Suspended' && settings.objectLock !== undefined) {
          throw invalidBucketState(
            'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
          );
        }
        if (settings.mfaDelete !== before) throw operationAborted();
        requireNoLifecycle(settings, mfaDelete);
        return { settings: settingsText({ ...settings, versioning, ...(mfaDelete !== undefined && { mfaDelete }) }) };
      });
      return {};
    },
  },
);

export const getBucketVersioning = operation<S3Context, GetBucketVersioningRequest, GetBucketVersioningOutput>(
  GetBucketVersioning$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketVersioning')],
    async handle(input, call, s3) {
      const { versioning, mfaDelete } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
      // A bucket that never had versioning has no status.
      return versioning === undefined
        ? {}
        : { Status: versioning, ...(mfaDelete !== undefined && { MFADelete: mfaDelete }) };
    },
  },
);

/** What lifecycle rules remove bears no code (S3 user guide, "Configuring MFA delete"). @throws InvalidBucketState */
function requireNoLifecycle({ lifecycle }: BucketSettings, mfaDelete: string | undefined): void {
  if (mfaDelete !== 'Enabled' || lifecycle === undefined) return;
  throw invalidBucketState(
    'Mfa Authentication is not supported on a bucket with lifecycle configuration. Delete lifecycle configuration before enabling Mfa Authentication.',
  );
}
