import { createHash } from 'node:crypto';
import {
  CreateMultipartUpload$,
  type CreateMultipartUploadOutput,
  type CreateMultipartUploadRequest,
} from '@aws-sdk/client-s3';
import { nameOf } from '#kernel/caller.ts';
import { type Call, operation } from '#kernel/operation.ts';
import { encryptionConditions, objectAccess } from '../access.ts';
import { membersOf, newAclAccess, newObjectAcl } from '../acl/new-object-acl.ts';
import { aclConditions } from '../acl/read-acl.ts';
import type { S3Context } from '../context.ts';
import { abortAnswer } from './bucket-lifecycle.ts';
import { asChecksumName, type ChecksumKind, checksumKindsOf, type ChecksumName } from '../domain/checksum.ts';
import { contextAnswer, encryptionAnswer } from '../domain/encryption-members.ts';
import { headersOf, metadataOf } from '../domain/object-headers.ts';
import { checkKey, refuseUnsupported } from '../domain/refusals.ts';
import { placementOf } from '../domain/storage-class.ts';
import { parseTagHeader } from '../domain/tag-set.ts';
import { invalidRequest, notImplemented } from '../errors.ts';
import { lockAccess, lockConditions, requestedLock } from './lock-members.ts';
import { requestTagConditions } from './put-object.ts';
import { startEncryption } from './start-encryption.ts';

export const createMultipartUpload = operation<S3Context, CreateMultipartUploadRequest, CreateMultipartUploadOutput>(
  CreateMultipartUpload$,
  {
    isAuthenticationRequired: false,
    isDataEvent: true,
    async authorize(input, call, s3) {
      const tags = input.Tagging === undefined ? undefined : parseTagHeader(input.Tagging);
      const context = {
        ...encryptionConditions(call, input),
        ...aclConditions(membersOf(call, input)),
        's3:x-amz-storage-class': input.StorageClass,
        ...lockConditions(call, input),
        ...(tags !== undefined && requestTagConditions(tags)),
      };
      const requests = [await objectAccess(s3, call, input, 's3:PutObject', context)];
      if (tags !== undefined) requests.push(await objectAccess(s3, call, input, 's3:PutObjectTagging', context));
      requests.push(...(await newAclAccess(s3, call, input)), ...(await lockAccess(s3, call, input, context)));
      return requests;
    },
    async handle(input, call, s3) {
      refuseUnsupported(input);
      const bucket = input.Bucket ?? '';
      const key = checkKey(input.Key);
      const { isChosen, ...checksum } = readChecksum(input);
      const headers = headersOf(input);
      const metadata = metadataOf(input.Metadata);
      const tags = input.Tagging === undefined ? undefined : parseTagHeader(input.Tagging);
      const placement = placementOf(input);
      const lock = requestedLock(input, await s3.scope.bucket(call, bucket), call.now);
      const acl = await newObjectAcl(s3, call, input);
      const uploadId = newUploadId(s3, call);
      const objectId = objectIdOf(uploadId);
      const { plaintext, stored } = await startEncryption(s3, call, input, { bucket, key, objectId });
      plaintext.fill(0);
      await s3.uploads.create(
        { id: uploadId, bucket, key, object_id: objectId, initiated_at: call.now },
        {
          headers,
          metadata,
          ...(tags !== undefined && { tags }),
          ...placement,
          ...lock,
          ...acl,
          encryption: stored,
          checksum,
          isChecksumChosen: isChosen,
          initiator: await initiatorOf(s3, call),
        },
      );
      return {
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        ...abortAnswer(await s3.scope.bucket(call, bucket), key, call.now),
        ...encryptionAnswer(stored),
        ...contextAnswer(stored),
        ...(isChosen && { ChecksumAlgorithm: checksum.name, ChecksumType: checksum.kind }),
      };
    },
  },
);

/** An account is named by its canonical user id, a user or role by its ARN (API reference, `Initiator`). */
async function initiatorOf(s3: S3Context, { caller }: Call): Promise<{ readonly id: string; readonly name: string }> {
  const arn = nameOf(caller);
  const id = caller.type === 'root' ? await s3.canonicalIdOf(caller.accountId) : arn;
  return { id, name: arn.split('/').at(-1) ?? '' };
}

/** Ids sort by when the uploads began, as listings want them. */
function newUploadId(s3: S3Context, call: Call): string {
  return `${call.now.toString(36).padStart(9, '0')}.${s3.randomness.bytes(36).toString('base64url')}`;
}

/** The id that the object will have; a repeated CompleteMultipartUpload knows its own work by it. */
export function objectIdOf(uploadId: string): string {
  return createHash('sha256').update(uploadId).digest('hex').slice(0, 32);
}

function readChecksum(input: CreateMultipartUploadRequest): {
  readonly name: ChecksumName;
  readonly kind: ChecksumKind;
  readonly isChosen: boolean;
} {
  if (input.ChecksumAlgorithm === undefined) {
    if (input.ChecksumType !== undefined) {
      throw invalidRequest('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
    }
    return { name: 'CRC64NVME', kind: 'FULL_OBJECT', isChosen: false };
  }
  const name = asChecksumName(input.ChecksumAlgorithm);
  if (name === undefined) throw notImplemented(`x-amz-checksum-algorithm: ${input.ChecksumAlgorithm}`);
  const kinds = checksumKindsOf(name);
  const kind = input.ChecksumType ?? kinds[0] ?? 'COMPOSITE';
  if (!kinds.includes(kind)) {
    throw invalidRequest(`The ${kind} checksum type cannot be used with the ${name.toLowerCase()} checksum algorithm.`);
  }
  return { name, kind, isChosen: true };
}
