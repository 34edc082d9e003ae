import { createHash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '#kernel/service-error.ts';
import { invalidArgument, invalidRequest } from '../errors.ts';

/** How an object is to be encrypted. */
export type EncryptionChoice =
  | { readonly kind: 'AES256' }
  | {
      readonly kind: 'aws:kms';
      /** Id, ARN, alias name or alias ARN, as it was given. */
      readonly keyId: string;
      /** The encryption context beyond `aws:s3:arn`. */
      readonly context?: Readonly<Record<string, string>>;
      readonly isBucketKeyEnabled: boolean;
    }
  | {
      readonly kind: 'aws:kms:dsse';
      readonly keyId: string;
      readonly context?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'SSE-C'; readonly customerKey: CustomerKey };

export interface CustomerKey {
  readonly key: Buffer;
  /** In base64. */
  readonly md5: string;
}

/** A bucket's default encryption. */
export interface BucketEncryption {
  readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  /** As it was given; `undefined` stands for `aws/s3`. */
  readonly keyId?: string;
  readonly isBucketKeyEnabled: boolean;
  readonly isCustomerKeyBlocked?: boolean;
}

/** The members of a request that choose the encryption. */
export interface EncryptionMembers {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly SSEKMSEncryptionContext?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
  readonly SSECustomerKeyMD5?: string | undefined;
}

export const DEFAULT_ENCRYPTION: BucketEncryption = { algorithm: 'AES256', isBucketKeyEnabled: false };

const AWS_MANAGED_KEY = 'alias/aws/s3';
const HEADER = 'x-amz-server-side-encryption';

/**
 * What the request's headers and the bucket's default say together: a header wins over the default.
 *
 * @param objectArn for the check of the given encryption context
 */
export function chooseEncryption(
  members: EncryptionMembers,
  bucket: BucketEncryption,
  arns: readonly string[],
): EncryptionChoice {
  const requested = members.ServerSideEncryption;
  const customerKey = readCustomerKey(members);
  if (customerKey !== undefined) {
    if (requested !== undefined) {
      throw invalidArgument(
        'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
        HEADER,
        requested,
      );
    }
    return { kind: 'SSE-C', customerKey };
  }
  if (requested !== undefined && !isAlgorithm(requested)) {
    throw invalidArgument('The encryption method specified is not supported', HEADER, requested);
  }
  if (members.SSEKMSKeyId !== undefined && (requested === undefined || requested === 'AES256')) {
    throw invalidArgument(
      `Server Side Encryption with AWS KMS managed key requires HTTP header ${HEADER} : aws:kms`,
      HEADER,
      requested ?? 'null',
    );
  }
  const algorithm = requested ?? bucket.algorithm;
  if (algorithm === 'AES256') {
    if (members.SSEKMSEncryptionContext !== undefined) {
      throw invalidArgument(
        `Server Side Encryption with AWS KMS managed key requires HTTP header ${HEADER} : aws:kms`,
        HEADER,
        requested ?? 'null',
      );
    }
    return { kind: 'AES256' };
  }
  const context = readContext(members.SSEKMSEncryptionContext, arns);
  const defaultKey = bucket.algorithm === 'AES256' ? undefined : bucket.keyId;
  const choice = {
    // A header that names no key means aws/s3, whatever the bucket's default key is.
    keyId: members.SSEKMSKeyId ?? (requested === undefined ? defaultKey : undefined) ?? AWS_MANAGED_KEY,
    ...(context !== undefined && { context }),
  };
  if (algorithm === 'aws:kms:dsse') {
    if (members.BucketKeyEnabled === true) throw noBucketKey();
    return { kind: algorithm, ...choice };
  }
  return {
    kind: 'aws:kms',
    ...choice,
    isBucketKeyEnabled: members.BucketKeyEnabled ?? bucket.isBucketKeyEnabled,
  };
}

const ALGORITHMS = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const;

export function isAlgorithm(text: string): text is BucketEncryption['algorithm'] {
  return ALGORITHMS.some((algorithm) => algorithm === text);
}

export function noBucketKey(): Error {
  return invalidArgument(
    'S3 Bucket Keys are not supported with dual-layer server-side encryption (aws:kms:dsse)',
    `${HEADER}-bucket-key-enabled`,
    'true',
  );
}

/**
 * The customer's key of a request, checked in AWS's order; `undefined` when the request has none.
 *
 * @param prefix of the header names that errors give
 */
export function readCustomerKey(members: EncryptionMembers): CustomerKey | undefined {
  const { SSECustomerAlgorithm: algorithm, SSECustomerKey: key, SSECustomerKeyMD5: md5 } = members;
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  if (algorithm !== undefined && algorithm !== 'AES256') {
    throw new ServiceError(
      'InvalidEncryptionAlgorithmError',
      400,
      'The Encryption request you specified is not valid. Supported value: AES256.',
      { members: { ArgumentName: `${HEADER}-customer-algorithm`, ArgumentValue: algorithm } },
    );
  }
  if (algorithm === undefined) {
    throw invalidArgument(
      'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
      `${HEADER}-customer-algorithm`,
    );
  }
  if (key === undefined) {
    throw invalidArgument(
      'Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.',
      `${HEADER}-customer-key`,
    );
  }
  if (md5 === undefined) {
    throw invalidArgument(
      'Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.',
      `${HEADER}-customer-key-MD5`,
    );
  }
  const bytes = Buffer.from(key, 'base64');
  const given = Buffer.from(md5, 'base64');
  const calculated = createHash('md5').update(bytes).digest();
  if (given.length !== calculated.length || !timingSafeEqual(given, calculated)) {
    throw invalidArgument(
      'The calculated MD5 hash of the key did not match the hash that was provided.',
      `${HEADER}-customer-key-MD5`,
    );
  }
  if (bytes.length !== 32) {
    throw invalidArgument('The secret key was invalid for the specified algorithm.', `${HEADER}-customer-key`);
  }
  return { key: bytes, md5 };
}

/** Refuses the encryption headers that a read must not carry. */
export function refuseEncryptionHeaders(header: (name: string) => string | undefined): void {
  for (const name of [HEADER, `${HEADER}-aws-kms-key-id`, `${HEADER}-context`]) {
    if (header(name) !== undefined)
      throw invalidRequest(`x-amz-server-side-encryption header is not supported for this operation.`);
  }
}

/** The encryption context of a request: base64 of a JSON object of strings. */
function readContext(text: string | undefined, arns: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (text === undefined) return undefined;
  const refusal = invalidArgument(
    `The header '${HEADER}-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map`,
    `${HEADER}-context`,
  );
  let value: unknown;
  try {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw refusal;
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64')));
  } catch {
    throw refusal;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refusal;
  const context: Record<string, string> = {};
  for (const [name, entry] of Object.entries(value)) {
    if (typeof entry !== 'string') throw refusal;
    if (name === 'aws:s3:arn') {
      if (!arns.includes(entry)) throw refusal;
      continue;
    }
    context[name] = entry;
  }
  return Object.keys(context).length === 0 ? undefined : context;
}
