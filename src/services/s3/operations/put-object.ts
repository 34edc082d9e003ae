import { PutObject$, type PutObjectOutput, type PutObjectRequest } from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { encryptionConditions, objectAccess, tagContext } from '../access.ts';
import { writeContent } from '#storage/content/content-writer.ts';
import { writeLayers } from '../content/inner-layer.ts';
import { associatedDataOf, BLOB_SPACE } from '../content/stream-binding.ts';
import { membersOf, newAclAccess, newObjectAcl } from '../acl/new-object-acl.ts';
import { aclConditions } from '../acl/read-acl.ts';
import type { S3Context } from '../context.ts';
import { expirationAnswer } from './bucket-lifecycle.ts';
import { versioningOf } from '../domain/bucket-settings.ts';
import { contextAnswer, encryptionAnswer } from '../domain/encryption-members.ts';
import { headersOf, metadataOf } from '../domain/object-headers.ts';
import { PayloadChecks } from '../domain/payload-checks.ts';
import { readWriteCondition } from '../domain/preconditions.ts';
import { checkKey, refuseUnsupported } from '../domain/refusals.ts';
import { placementOf } from '../domain/storage-class.ts';
import { parseTagHeader } from '../domain/tag-set.ts';
import { checksumMembers, storeChecksum } from '../keys/checksum-seal.ts';
import { bodyOf } from './delivered-body.ts';
import { announceCreated } from '../notifications/announce.ts';
import { lockAccess, lockConditions, lockOfNewVersion, requestedLock, requireDigest } from './lock-members.ts';
import { startEncryption } from './start-encryption.ts';

export const putObject = operation<S3Context, PutObjectRequest, PutObjectOutput>(PutObject$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  async authorize(input, call, s3) {
    const context = {
      ...encryptionConditions(call, input),
      ...aclConditions(membersOf(call, input)),
      's3:x-amz-storage-class': input.StorageClass,
      's3:if-none-match': input.IfNoneMatch,
      's3:if-match': input.IfMatch,
      ...lockConditions(call, input),
    };
    const also = [...(await newAclAccess(s3, call, input)), ...(await lockAccess(s3, call, input, context))];
    if (input.Tagging === undefined) return [await objectAccess(s3, call, input, 's3:PutObject', context), ...also];
    const tags = parseTagHeader(input.Tagging);
    const tagged = { ...context, ...requestTagConditions(tags) };
    return [
      await objectAccess(s3, call, input, 's3:PutObject', tagged),
      await objectAccess(s3, call, input, 's3:PutObjectTagging', tagged),
      ...also,
    ];
  },
  async handle(input, call, s3) {
    refuseUnsupported(input);
    const bucket = input.Bucket ?? '';
    const key = checkKey(input.Key);
    const condition = readWriteCondition(input);
    const metadata = metadataOf(input.Metadata);
    const tags = input.Tagging === undefined ? undefined : parseTagHeader(input.Tagging);
    const placement = placementOf(input);
    const bucketRow = await s3.scope.bucket(call, bucket);
    const lock = lockOfNewVersion(requestedLock(input, bucketRow, call.now), bucketRow, call.now);
    requireDigest(call, input, lock, 'Object');
    const acl = await newObjectAcl(s3, call, input);
    const id = s3.randomness.bytes(16).toString('hex');
    const body = bodyOf(call, input.Body);
    const place = { bucket, key, objectId: id };
    const { plaintext: dataKey, stored: encryption } = await startEncryption(s3, call, input, place);
    try {
      const checks = new PayloadChecks(input, call, { fallback: 'CRC64NVME', needsMd5: encryption.kind === 'AES256' });
      const written = await writeContent({
        blobs: s3.blobs,
        space: BLOB_SPACE,
        source: body.source,
        ...writeLayers(dataKey, id),
        associatedData: associatedDataOf({ bucket, key, objectId: id, part: 0, partId: id }),
        observers: checks.observers,
        expectedSize: checks.expectedSize,
        checkSize: checks.checkSize,
        verify: (size) => checks.finish(size),
        needsDigest: encryption.kind === 'SSE-C',
        mayBeInline: true,
      });
      const checksum = { name: checks.checksum.name, kind: 'FULL_OBJECT', value: checks.digest } as const;
      // An ETag is no promise of an MD5 where the key is not the service's own.
      const etag = encryption.kind === 'AES256' && checks.md5 !== undefined ? checks.md5 : randomEtag(s3);
      const versionId = await s3.objects.put(
        {
          bucket,
          key,
          id,
          size: written.size,
          etag,
          modified_at: call.now,
          facts: {
            headers: headersOf(input),
            metadata,
            ...(tags !== undefined && { tags }),
            ...placement,
            ...lock,
            ...acl,
            encryption,
            content: written.content,
            checksum: storeChecksum(checksum, encryption, dataKey, id),
          },
          body: written.body,
        },
        condition,
        versioningOf(bucketRow),
        async (transaction, version) => {
          await body.also?.(transaction);
          await announceCreated(s3, call, bucketRow, 'Put', { key, size: written.size, etag })(transaction, version);
        },
      );
      return {
        ...(versionId !== undefined && { VersionId: versionId }),
        ETag: `"${etag}"`,
        ...expirationAnswer(
          bucketRow,
          { key, size: written.size, modified_at: call.now },
          { ...placement, ...(tags !== undefined && { tags }) },
        ),
        ...encryptionAnswer(encryption),
        ...contextAnswer(encryption),
        ...checksumMembers(checksum),
        ChecksumType: 'FULL_OBJECT',
      };
    } finally {
      dataKey.fill(0);
    }
  },
});

export function requestTagConditions(tags: Readonly<Record<string, string>>) {
  return { ...tagContext('s3:RequestObjectTag', tags), 's3:RequestObjectTagKeys': Object.keys(tags) };
}

export function randomEtag(s3: S3Context): string {
  return s3.randomness.bytes(16).toString('hex');
}
