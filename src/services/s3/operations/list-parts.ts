import {
  ListMultipartUploads$,
  type ListMultipartUploadsOutput,
  type ListMultipartUploadsRequest,
  ListParts$,
  type ListPartsOutput,
  type ListPartsRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess, objectAccess } from '../access.ts';
import { ownerNames } from '../acl/ownership.ts';
import type { S3Context } from '../context.ts';
import { abortAnswer } from './bucket-lifecycle.ts';
import { keyWriter, list } from '../domain/listing.ts';
import { invalidArgument } from '../errors.ts';
import { checksumMembers } from '../keys/checksum-seal.ts';
import type { UploadRow } from '../store.ts';
import { writtenDelimiter } from './list-objects.ts';

const MAXIMUM = 1000;

export const listParts = operation<S3Context, ListPartsRequest, ListPartsOutput>(ListParts$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [await objectAccess(s3, call, input, 's3:ListMultipartUploadParts')],
  async handle(input, call, s3) {
    const { row, facts } = await s3.uploads.find(input.Bucket ?? '', input.Key ?? '', input.UploadId);
    const limit = maximumOf(input.MaxParts, 'max-parts');
    const marker = Number(input.PartNumberMarker ?? 0);
    if (!Number.isInteger(marker) || marker < 0) {
      throw invalidArgument(
        'Argument part-number-marker must be an integer between 0 and 2147483647',
        'part-number-marker',
      );
    }
    const found = limit === 0 ? [] : await s3.uploads.parts(row.id, marker, limit + 1);
    const parts = found.slice(0, limit);
    const bucket = await s3.scope.bucket(call, row.bucket);
    return {
      Bucket: row.bucket,
      Key: row.key,
      UploadId: row.id,
      ...abortAnswer(bucket, row.key, row.initiated_at),
      PartNumberMarker: String(marker),
      NextPartNumberMarker: String(parts.at(-1)?.part.number ?? 0),
      MaxParts: limit,
      IsTruncated: found.length > parts.length,
      Parts: parts.map(({ part, modifiedAt }) => ({
        PartNumber: part.number,
        LastModified: new Date(modifiedAt),
        ETag: `"${part.etag}"`,
        Size: part.size,
        ...(facts.isChecksumChosen &&
          part.checksum?.value !== undefined &&
          checksumMembers({ name: part.checksum.name, value: part.checksum.value })),
      })),
      Initiator: { ID: facts.initiator.id, DisplayName: facts.initiator.name },
      Owner: (await ownerNames(s3, bucket))(facts),
      StorageClass: facts.storageClass ?? 'STANDARD',
      ...(facts.isChecksumChosen && { ChecksumAlgorithm: facts.checksum.name, ChecksumType: facts.checksum.kind }),
    };
  },
});

export const listMultipartUploads = operation<S3Context, ListMultipartUploadsRequest, ListMultipartUploadsOutput>(
  ListMultipartUploads$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:ListBucketMultipartUploads')],
    async handle(input, call, s3) {
      const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
      const limit = maximumOf(input.MaxUploads, 'max-uploads');
      const write = keyWriter(input.EncodingType);
      const keyMarker = input.KeyMarker === '' ? undefined : input.KeyMarker;
      const idMarker = keyMarker === undefined || input.UploadIdMarker === '' ? undefined : input.UploadIdMarker;
      const listing = await listUploads(s3, bucket.name, input, limit, keyMarker, idMarker);
      const ownerOf = await ownerNames(s3, bucket);
      return {
        Bucket: bucket.name,
        KeyMarker: write(keyMarker ?? ''),
        UploadIdMarker: idMarker ?? '',
        ...(listing.isTruncated && {
          NextKeyMarker: write(listing.last ?? ''),
          NextUploadIdMarker: listing.lastRow?.id ?? '',
        }),
        Prefix: write(input.Prefix ?? ''),
        ...writtenDelimiter(input, write),
        ...(input.EncodingType !== undefined && { EncodingType: input.EncodingType }),
        MaxUploads: limit,
        IsTruncated: listing.isTruncated,
        Uploads: listing.rows.map((row) => {
          const { facts } = s3.uploads.check(row);
          return {
            UploadId: row.id,
            Key: write(row.key),
            Initiated: new Date(row.initiated_at),
            StorageClass: facts.storageClass ?? ('STANDARD' as const),
            Owner: ownerOf(facts),
            Initiator: { ID: facts.initiator.id, DisplayName: facts.initiator.name },
            ...(facts.isChecksumChosen && {
              ChecksumAlgorithm: facts.checksum.name,
              ChecksumType: facts.checksum.kind,
            }),
          };
        }),
        CommonPrefixes: listing.commonPrefixes.map((prefix) => ({ Prefix: write(prefix) })),
      };
    },
  },
);

function listUploads(
  s3: S3Context,
  bucket: string,
  input: ListMultipartUploadsRequest,
  limit: number,
  keyMarker: string | undefined,
  idMarker: string | undefined,
) {
  // Several uploads may have one key: where a page goes on, the last upload's id counts as well.
  let lastSeen: UploadRow | undefined;
  return list<UploadRow>({
    prefix: input.Prefix ?? '',
    delimiter: input.Delimiter,
    after: keyMarker,
    limit,
    async fetch(from, end, count) {
      const resumed = from.isInclusive ? undefined : from.isFirst ? idMarker : lastSeen?.id;
      const rows = await s3.store.listUploads(bucket, { ...from, uploadId: resumed }, end, count);
      lastSeen = rows.at(-1);
      return rows;
    },
    folders: (search) => s3.store.listFolders(['s3_upload'], bucket, search),
    keyOf: (row) => row.key,
  });
}

function maximumOf(value: number | undefined, name: string): number {
  if (value === undefined) return MAXIMUM;
  if (!Number.isInteger(value) || value < 0) {
    throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`, name, String(value));
  }
  return Math.min(value, MAXIMUM);
}
