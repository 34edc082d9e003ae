import {
  DeleteBucketEncryption$,
  type DeleteBucketEncryptionRequest,
  GetBucketEncryption$,
  type GetBucketEncryptionOutput,
  type GetBucketEncryptionRequest,
  PutBucketEncryption$,
  type PutBucketEncryptionRequest,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { type BucketEncryption, isAlgorithm, noBucketKey } from '../domain/encryption-choice.ts';
import { bucketEncryptionOf } from '../domain/encryption-members.ts';
import { invalidArgument, malformedXml, notImplemented } from '../errors.ts';
import { setBucket } from './set-bucket.ts';

export const putBucketEncryption = operation<S3Context, PutBucketEncryptionRequest, Record<string, never>>(
  PutBucketEncryption$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutEncryptionConfiguration')],
    async handle(input, call, s3) {
      const rules = input.ServerSideEncryptionConfiguration?.Rules ?? [];
      const [rule] = rules;
      if (rule === undefined || rules.length !== 1) throw malformedXml();
      const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
      const encryption = readRule(rule, bucketEncryptionOf(bucket));
      await setBucket(s3, bucket.name, { encryption: JSON.stringify(encryption) });
      return {};
    },
  },
);

export const getBucketEncryption = operation<S3Context, GetBucketEncryptionRequest, GetBucketEncryptionOutput>(
  GetBucketEncryption$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetEncryptionConfiguration')],
    async handle(input, call, s3) {
      const encryption = bucketEncryptionOf(await s3.scope.bucket(call, input.Bucket ?? ''));
      const { algorithm, keyId, isBucketKeyEnabled, isCustomerKeyBlocked } = encryption;
      const rule: ServerSideEncryptionRule = {
        ApplyServerSideEncryptionByDefault: {
          SSEAlgorithm: algorithm,
          ...(keyId !== undefined && { KMSMasterKeyID: keyId }),
        },
        BucketKeyEnabled: isBucketKeyEnabled,
        ...(isCustomerKeyBlocked === true && { BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } }),
      };
      return { ServerSideEncryptionConfiguration: { Rules: [rule] } };
    },
  },
);

export const deleteBucketEncryption = operation<S3Context, DeleteBucketEncryptionRequest, Record<string, never>>(
  DeleteBucketEncryption$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutEncryptionConfiguration')],
    async handle(input, _call, s3) {
      await setBucket(s3, input.Bucket ?? '', { encryption: null });
      return {};
    },
  },
);

/** The key is not looked at here: a wrong one is an error at the first upload, as in AWS. */
function readRule(rule: ServerSideEncryptionRule, before: BucketEncryption): BucketEncryption {
  const { SSEAlgorithm: algorithm = before.algorithm, KMSMasterKeyID: keyId } =
    rule.ApplyServerSideEncryptionByDefault ?? { KMSMasterKeyID: before.keyId };
  if (!isAlgorithm(algorithm)) throw notImplemented(`SSEAlgorithm: ${algorithm}`);
  if (algorithm === 'aws:kms:dsse' && rule.BucketKeyEnabled === true) throw noBucketKey();
  if (algorithm === 'AES256' && keyId !== undefined && keyId !== '') {
    throw invalidArgument(
      'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
    );
  }
  const blocked = rule.BlockedEncryptionTypes?.EncryptionType;
  const isCustomerKeyBlocked = blocked === undefined ? before.isCustomerKeyBlocked : blocked.includes('SSE-C');
  return {
    algorithm,
    ...(algorithm !== 'AES256' && keyId !== undefined && keyId !== '' && { keyId }),
    isBucketKeyEnabled: rule.BucketKeyEnabled ?? false,
    ...(isCustomerKeyBlocked === true && { isCustomerKeyBlocked }),
  };
}
