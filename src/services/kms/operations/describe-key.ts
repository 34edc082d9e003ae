import { DescribeKey$, type DescribeKeyRequest, type DescribeKeyResponse } from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyMetadata } from '../domain/key-metadata.ts';
import { authorizeOnKey } from './authorize-on-key.ts';

export const describeKey = operation<KmsContext, DescribeKeyRequest, DescribeKeyResponse>(DescribeKey$, {
  authorize: authorizeOnKey('kms:DescribeKey'),
  async handle(input, call, kms) {
    const { key } = await kms.keys.locate(input.KeyId ?? '', call, 'kms:DescribeKey');
    return { KeyMetadata: keyMetadata(key) };
  },
});
