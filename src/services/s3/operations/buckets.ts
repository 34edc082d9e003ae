import {
  DeleteBucket$,
  type DeleteBucketRequest,
  GetBucketLocation$,
  type GetBucketLocationOutput,
  type GetBucketLocationRequest,
  HeadBucket$,
  type HeadBucketOutput,
  type HeadBucketRequest,
  ListBuckets$,
  type ListBucketsOutput,
  type ListBucketsRequest,
} from '@aws-sdk/client-s3';
import { accountOf } from '#kernel/caller.ts';
import { operation } from '#kernel/operation.ts';
import { bucketAccess, bucketArn } from '../access.ts';
import type { S3Context } from '../context.ts';
import { parseStoredPart } from '../domain/object-facts.ts';
import { removeInventories } from '../inventory/inventory-store.ts';
import { accessDenied, bucketNotEmpty, invalidArgument } from '../errors.ts';

const MAXIMUM_BUCKETS = 10_000;

export const deleteBucket = operation<S3Context, DeleteBucketRequest, Record<string, never>>(DeleteBucket$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:DeleteBucket')],
  async handle(input, _call, s3) {
    const name = input.Bucket ?? '';
    const blobs = await s3.store.write(async (transaction) => {
      for (const table of ['s3_object', 's3_version'] as const) {
        const row = await transaction
          .selectFrom(table)
          .select('key')
          .where('bucket', '=', name)
          .limit(1)
          .executeTakeFirst();
        if (row !== undefined) throw bucketNotEmpty(name);
      }
      // Uploads that were never completed do not keep a bucket.
      const uploads = transaction.selectFrom('s3_upload').select('id').where('bucket', '=', name);
      const parts = await transaction.selectFrom('s3_part').select('facts').where('upload', 'in', uploads).execute();
      await transaction.deleteFrom('s3_part').where('upload', 'in', uploads).execute();
      await transaction.deleteFrom('s3_upload').where('bucket', '=', name).execute();
      await removeInventories(transaction, name);
      await transaction.deleteFrom('s3_bucket').where('name', '=', name).execute();
      return parts.map((part) => parseStoredPart(part.facts).blob);
    });
    s3.leases.discard(blobs);
    return {};
  },
});

export const headBucket = operation<S3Context, HeadBucketRequest, HeadBucketOutput>(HeadBucket$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:ListBucket')],
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    return { BucketRegion: bucket.region, BucketArn: bucketArn(bucket.name), AccessPointAlias: false };
  },
});

export const getBucketLocation = operation<S3Context, GetBucketLocationRequest, GetBucketLocationOutput>(
  GetBucketLocation$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketLocation')],
    async handle(input, call, s3) {
      const { region } = await s3.scope.bucket(call, input.Bucket ?? '');
      // us-east-1 has no constraint (API reference, GetBucketLocation).
      if (region === 'us-east-1') return {};
      return { LocationConstraint: region as NonNullable<GetBucketLocationOutput['LocationConstraint']> };
    },
  },
);

export const listBuckets = operation<S3Context, ListBucketsRequest, ListBucketsOutput>(ListBuckets$, {
  authorize: () => [{ action: 's3:ListAllMyBuckets', resource: '*' }],
  async handle(input, call, s3) {
    const account = accountOf(call.caller);
    if (account === undefined) throw accessDenied();
    const { MaxBuckets: maximum = MAXIMUM_BUCKETS, ContinuationToken: token, Prefix: prefix = '' } = input;
    if (!Number.isInteger(maximum) || maximum < 1 || maximum > MAXIMUM_BUCKETS) {
      throw invalidArgument(
        'Argument max-buckets must be an integer between 1 and 10000',
        'max-buckets',
        String(maximum),
      );
    }
    const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString();
    const found = await s3.store.listBuckets({
      account,
      after,
      prefix,
      region: input.BucketRegion,
      limit: maximum + 1,
    });
    const rows = found.slice(0, maximum);
    const last = rows.at(-1);
    return {
      Buckets: rows.map((row) => ({
        Name: row.name,
        CreationDate: new Date(row.created_at),
        BucketRegion: row.region,
        BucketArn: bucketArn(row.name),
      })),
      Owner: { ID: await s3.canonicalIdOf(account) },
      ...(input.Prefix !== undefined && { Prefix: prefix }),
      ...(found.length > rows.length &&
        last !== undefined && {
          ContinuationToken: Buffer.from(last.name).toString('base64url'),
        }),
    };
  },
});
