import {
  DeleteBucketLifecycle$,
  type DeleteBucketLifecycleRequest,
  GetBucketLifecycleConfiguration$,
  type GetBucketLifecycleConfigurationOutput,
  type GetBucketLifecycleConfigurationRequest,
  PutBucketLifecycleConfiguration$,
  type PutBucketLifecycleConfigurationOutput,
  type PutBucketLifecycleConfigurationRequest,
} from '@aws-sdk/client-s3';
import { type Call, operation } from '#kernel/operation.ts';
import { bucketAccess, type VersionInput } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf, settingsText } from '../domain/bucket-settings.ts';
import { readRules, rulesOf } from '../domain/lifecycle.ts';
import { abortTimeOf, activeRules, expirationOf } from '../domain/lifecycle-due.ts';
import type { ObjectFacts } from '../domain/object-facts.ts';
import { invalidBucketState, notFoundConfiguration } from '../errors.ts';
import type { StoredObject } from '../objects.ts';
import type { BucketRow, ObjectRow } from '../store.ts';
import { changeSettings, setBucket } from './set-bucket.ts';

const PUT = 's3:PutLifecycleConfiguration';

export const putBucketLifecycleConfiguration = operation<
  S3Context,
  PutBucketLifecycleConfigurationRequest,
  PutBucketLifecycleConfigurationOutput
>(PutBucketLifecycleConfiguration$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, PUT)],
  async handle(input, _call, s3) {
    const minimum = input.TransitionDefaultMinimumObjectSize ?? 'all_storage_classes_128K';
    const rules = readRules(input.LifecycleConfiguration?.Rules, s3.randomness);
    await setBucket(s3, input.Bucket ?? '', (row) => {
      const settings = settingsOf(row);
      if (settings.mfaDelete === 'Enabled') {
        throw invalidBucketState(
          'Lifecycle configuration is not supported on a bucket with Mfa Authentication enabled.',
        );
      }
      return { settings: settingsText({ ...settings, lifecycle: { rules, minimum } }) };
    });
    return { TransitionDefaultMinimumObjectSize: minimum };
  },
});

export const getBucketLifecycleConfiguration = operation<
  S3Context,
  GetBucketLifecycleConfigurationRequest,
  GetBucketLifecycleConfigurationOutput
>(GetBucketLifecycleConfiguration$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetLifecycleConfiguration')],
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const { lifecycle } = settingsOf(bucket);
    if (lifecycle === undefined) {
      throw notFoundConfiguration(
        'NoSuchLifecycleConfiguration',
        'The lifecycle configuration does not exist',
        bucket.name,
      );
    }
    return { Rules: rulesOf(lifecycle), TransitionDefaultMinimumObjectSize: lifecycle.minimum };
  },
});

export const deleteBucketLifecycle = operation<S3Context, DeleteBucketLifecycleRequest, Record<string, never>>(
  DeleteBucketLifecycle$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, PUT)],
    async handle(input, _call, s3) {
      await changeSettings(s3, input.Bucket ?? '', { lifecycle: undefined });
      return {};
    },
  },
);

/** How answers tell when a current version expires; nothing where no rule says. */
export function expirationAnswer(
  bucket: BucketRow,
  row: Pick<ObjectRow, 'key' | 'size' | 'modified_at'>,
  facts: Pick<ObjectFacts, 'tags' | 'storageClass'>,
): { readonly Expiration?: string } {
  const { lifecycle } = settingsOf(bucket);
  if (lifecycle === undefined) return {};
  const { tags = {}, storageClass } = facts;
  const candidate = { key: row.key, size: row.size, tags, storageClass, since: row.modified_at };
  const due = expirationOf(activeRules(lifecycle), candidate);
  if (due === undefined) return {};
  return {
    Expiration: `expiry-date="${new Date(due.at).toUTCString()}", rule-id="${encodeURIComponent(due.rule)}"`,
  };
}

/** How answers tell when an upload is aborted by itself. */
export function abortAnswer(
  bucket: BucketRow,
  key: string,
  initiatedAt: number,
): { readonly AbortDate?: Date; readonly AbortRuleId?: string } {
  const { lifecycle } = settingsOf(bucket);
  const due = lifecycle === undefined ? undefined : abortTimeOf(activeRules(lifecycle), key, initiatedAt);
  return due === undefined ? {} : { AbortDate: new Date(due.at), AbortRuleId: due.rule };
}

/** As `expirationAnswer`, of an object that was read without naming its version: then it is the current one. */
export async function currentExpiration(s3: S3Context, call: Call, input: VersionInput, { row, facts }: StoredObject) {
  return input.VersionId === undefined ? expirationAnswer(await s3.scope.bucket(call, row.bucket), row, facts) : {};
}
