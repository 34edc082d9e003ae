import {
  type DeleteMarkerEntry,
  ListObjectVersions$,
  type ListObjectVersionsOutput,
  type ListObjectVersionsRequest,
  type ObjectVersion,
  type ObjectVersionStorageClass,
} from '@aws-sdk/client-s3';
import { type Call, operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import { ownerNames } from '../acl/ownership.ts';
import type { S3Context } from '../context.ts';
import { keyWriter, list } from '../domain/listing.ts';
import { isMarker, parseVersionFacts } from '../domain/object-facts.ts';
import { mayBeVersion, UNVERSIONED, versionText } from '../domain/version.ts';
import { invalidArgument } from '../errors.ts';
import { versionOf } from '../objects.ts';
import type { ListedVersion } from '../version-store.ts';
import { listConditions, maximumOf, writtenDelimiter } from './list-objects.ts';

export const listObjectVersions = operation<S3Context, ListObjectVersionsRequest, ListObjectVersionsOutput>(
  ListObjectVersions$,
  {
    isAuthenticationRequired: false,
    authorize: async (input, call, s3) => [
      await bucketAccess(s3, call, input, 's3:ListBucketVersions', listConditions(input)),
    ],
    async handle(input, call, s3) {
      const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
      const write = keyWriter(input.EncodingType);
      const limit = maximumOf(input.MaxKeys);
      const keyMarker = input.KeyMarker === '' ? undefined : input.KeyMarker;
      const marker = await findMarker(s3, call, input, keyMarker);
      const listing = await listPage(s3, bucket.name, input, limit, keyMarker, marker);
      const ownerOf = await ownerNames(s3, bucket);
      const versions: ObjectVersion[] = [];
      const markers: DeleteMarkerEntry[] = [];
      let before = typeof marker === 'number' ? keyMarker : undefined;
      for (const row of listing.rows) {
        const facts = parseVersionFacts(row.facts);
        const common = {
          Key: write(row.key),
          VersionId: versionText(facts.version ?? UNVERSIONED),
          // The newest of a key comes first.
          IsLatest: row.key !== before,
          LastModified: new Date(row.modified_at),
          Owner: ownerOf(isMarker(facts) ? {} : facts),
        };
        before = row.key;
        if (isMarker(facts)) {
          markers.push(common);
          continue;
        }
        const { checksum } = facts;
        versions.push({
          ...common,
          ETag: `"${row.etag}"`,
          Size: row.size,
          StorageClass: (facts.storageClass ?? 'STANDARD') as ObjectVersionStorageClass,
          ...(checksum !== undefined && { ChecksumAlgorithm: [checksum.name], ChecksumType: checksum.kind }),
        });
      }
      const last = listing.lastRow;
      return {
        Name: bucket.name,
        Prefix: write(input.Prefix ?? ''),
        KeyMarker: write(input.KeyMarker ?? ''),
        VersionIdMarker: input.VersionIdMarker ?? '',
        MaxKeys: limit,
        IsTruncated: listing.isTruncated,
        ...writtenDelimiter(input, write),
        ...(input.EncodingType !== undefined && { EncodingType: input.EncodingType }),
        ...(listing.isTruncated && {
          NextKeyMarker: write(listing.last ?? ''),
          ...(last !== undefined && { NextVersionIdMarker: versionIdOf(last) }),
        }),
        Versions: versions,
        DeleteMarkers: markers,
        CommonPrefixes: listing.commonPrefixes.map((prefix) => ({ Prefix: write(prefix) })),
      };
    },
  },
);

function versionIdOf(row: ListedVersion): string {
  return versionText(parseVersionFacts(row.facts).version ?? UNVERSIONED);
}

/**
 * Where in its key the version marker lies; `removed` where that version is gone, as it is for whoever removes what they
 * list page by page: the listing then goes on with what is left of the key.
 *
 * @throws ServiceError InvalidArgument
 */
async function findMarker(
  s3: S3Context,
  call: Call,
  input: ListObjectVersionsRequest,
  keyMarker: string | undefined,
): Promise<number | 'removed' | undefined> {
  const marker = input.VersionIdMarker;
  if (marker === undefined) return undefined;
  if (keyMarker === undefined) {
    throw invalidArgument('A version-id marker cannot be specified without a key marker.', 'version-id-marker', marker);
  }
  if (marker === '') {
    throw invalidArgument('A version-id marker cannot be empty.', 'version-id-marker', '');
  }
  if (!mayBeVersion(marker)) throw invalidArgument('Invalid version id specified', 'version-id-marker', marker);
  const bucket = input.Bucket ?? '';
  const current = await s3.scope.object(call, bucket, keyMarker);
  const currentId = current === undefined ? undefined : versionText(versionOf(current));
  return (await s3.store.versions.rankOf(bucket, keyMarker, currentId, marker)) ?? 'removed';
}

function listPage(
  s3: S3Context,
  bucket: string,
  input: ListObjectVersionsRequest,
  limit: number,
  keyMarker: string | undefined,
  marker: number | 'removed' | undefined,
) {
  let lastSeen: ListedVersion | undefined;
  return list<ListedVersion>({
    prefix: input.Prefix ?? '',
    delimiter: input.Delimiter,
    after: keyMarker,
    limit,
    async fetch(from, end, count) {
      const isLeft = from.isFirst && marker === 'removed';
      const first = marker === 'removed' ? undefined : marker;
      const rank = from.isInclusive ? undefined : from.isFirst ? first : lastSeen?.rank;
      const place = { key: from.key, isInclusive: from.isInclusive || isLeft, rank };
      const rows = await s3.store.versions.list(bucket, place, end, count, 'listed');
      lastSeen = rows.at(-1);
      return rows;
    },
    folders: (search) => s3.store.listFolders(['s3_object', 's3_version'], bucket, search),
    keyOf: (row) => row.key,
  });
}
