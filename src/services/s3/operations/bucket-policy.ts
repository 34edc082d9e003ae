import {
  DeleteBucketPolicy$,
  type DeleteBucketPolicyRequest,
  GetBucketPolicy$,
  type GetBucketPolicyOutput,
  type GetBucketPolicyRequest,
  GetBucketPolicyStatus$,
  type GetBucketPolicyStatusOutput,
  type GetBucketPolicyStatusRequest,
  PutBucketPolicy$,
  type PutBucketPolicyRequest,
} from '@aws-sdk/client-s3';
import { nameOf } from '#kernel/caller.ts';
import { operation } from '#kernel/operation.ts';
import { bucketAccess, bucketArn } from '../access.ts';
import type { S3Context } from '../context.ts';
import { checkBucketPolicy, isPublicPolicy, policyRefusal } from '../domain/bucket-policy.ts';
import { accessDenied, notFoundConfiguration } from '../errors.ts';
import { publicAccessBlockOf } from '../public-access.ts';
import { setBucket } from './set-bucket.ts';

export const putBucketPolicy = operation<S3Context, PutBucketPolicyRequest, Record<string, never>>(PutBucketPolicy$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketPolicy')],
  async handle(input, call, s3) {
    const name = input.Bucket ?? '';
    const policy = input.Policy ?? '';
    checkBucketPolicy(policy, name);
    const { BlockPublicPolicy: isBlocked } = await publicAccessBlockOf(s3, await s3.scope.bucket(call, name));
    if (isBlocked && isPublicPolicy(policy)) {
      throw accessDenied(
        `User: ${nameOf(call.caller)} is not authorized to perform: s3:PutBucketPolicy on resource: "${bucketArn(name)}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
      );
    }
    // As in AWS, an account may lock its users out with a policy; its root user can always remove it.
    await setBucket(s3, name, { policy: await s3.policyPrincipals.bind(policy, policyRefusal) });
    // AWS's answer, although its model has 200.
    call.reply.status = 204;
    return {};
  },
});

export const getBucketPolicy = operation<S3Context, GetBucketPolicyRequest, GetBucketPolicyOutput>(GetBucketPolicy$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketPolicy')],
  async handle(input, call, s3) {
    const { policy, name } = await s3.scope.bucket(call, input.Bucket ?? '');
    if (policy === null) throw noSuchPolicy(name);
    return { Policy: await s3.policyPrincipals.show(policy) };
  },
});

export const deleteBucketPolicy = operation<S3Context, DeleteBucketPolicyRequest, Record<string, never>>(
  DeleteBucketPolicy$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:DeleteBucketPolicy')],
    async handle(input, _call, s3) {
      await setBucket(s3, input.Bucket ?? '', { policy: null });
      return {};
    },
  },
);

export const getBucketPolicyStatus = operation<S3Context, GetBucketPolicyStatusRequest, GetBucketPolicyStatusOutput>(
  GetBucketPolicyStatus$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketPolicyStatus')],
    async handle(input, call, s3) {
      const { policy, name } = await s3.scope.bucket(call, input.Bucket ?? '');
      if (policy === null) throw noSuchPolicy(name);
      return { PolicyStatus: { IsPublic: isPublicPolicy(policy) } };
    },
  },
);

function noSuchPolicy(bucket: string): Error {
  return notFoundConfiguration('NoSuchBucketPolicy', 'The bucket policy does not exist', bucket);
}
