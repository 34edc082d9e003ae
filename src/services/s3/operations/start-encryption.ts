import type { Call } from '#kernel/operation.ts';
import { bucketArn, kmsAuthority, objectArn } from '../access.ts';
import type { S3Context } from '../context.ts';
import {
  chooseEncryption,
  type CustomerKey,
  type EncryptionMembers,
  readCustomerKey,
} from '../domain/encryption-choice.ts';
import { bucketEncryptionOf, kmsKeyOf } from '../domain/encryption-members.ts';
import type { StoredEncryption } from '../domain/object-facts.ts';
import { accessDenied, invalidRequest } from '../errors.ts';
import type { DataKey, DataKeyPlace } from '../keys/data-keys.ts';

/** Makes the data key for a new object, as the request and the bucket's default say. */
export async function startEncryption(
  s3: S3Context,
  call: Call,
  members: EncryptionMembers,
  place: DataKeyPlace,
): Promise<DataKey> {
  const bucket = await s3.scope.bucket(call, place.bucket);
  const defaults = bucketEncryptionOf(bucket);
  const arns = [objectArn(place.bucket, place.key), bucketArn(place.bucket)];
  const choice = chooseEncryption(members, defaults, arns);
  if (choice.kind === 'SSE-C') {
    if (defaults.isCustomerKeyBlocked === true) {
      throw accessDenied(
        'This bucket has blocked upload requests that use server-side encryption with customer-provided keys (SSE-C).',
      );
    }
    requireSecure(s3, call);
  }
  if ((choice.kind === 'aws:kms' || choice.kind === 'aws:kms:dsse') && call.caller.type === 'anonymous') {
    throw invalidRequest(
      'Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.',
    );
  }
  const dataKey = await s3.dataKeys.create(choice, place, kmsAuthority(call, bucket));
  // Whose key it was stands in this operation's own record too: a cached bucket key makes no record of KMS's.
  const kmsKey = kmsKeyOf(dataKey.stored);
  if (kmsKey !== undefined) call.audit.resources.add(kmsKey.keyArn);
  return dataKey;
}

/** Opens the data key of an object or upload, with the checks of a customer-provided key. */
export async function openDataKey(
  s3: S3Context,
  call: Call,
  stored: StoredEncryption,
  place: DataKeyPlace,
  members: EncryptionMembers,
): Promise<Buffer> {
  const customerKey = customerKeyFor(s3, call, stored, members);
  const kmsKey = kmsKeyOf(stored);
  if (kmsKey !== undefined && call.caller.type === 'anonymous') {
    throw invalidRequest(
      'Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.',
    );
  }
  const bucket = await s3.scope.bucket(call, place.bucket);
  if (kmsKey !== undefined) call.audit.resources.add(kmsKey.keyArn);
  return await s3.dataKeys.open(stored, place, kmsAuthority(call, bucket), customerKey);
}

/** Checks that a request has the customer's key exactly where the object needs one, and that it is the right one. */
export function customerKeyFor(
  s3: S3Context,
  call: Call,
  stored: StoredEncryption,
  members: EncryptionMembers,
): CustomerKey | undefined {
  const customerKey = readCustomerKey(members);
  if (stored.kind !== 'SSE-C') {
    if (customerKey === undefined) return undefined;
    throw invalidRequest('The encryption parameters are not applicable to this object.');
  }
  if (customerKey === undefined) {
    throw invalidRequest(
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    );
  }
  requireSecure(s3, call);
  if (customerKey.md5 !== stored.keyMd5) throw wrongCustomerKey();
  return customerKey;
}

function wrongCustomerKey(): Error {
  return accessDenied(
    'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
  );
}

function requireSecure(s3: S3Context, call: Call): void {
  if (call.source.isSecure || s3.isInsecureCustomerKeyAllowed) return;
  throw invalidRequest(
    'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
  );
}
