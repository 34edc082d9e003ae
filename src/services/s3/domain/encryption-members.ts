import type { ServerSideEncryption } from '@aws-sdk/client-s3';
import { DEFAULT_ENCRYPTION, type BucketEncryption, type EncryptionChoice } from './encryption-choice.ts';
import type { StoredEncryption, StoredKmsKey } from './object-facts.ts';

/** The members by which answers tell how an object is encrypted. `BucketKeyEnabled` is left out when it is false. */
export interface EncryptionAnswer {
  ServerSideEncryption?: ServerSideEncryption;
  SSEKMSKeyId?: string;
  BucketKeyEnabled?: boolean;
  SSECustomerAlgorithm?: string;
  SSECustomerKeyMD5?: string;
}

export function encryptionAnswer(stored: StoredEncryption): EncryptionAnswer {
  switch (stored.kind) {
    case 'AES256':
      return { ServerSideEncryption: 'AES256' };
    case 'aws:kms':
      return {
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: stored.keyArn,
        ...(stored.wrapped !== undefined && { BucketKeyEnabled: true }),
      };
    case 'aws:kms:dsse':
      return { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: stored.outer.keyArn };
    case 'SSE-C':
      return { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: stored.keyMd5 };
  }
}

/** The data key that KMS keeps, where there is one. */
export function kmsKeyOf(stored: StoredEncryption): StoredKmsKey | undefined {
  if (stored.kind === 'aws:kms') return stored;
  return stored.kind === 'aws:kms:dsse' ? stored.outer : undefined;
}

/** What a write would have to choose to be encrypted so; `undefined` where only the customer can say it. */
export function choiceOf(stored: StoredEncryption): Exclude<EncryptionChoice, { readonly kind: 'SSE-C' }> | undefined {
  if (stored.kind === 'SSE-C') return undefined;
  const kmsKey = kmsKeyOf(stored);
  if (kmsKey === undefined) return { kind: 'AES256' };
  const { keyArn: keyId, context } = kmsKey;
  const key = { keyId, ...(context !== undefined && { context }) };
  if (stored.kind === 'aws:kms:dsse') return { kind: stored.kind, ...key };
  return { kind: 'aws:kms', ...key, isBucketKeyEnabled: kmsKey.wrapped !== undefined };
}

/** Answers to writes tell the encryption context too, in base64. */
export function contextAnswer(stored: StoredEncryption): { SSEKMSEncryptionContext?: string } {
  const context = kmsKeyOf(stored)?.context;
  if (context === undefined) return {};
  return { SSEKMSEncryptionContext: Buffer.from(JSON.stringify(context)).toString('base64') };
}

/** A bucket's default encryption as its record has it. */
export function bucketEncryptionOf(bucket: { readonly encryption: string | null }): BucketEncryption {
  return bucket.encryption === null ? DEFAULT_ENCRYPTION : (JSON.parse(bucket.encryption) as BucketEncryption);
}
