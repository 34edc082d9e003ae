import {
  GetBucketAcl$,
  type GetBucketAclOutput,
  type GetBucketAclRequest,
  GetObjectAcl$,
  type GetObjectAclOutput,
  type GetObjectAclRequest,
} from '@aws-sdk/client-s3';
import type { AccountId } from '#kernel/ids.ts';
import { operation } from '#kernel/operation.ts';
import { bucketAccess, existingObjectAccess, requireObject } from '../access.ts';
import type { S3Context } from '../context.ts';

// What tools ask of every bucket, about things that are the same for all buckets here.

export const getBucketAcl = operation<S3Context, GetBucketAclRequest, GetBucketAclOutput>(GetBucketAcl$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketAcl')],
  async handle(input, call, s3) {
    const { account } = await s3.scope.bucket(call, input.Bucket ?? '');
    return await ownersAcl(s3, account);
  },
});

export const getObjectAcl = operation<S3Context, GetObjectAclRequest, GetObjectAclOutput>(GetObjectAcl$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:GetObjectAcl')],
  async handle(input, call, s3) {
    const { account } = await s3.scope.bucket(call, input.Bucket ?? '');
    await requireObject(s3, call, input);
    return await ownersAcl(s3, account);
  },
});

async function ownersAcl(s3: S3Context, account: AccountId) {
  const id = await s3.canonicalIdOf(account);
  return {
    Owner: { ID: id },
    Grants: [{ Grantee: { ID: id, Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const }],
  };
}
