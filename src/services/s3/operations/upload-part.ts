import { createHash } from 'node:crypto';
import {
  UploadPart$,
  UploadPartCopy$,
  type UploadPartCopyOutput,
  type UploadPartCopyRequest,
  type UploadPartOutput,
  type UploadPartRequest,
} from '@aws-sdk/client-s3';
import { type AccessRequest, type Call, type ConditionContext, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { objectAccess, type ObjectInput, versionAnswer } from '../access.ts';
import { type Observer, writeContent } from '#storage/content/content-writer.ts';
import { writeLayers } from '../content/inner-layer.ts';
import { associatedDataOf, BLOB_SPACE } from '../content/stream-binding.ts';
import type { S3Context } from '../context.ts';
import { type ChecksumName, startChecksum } from '../domain/checksum.ts';
import { type EncryptionMembers, readCustomerKey } from '../domain/encryption-choice.ts';
import { encryptionAnswer } from '../domain/encryption-members.ts';
import type { StoredEncryption, StoredPart } from '../domain/object-facts.ts';
import { PayloadChecks } from '../domain/payload-checks.ts';
import { checkKey } from '../domain/refusals.ts';
import { internalError, invalidArgument, invalidRequest } from '../errors.ts';
import { checksumMembers } from '../keys/checksum-seal.ts';
import type { StoredUpload } from '../uploads.ts';
import { copySourceCondition, findSource, openSource, sourceAccess } from './copy-source.ts';
import { emptyBody } from './empty-body.ts';
import { lockOfNewVersion, requireDigest } from './lock-members.ts';
import { randomEtag } from './put-object.ts';
import { openDataKey } from './start-encryption.ts';

interface PartInput extends ObjectInput, EncryptionMembers {
  readonly UploadId: string | undefined;
  readonly PartNumber: number | undefined;
}

export const uploadPart = operation<S3Context, UploadPartRequest, UploadPartOutput>(UploadPart$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [await partAccess(s3, call, input)],
  async handle(input, call, s3) {
    const upload = await s3.uploads.find(input.Bucket ?? '', checkKey(input.Key), input.UploadId);
    const number = partNumberOf(input);
    const { encryption, checksum } = upload.facts;
    const bucket = await s3.scope.bucket(call, upload.row.bucket);
    requireDigest(call, input, lockOfNewVersion(upload.facts, bucket, call.now), 'Part');
    const needsMd5 = encryption.kind === 'AES256';
    const checks = new PayloadChecks(input, call, { fallback: checksum.name, needsMd5 });
    const isOther = checks.checksum.name !== checksum.name;
    if (isOther && upload.facts.isChecksumChosen) throw typeMismatch(checksum.name, checks.checksum.name);
    // The upload's own checksum is kept even where the client checks its parts by another.
    const own = isOther ? startChecksum(checksum.name) : undefined;
    const part = await writePart(s3, call, input, upload, number, {
      open: () => call.body ?? emptyBody(),
      expectedSize: checks.expectedSize,
      observers: own === undefined ? checks.observers : [...checks.observers, own],
      checkSize: checks.checkSize,
      verify: (size) => checks.finish(size),
      etag: () => (needsMd5 ? checks.md5 : undefined),
      checksum: () => ({ name: checksum.name, value: own?.digest() ?? checks.digest }),
    });
    return {
      ETag: `"${part.etag}"`,
      ...encryptionAnswer(encryption),
      ...checksumMembers({ name: checks.checksum.name, value: checks.digest }),
    };
  },
});

export const uploadPartCopy = operation<S3Context, UploadPartCopyRequest, UploadPartCopyOutput>(UploadPartCopy$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [
    await sourceAccess(s3, call, input),
    await partAccess(s3, call, input, copySourceCondition(input)),
  ],
  async handle(input, call, s3) {
    const upload = await s3.uploads.find(input.Bucket ?? '', checkKey(input.Key), input.UploadId);
    const number = partNumberOf(input);
    const source = await findSource(s3, call, input);
    const range = readCopyRange(input.CopySourceRange, source.row.size);
    const { encryption, checksum: wanted } = upload.facts;
    const checksum = startChecksum(wanted.name);
    const md5 = encryption.kind === 'AES256' ? createHash('md5') : undefined;
    const part = await writePart(s3, call, input, upload, number, {
      open: () => openSource(s3, call, input, source, range),
      expectedSize: range.end - range.start,
      observers: md5 === undefined ? [checksum] : [checksum, md5],
      checkSize: () => {},
      verify: () => {},
      etag: () => md5?.digest('hex'),
      checksum: () => ({ name: checksum.name, value: checksum.digest() }),
    });
    const { VersionId: sourceVersion } = await versionAnswer(s3, call, source);
    return {
      CopyPartResult: {
        ETag: `"${part.etag}"`,
        LastModified: new Date(call.now),
        ...(part.checksum?.value !== undefined && checksumMembers({ name: checksum.name, value: part.checksum.value })),
      },
      ...encryptionAnswer(encryption),
      ...(sourceVersion !== undefined && { CopySourceVersionId: sourceVersion }),
    };
  },
});

/**
 * A part asks for the right to write the object. It carries no encryption headers; what a policy asks of them was
 * said when the upload began, and counts for its parts.
 */
async function partAccess(
  s3: S3Context,
  call: Call,
  input: PartInput,
  conditions?: ConditionContext,
): Promise<AccessRequest> {
  const row = await s3.store.findUpload(input.UploadId ?? '');
  const isThis = row !== undefined && row.bucket === input.Bucket && row.key === input.Key;
  const context = isThis ? storedEncryptionConditions(s3.uploads.check(row).facts.encryption) : {};
  return await objectAccess(s3, call, input, 's3:PutObject', { ...context, ...conditions });
}

/** The encryption condition keys as the upload has them. */
export function storedEncryptionConditions(encryption: StoredEncryption) {
  const answer = encryptionAnswer(encryption);
  return {
    's3:x-amz-server-side-encryption': answer.ServerSideEncryption,
    's3:x-amz-server-side-encryption-aws-kms-key-id': answer.SSEKMSKeyId,
    's3:x-amz-server-side-encryption-customer-algorithm': answer.SSECustomerAlgorithm,
  };
}

interface PartContent {
  /** Opened when all is ready to take it. */
  readonly open: () => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
  readonly expectedSize: number | undefined;
  readonly observers: readonly Observer[];
  readonly checkSize: (size: number) => void;
  readonly verify: (size: number) => void;
  readonly etag: () => string | undefined;
  readonly checksum: () => { readonly name: ChecksumName; readonly value: string };
}

async function writePart(
  s3: S3Context,
  call: Call,
  input: PartInput,
  upload: StoredUpload,
  number: number,
  content: PartContent,
): Promise<StoredPart> {
  const { bucket, key, object_id: objectId, id: uploadId } = upload.row;
  const id = s3.randomness.bytes(16).toString('hex');
  checkCustomerKey(upload.facts.encryption, input);
  const dataKey = await openDataKey(s3, call, upload.facts.encryption, { bucket, key, objectId }, input);
  try {
    const written = await writeContent({
      blobs: s3.blobs,
      space: BLOB_SPACE,
      source: await content.open(),
      ...writeLayers(dataKey, id),
      associatedData: associatedDataOf({ bucket, key, objectId, part: number, partId: id }),
      observers: content.observers,
      expectedSize: content.expectedSize,
      checkSize: content.checkSize,
      verify: content.verify,
      needsDigest: upload.facts.encryption.kind === 'SSE-C',
      mayBeInline: false,
    });
    if (written.content.kind !== 'blob') throw internalError();
    const { kind: _, ...place } = written.content;
    const etag = content.etag() ?? randomEtag(s3);
    const checksum = { ...content.checksum(), kind: 'FULL_OBJECT' } as const;
    const part: StoredPart = { number, id, ...place, size: written.size, etag, checksum };
    try {
      await s3.uploads.putPart(uploadId, part, call.now);
    } catch (error) {
      if (error instanceof ServiceError) s3.leases.discard([place.blob]);
      throw error;
    }
    return part;
  } finally {
    dataKey.fill(0);
  }
}

/** A part has the customer's key with which the upload began, and no other. @throws ServiceError InvalidRequest */
function checkCustomerKey(encryption: StoredEncryption, input: PartInput): void {
  const given = readCustomerKey(input);
  if (encryption.kind !== 'SSE-C') {
    if (given === undefined) return;
    throw invalidRequest(
      'The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters.',
    );
  }
  if (given === undefined) {
    throw invalidRequest(
      'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    );
  }
  if (given.md5 !== encryption.keyMd5) {
    throw invalidRequest('The provided encryption parameters did not match the ones used originally.');
  }
}

function partNumberOf(input: PartInput): number {
  const number = input.PartNumber ?? 0;
  if (Number.isInteger(number) && number >= 1 && number <= 10_000) return number;
  throw invalidArgument('Part number must be an integer between 1 and 10000, inclusive', 'partNumber', String(number));
}

function readCopyRange(text: string | undefined, size: number): { readonly start: number; readonly end: number } {
  if (text === undefined) return { start: 0, end: size };
  const match = /^bytes=(\d+)-(\d+)$/.exec(text);
  const [start, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last < start) {
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      'x-amz-copy-source-range',
      text,
    );
  }
  if (last >= size) {
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${size}`,
      'x-amz-copy-source-range',
      text,
    );
  }
  return { start, end: last + 1 };
}

function typeMismatch(expected: ChecksumName, actual: ChecksumName): Error {
  return invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${actual.toLowerCase()}`,
  );
}
