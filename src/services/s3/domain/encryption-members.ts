import type { ServerSideEncryption } from '@aws-sdk/client-s3';
import { DEFAULT_ENCRYPTION, type BucketEncryption } from './encryption-choice.ts';
import type { StoredEncryption } from './object-facts.ts';

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
    case 'SSE-C':
      return { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: stored.keyMd5 };
  }
}

/** Answers to writes tell the encryption context too, in base64. */
export function contextAnswer(stored: StoredEncryption): { SSEKMSEncryptionContext?: string } {
  if (stored.kind !== 'aws:kms' || stored.context === undefined) return {};
  return { SSEKMSEncryptionContext: Buffer.from(JSON.stringify(stored.context)).toString('base64') };
}

/** A bucket's default encryption as its record has it. */
export function bucketEncryptionOf(bucket: { readonly encryption: string | null }): BucketEncryption {
  return bucket.encryption === null ? DEFAULT_ENCRYPTION : (JSON.parse(bucket.encryption) as BucketEncryption);
}
