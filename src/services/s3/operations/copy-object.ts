import { createHash } from 'node:crypto';
import { CopyObject$, type CopyObjectOutput, type CopyObjectRequest } from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { encryptionConditions, objectAccess, versionAnswer } from '../access.ts';
import { writeContent } from '#storage/content/content-writer.ts';
import { writeLayers } from '../content/inner-layer.ts';
import { associatedDataOf, BLOB_SPACE } from '../content/stream-binding.ts';
import { membersOf, newAclAccess, newObjectAcl } from '../acl/new-object-acl.ts';
import { aclConditions } from '../acl/read-acl.ts';
import type { S3Context } from '../context.ts';
import { expirationAnswer } from './bucket-lifecycle.ts';
import { asChecksumName, startChecksum } from '../domain/checksum.ts';
import { versioningOf } from '../domain/bucket-settings.ts';
import { contextAnswer, encryptionAnswer } from '../domain/encryption-members.ts';
import { headersOf, metadataOf } from '../domain/object-headers.ts';
import { readWriteCondition } from '../domain/preconditions.ts';
import { checkKey, refuseUnsupported } from '../domain/refusals.ts';
import { placementOf } from '../domain/storage-class.ts';
import { parseTagHeader } from '../domain/tag-set.ts';
import { invalidRequest, notImplemented } from '../errors.ts';
import { checksumMembers, storeChecksum } from '../keys/checksum-seal.ts';
import { announceCreated } from '../notifications/announce.ts';
import type { StoredObject } from '../objects.ts';
import { copySourceCondition, findSource, openSource, parseCopySource, sourceAccess } from './copy-source.ts';
import { lockAccess, lockConditions, lockOfNewVersion, requestedLock } from './lock-members.ts';
import { randomEtag, requestTagConditions } from './put-object.ts';
import { startEncryption } from './start-encryption.ts';

export const copyObject = operation<S3Context, CopyObjectRequest, CopyObjectOutput>(CopyObject$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  async authorize(input, call, s3) {
    const source = parseCopySource(input.CopySource);
    const tags = input.Tagging === undefined ? undefined : parseTagHeader(input.Tagging);
    const context = {
      ...encryptionConditions(call, input),
      ...copySourceCondition(input),
      's3:x-amz-metadata-directive': input.MetadataDirective,
      ...aclConditions(membersOf(call, input)),
      's3:x-amz-storage-class': input.StorageClass,
      ...lockConditions(call, input),
      ...(tags !== undefined && requestTagConditions(tags)),
    };
    const requests = [
      await sourceAccess(s3, call, input),
      await objectAccess(s3, call, input, 's3:PutObject', context),
      ...(await newAclAccess(s3, call, input)),
      ...(await lockAccess(s3, call, input, context)),
    ];
    const sourceObject = await s3.scope.object(call, source.bucket, source.key, source.versionId);
    const copiesTags = input.TaggingDirective !== 'REPLACE' && sourceObject?.facts.tags !== undefined;
    if (copiesTags) requests.push(await sourceAccess(s3, call, input, 's3:GetObjectTagging'));
    if (copiesTags || tags !== undefined) {
      requests.push(await objectAccess(s3, call, input, 's3:PutObjectTagging', context));
    }
    return requests;
  },
  async handle(input, call, s3) {
    refuseUnsupported(input);
    const bucket = input.Bucket ?? '';
    const key = checkKey(input.Key);
    const condition = readWriteCondition(input);
    const algorithm = readAlgorithm(input.ChecksumAlgorithm);
    const source = await findSource(s3, call, input);
    refuseNoChange(input, source);
    const bucketRow = await s3.scope.bucket(call, bucket);
    const lock = lockOfNewVersion(requestedLock(input, bucketRow, call.now), bucketRow, call.now);
    const acl = await newObjectAcl(s3, call, input);
    const about = { ...aboutCopy(input, source), ...placementOf(input), ...lock, ...acl };
    const { size } = source.row;
    const id = s3.randomness.bytes(16).toString('hex');
    const { plaintext: dataKey, stored: encryption } = await startEncryption(s3, call, input, {
      bucket,
      key,
      objectId: id,
    });
    try {
      const checksum = startChecksum(algorithm ?? source.facts.checksum?.name ?? 'CRC64NVME');
      const md5 = encryption.kind === 'AES256' ? createHash('md5') : undefined;
      const written = await writeContent({
        blobs: s3.blobs,
        space: BLOB_SPACE,
        source: await openSource(s3, call, input, source, { start: 0, end: size }),
        ...writeLayers(dataKey, id),
        associatedData: associatedDataOf({ bucket, key, objectId: id, part: 0, partId: id }),
        observers: md5 === undefined ? [checksum] : [checksum, md5],
        expectedSize: size,
        checkSize: () => {},
        needsDigest: encryption.kind === 'SSE-C',
        mayBeInline: true,
      });
      const value = { name: checksum.name, kind: 'FULL_OBJECT', value: checksum.digest() } as const;
      const etag = md5?.digest('hex') ?? randomEtag(s3);
      const versionId = await s3.objects.put(
        {
          bucket,
          key,
          id,
          size: written.size,
          etag,
          modified_at: call.now,
          facts: {
            ...about,
            encryption,
            content: written.content,
            checksum: storeChecksum(value, encryption, dataKey, id),
          },
          body: written.body,
        },
        condition,
        versioningOf(bucketRow),
        announceCreated(s3, call, bucketRow, 'Copy', { key, size: written.size, etag }),
      );
      const { VersionId: sourceVersion } = await versionAnswer(s3, call, source);
      return {
        ...(versionId !== undefined && { VersionId: versionId }),
        ...(sourceVersion !== undefined && { CopySourceVersionId: sourceVersion }),
        ...expirationAnswer(bucketRow, { key, size: written.size, modified_at: call.now }, about),
        CopyObjectResult: {
          ETag: `"${etag}"`,
          LastModified: new Date(call.now),
          ...checksumMembers(value),
          ChecksumType: 'FULL_OBJECT',
        },
        ...encryptionAnswer(encryption),
        ...contextAnswer(encryption),
      };
    } finally {
      dataKey.fill(0);
    }
  },
});

function readAlgorithm(text: string | undefined) {
  if (text === undefined) return undefined;
  const name = asChecksumName(text);
  if (name === undefined) throw notImplemented(`x-amz-checksum-algorithm: ${text}`);
  return name;
}

/** Metadata and tags come from the source, or from the request where the directive says so. */
function aboutCopy(input: CopyObjectRequest, { facts }: StoredObject) {
  const isReplaced = input.MetadataDirective === 'REPLACE';
  const tags = input.TaggingDirective === 'REPLACE' ? parseTagHeader(input.Tagging ?? '') : facts.tags;
  return {
    headers: isReplaced ? headersOf(input) : facts.headers,
    metadata: isReplaced ? metadataOf(input.Metadata) : facts.metadata,
    ...(tags !== undefined && Object.keys(tags).length > 0 && { tags }),
  };
}

function refuseNoChange(input: CopyObjectRequest, { row, facts }: StoredObject): void {
  if (input.TaggingDirective !== 'REPLACE' && input.Tagging !== undefined) {
    throw invalidRequest('The tagging directive must be REPLACE when tags are given.');
  }
  // An older version copied over the current one brings it back.
  const isCurrent = parseCopySource(input.CopySource).versionId === undefined;
  const isSame = isCurrent && row.bucket === input.Bucket && row.key === input.Key;
  const changesEncryption =
    input.ServerSideEncryption !== undefined ||
    input.SSECustomerAlgorithm !== undefined ||
    facts.encryption.kind === 'SSE-C';
  const changesPlace = input.StorageClass !== undefined || input.WebsiteRedirectLocation !== undefined;
  if (isSame && input.MetadataDirective !== 'REPLACE' && !changesEncryption && !changesPlace) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
}
