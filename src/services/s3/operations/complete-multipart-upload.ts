import { createHash } from 'node:crypto';
import {
  CompleteMultipartUpload$,
  type CompleteMultipartUploadOutput,
  type CompleteMultipartUploadRequest,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { type Call, operation } from '#kernel/operation.ts';
import { objectAccess, versionAnswer } from '../access.ts';
import type { S3Context } from '../context.ts';
import { expirationAnswer } from './bucket-lifecycle.ts';
import {
  CHECKSUM_NAMES,
  type ChecksumValue,
  checksumHeaderOf,
  checksumMemberOf,
  combineChecksums,
  compositeChecksum,
} from '../domain/checksum.ts';
import { versioningOf } from '../domain/bucket-settings.ts';
import { encryptionAnswer } from '../domain/encryption-members.ts';
import type { StoredEncryption, StoredPart } from '../domain/object-facts.ts';
import { parseStoredPart } from '../domain/object-facts.ts';
import { plainEtag, readWriteCondition } from '../domain/preconditions.ts';
import { digestOfParts } from '../domain/record-seal.ts';
import { checkKey } from '../domain/refusals.ts';
import {
  badDigest,
  entityTooSmall,
  internalError,
  invalidPart,
  invalidPartOrder,
  invalidRequest,
  malformedXml,
  noSuchUpload,
} from '../errors.ts';
import { checksumMembers, openChecksum, storeChecksum } from '../keys/checksum-seal.ts';
import { announceCreated } from '../notifications/announce.ts';
import type { StoredObject } from '../objects.ts';
import type { S3Transaction } from '../store.ts';
import { type StoredUpload, takeUpload } from '../uploads.ts';
import { objectIdOf } from './create-multipart-upload.ts';
import { lockOfNewVersion } from './lock-members.ts';
import { placeOf } from './get-object.ts';
import { openDataKey } from './start-encryption.ts';
import { storedEncryptionConditions } from './upload-part.ts';

const MINIMUM_PART = 5 * 1024 * 1024;

export const completeMultipartUpload = operation<
  S3Context,
  CompleteMultipartUploadRequest,
  CompleteMultipartUploadOutput
>(CompleteMultipartUpload$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  async authorize(input, call, s3) {
    const row = await s3.store.findUpload(input.UploadId ?? '');
    const isThis = row !== undefined && row.bucket === input.Bucket && row.key === input.Key;
    const conditions = isThis ? storedEncryptionConditions(s3.uploads.check(row).facts.encryption) : {};
    const context = { ...conditions, 's3:if-none-match': input.IfNoneMatch, 's3:if-match': input.IfMatch };
    return [await objectAccess(s3, call, input, 's3:PutObject', context)];
  },
  async handle(input, call, s3) {
    const key = checkKey(input.Key);
    const done = await alreadyCompleted(s3, call, input);
    if (done !== undefined) return done;
    const upload = await s3.uploads.find(input.Bucket ?? '', key, input.UploadId);
    const condition = readWriteCondition(input);
    const parts = await chooseParts(s3, input, upload);
    const checksum = checksumOfParts(upload, parts);
    checkWholeObject(input, upload, parts, checksum);
    const { bucket, object_id: objectId, id: uploadId } = upload.row;
    const { encryption, headers, metadata, tags, storageClass, redirect, acl } = upload.facts;
    const bucketRow = await s3.scope.bucket(call, bucket);
    const storedParts = await sealParts(s3, call, input, upload, parts, checksum);
    const etag = `${md5OfEtags(parts)}-${parts.length}`;
    const size = sizeOf(parts);
    let unused: readonly string[] = [];
    const announce = announceCreated(s3, call, bucketRow, 'CompleteMultipartUpload', { key, size, etag });
    const versionId = await s3.objects.put(
      {
        bucket,
        key,
        id: objectId,
        size,
        etag,
        modified_at: call.now,
        facts: {
          headers,
          metadata,
          ...(tags !== undefined && { tags }),
          ...(storageClass !== undefined && { storageClass }),
          ...(redirect !== undefined && { redirect }),
          ...lockOfNewVersion(upload.facts, bucketRow, call.now),
          ...(acl !== undefined && { acl }),
          encryption,
          content: { kind: 'parts', count: parts.length, digest: digestOfParts(JSON.stringify(storedParts.parts)) },
          checksum: storedParts.checksum,
        },
        parts: storedParts.parts,
        body: null,
      },
      condition,
      versioningOf(bucketRow),
      async (transaction, version) => {
        await requireSameParts(transaction, uploadId, parts);
        const used = new Set(parts.map((part) => part.blob));
        unused = (await takeUpload(transaction, uploadId)).filter((blob) => !used.has(blob));
        await announce(transaction, version);
      },
    );
    s3.leases.discard(unused);
    return {
      ...answer(call, input, etag, encryption, checksum),
      ...expirationAnswer(bucketRow, { key, size, modified_at: call.now }, upload.facts),
      ...(versionId !== undefined && { VersionId: versionId }),
    };
  },
});

/** A client that did not hear of its success asks again: it gets the same answer as long as the object stands. */
async function alreadyCompleted(
  s3: S3Context,
  call: Call,
  input: CompleteMultipartUploadRequest,
): Promise<CompleteMultipartUploadOutput | undefined> {
  const uploadId = input.UploadId ?? '';
  if ((await s3.store.findUpload(uploadId)) !== undefined) return undefined;
  const object: StoredObject | undefined = await s3.scope.object(call, input.Bucket ?? '', input.Key ?? '');
  if (object === undefined || object.row.id !== objectIdOf(uploadId)) throw noSuchUpload(uploadId);
  const { encryption, checksum: stored } = object.facts;
  const dataKey = await openDataKey(s3, call, encryption, placeOf(object), input);
  try {
    const checksum = stored === undefined ? undefined : openChecksum(stored, dataKey, object.row.id);
    return {
      ...answer(call, input, object.row.etag, encryption, checksum),
      ...(await versionAnswer(s3, call, object)),
    };
  } finally {
    dataKey.fill(0);
  }
}

function answer(
  call: Call,
  input: CompleteMultipartUploadRequest,
  etag: string,
  encryption: StoredEncryption,
  checksum: ChecksumValue | undefined,
): CompleteMultipartUploadOutput {
  const { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled } = encryptionAnswer(encryption);
  const scheme = call.source.isSecure ? 'https' : 'http';
  const path = `${input.Bucket}/${(input.Key ?? '').split('/').map(encodeURIComponent).join('/')}`;
  return {
    Location: `${scheme}://${call.source.host}/${path}`,
    Bucket: input.Bucket,
    Key: input.Key,
    ETag: `"${etag}"`,
    ...(ServerSideEncryption !== undefined && { ServerSideEncryption }),
    ...(SSEKMSKeyId !== undefined && { SSEKMSKeyId }),
    ...(BucketKeyEnabled !== undefined && { BucketKeyEnabled }),
    ...(checksum !== undefined && { ...checksumMembers(checksum), ChecksumType: checksum.kind }),
  };
}

async function chooseParts(
  s3: S3Context,
  input: CompleteMultipartUploadRequest,
  upload: StoredUpload,
): Promise<StoredPart[]> {
  const wanted = input.MultipartUpload?.Parts ?? [];
  if (wanted.length === 0) throw malformedXml();
  const uploadId = upload.row.id;
  for (const [index, item] of wanted.entries()) {
    const previous = wanted[index - 1]?.PartNumber ?? 0;
    if ((item.PartNumber ?? 0) <= previous) throw invalidPartOrder(uploadId);
  }
  const uploaded = new Map((await s3.uploads.parts(uploadId)).map(({ part }) => [part.number, part]));
  const chosen = wanted.map((item) => {
    const part = uploaded.get(item.PartNumber ?? 0);
    if (part === undefined || plainEtag(item.ETag ?? '') !== part.etag) {
      throw invalidPart(item.PartNumber, item.ETag, uploadId);
    }
    checkPartChecksum(item, part, upload);
    return part;
  });
  const small = chosen.slice(0, -1).find((part) => part.size < MINIMUM_PART);
  if (small !== undefined) throw entityTooSmall(small.number, small.size, small.etag);
  return chosen;
}

function checkPartChecksum(item: CompletedPart, part: StoredPart, { row, facts }: StoredUpload): void {
  const { name, kind } = facts.checksum;
  const given = CHECKSUM_NAMES.find((candidate) => item[checksumMemberOf(candidate)] !== undefined);
  if (given === undefined) {
    if (!facts.isChecksumChosen || kind === 'FULL_OBJECT') return;
    throw invalidRequest(
      `The upload was created using a ${name.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
    );
  }
  // Only the upload's own algorithm was kept; another one was checked when the part came.
  if (given !== name) return;
  if (item[checksumMemberOf(given)] !== part.checksum?.value) throw invalidPart(part.number, item.ETag, row.id);
}

function checksumOfParts({ facts }: StoredUpload, parts: readonly StoredPart[]): ChecksumValue {
  const { name, kind } = facts.checksum;
  const values = parts.map((part) => {
    const value = part.checksum?.value;
    if (value === undefined) throw internalError();
    return { value, size: part.size };
  });
  const value =
    kind === 'FULL_OBJECT'
      ? combineChecksums(name, values)
      : compositeChecksum(
          name,
          values.map((item) => item.value),
        );
  return { name, kind, value };
}

function checkWholeObject(
  input: CompleteMultipartUploadRequest,
  upload: StoredUpload,
  parts: readonly StoredPart[],
  checksum: ChecksumValue,
): void {
  const { ChecksumType: kind, MpuObjectSize: expectedSize } = input;
  if (kind !== undefined && upload.facts.isChecksumChosen && kind !== checksum.kind) {
    throw invalidRequest(
      `The upload was created using the ${checksum.kind} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const given = CHECKSUM_NAMES.find((name) => input[checksumMemberOf(name)] !== undefined);
  if (given !== undefined) {
    if (given !== checksum.name) {
      throw invalidRequest(`Value for ${checksumHeaderOf(given)} header is invalid.`);
    }
    const value = input[checksumMemberOf(given)];
    if (value !== checksum.value && `${value}-${parts.length}` !== checksum.value) throw badDigest(given);
  }
  const size = sizeOf(parts);
  if (expectedSize !== undefined && expectedSize !== size) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${expectedSize} does not match what was computed: ${size}`,
    );
  }
}

/** The parts and the checksum as the object keeps them; opening the data key asks for the right to decrypt. */
async function sealParts(
  s3: S3Context,
  call: Call,
  input: CompleteMultipartUploadRequest,
  { row, facts }: StoredUpload,
  parts: readonly StoredPart[],
  checksum: ChecksumValue,
) {
  const { bucket, key, object_id: objectId } = row;
  const { encryption } = facts;
  const dataKey = await openDataKey(s3, call, encryption, { bucket, key, objectId }, input);
  try {
    return {
      checksum: storeChecksum(checksum, encryption, dataKey, objectId),
      parts: parts.map((part) => {
        const { name, value } = part.checksum ?? {};
        if (name === undefined || value === undefined) return part;
        const stored = storeChecksum({ name, value, kind: 'FULL_OBJECT' }, encryption, dataKey, objectId);
        return { ...part, checksum: stored };
      }),
    };
  } finally {
    dataKey.fill(0);
  }
}

/** A part that was uploaded again meanwhile is another part. */
async function requireSameParts(
  transaction: S3Transaction,
  uploadId: string,
  parts: readonly StoredPart[],
): Promise<void> {
  const rows = await transaction.selectFrom('s3_part').select('facts').where('upload', '=', uploadId).execute();
  const present = new Set(rows.map((row) => parseStoredPart(row.facts).id));
  const missing = parts.find((part) => !present.has(part.id));
  if (missing === undefined) return;
  if (rows.length === 0) throw noSuchUpload(uploadId);
  throw invalidPart(missing.number, missing.etag, uploadId);
}

function md5OfEtags(parts: readonly StoredPart[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(Buffer.from(part.etag, 'hex'));
  return hash.digest('hex');
}

function sizeOf(parts: readonly StoredPart[]): number {
  return parts.reduce((total, part) => total + part.size, 0);
}
