import {
  ListObjects$,
  type ListObjectsOutput,
  type ListObjectsRequest,
  ListObjectsV2$,
  type ListObjectsV2Output,
  type ListObjectsV2Request,
} from '@aws-sdk/client-s3';
import type { ConditionContext } from '#kernel/operation.ts';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import { ownerNames } from '../acl/ownership.ts';
import type { S3Context } from '../context.ts';
import { keyWriter, list } from '../domain/listing.ts';
import { parseObjectFacts } from '../domain/object-facts.ts';
import { invalidArgument } from '../errors.ts';
import type { ListedRow } from '../store.ts';

const MAXIMUM_KEYS = 1000;

interface ListInput {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly MaxKeys?: number | undefined;
}

export const listObjects = operation<S3Context, ListObjectsRequest, ListObjectsOutput>(ListObjects$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:ListBucket', listConditions(input))],
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const write = keyWriter(input.EncodingType);
    const limit = maximumOf(input.MaxKeys);
    const listing = await listPage(s3, bucket.name, input, limit, input.Marker === '' ? undefined : input.Marker);
    const ownerOf = await ownerNames(s3, bucket);
    const isMarkerGiven = listing.isTruncated && listing.last !== undefined && hasDelimiter(input);
    return {
      Name: bucket.name,
      Prefix: write(input.Prefix ?? ''),
      Marker: write(input.Marker ?? ''),
      MaxKeys: limit,
      IsTruncated: listing.isTruncated,
      ...writtenDelimiter(input, write),
      ...(input.EncodingType !== undefined && { EncodingType: input.EncodingType }),
      ...(isMarkerGiven && { NextMarker: write(listing.last ?? '') }),
      Contents: listing.rows.map((row) => contentOf(row, write, ownerOf)),
      CommonPrefixes: listing.commonPrefixes.map((prefix) => ({ Prefix: write(prefix) })),
    };
  },
});

export const listObjectsV2 = operation<S3Context, ListObjectsV2Request, ListObjectsV2Output>(ListObjectsV2$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:ListBucket', listConditions(input))],
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const write = keyWriter(input.EncodingType);
    const limit = maximumOf(input.MaxKeys);
    const startAfter = input.StartAfter === '' ? undefined : input.StartAfter;
    const token = input.ContinuationToken;
    const after = token === undefined ? startAfter : readToken(token);
    const listing = await listPage(s3, bucket.name, input, limit, after);
    const ownerOf = input.FetchOwner === true ? await ownerNames(s3, bucket) : undefined;
    return {
      Name: bucket.name,
      Prefix: write(input.Prefix ?? ''),
      MaxKeys: limit,
      KeyCount: listing.rows.length + listing.commonPrefixes.length,
      IsTruncated: listing.isTruncated,
      ...writtenDelimiter(input, write),
      ...(input.EncodingType !== undefined && { EncodingType: input.EncodingType }),
      ...(token !== undefined && { ContinuationToken: token }),
      ...(startAfter !== undefined && { StartAfter: write(startAfter) }),
      ...(listing.isTruncated && listing.last !== undefined && { NextContinuationToken: writeToken(listing.last) }),
      Contents: listing.rows.map((row) => contentOf(row, write, ownerOf)),
      CommonPrefixes: listing.commonPrefixes.map((prefix) => ({ Prefix: write(prefix) })),
    };
  },
});

/** The condition keys of listings; a parameter that was not sent is absent. */
export function listConditions(input: ListInput): ConditionContext {
  return {
    's3:prefix': input.Prefix,
    's3:delimiter': input.Delimiter,
    's3:max-keys': input.MaxKeys === undefined ? undefined : String(input.MaxKeys),
  };
}

/** An empty delimiter is none. */
function hasDelimiter({ Delimiter: delimiter }: ListInput): boolean {
  return delimiter !== undefined && delimiter !== '';
}

/** The delimiter as answers repeat it. */
export function writtenDelimiter(input: ListInput, write: (key: string) => string): { Delimiter?: string } {
  return hasDelimiter(input) ? { Delimiter: write(input.Delimiter ?? '') } : {};
}

function listPage(s3: S3Context, bucket: string, input: ListInput, limit: number, after: string | undefined) {
  return list<ListedRow>({
    prefix: input.Prefix ?? '',
    delimiter: input.Delimiter,
    after,
    limit,
    fetch: (from, end, count) => s3.store.listObjects(bucket, from, end, count),
    folders: (search) => s3.store.listFolders(['s3_object'], bucket, search),
    keyOf: (row) => row.key,
  });
}

function contentOf(
  row: ListedRow,
  write: (key: string) => string,
  ownerOf: Awaited<ReturnType<typeof ownerNames>> | undefined,
) {
  const facts = parseObjectFacts(row.facts);
  const { checksum, storageClass = 'STANDARD' as const } = facts;
  return {
    Key: write(row.key),
    LastModified: new Date(row.modified_at),
    ETag: `"${row.etag}"`,
    Size: row.size,
    StorageClass: storageClass,
    ...(checksum !== undefined && { ChecksumAlgorithm: [checksum.name], ChecksumType: checksum.kind }),
    ...(ownerOf !== undefined && { Owner: ownerOf(facts) }),
  };
}

export function maximumOf(value: number | undefined): number {
  if (value === undefined) return MAXIMUM_KEYS;
  if (!Number.isInteger(value) || value < 0) {
    throw invalidArgument('Argument maxKeys must be an integer between 0 and 2147483647', 'maxKeys', String(value));
  }
  return Math.min(value, MAXIMUM_KEYS);
}

// A continuation token says after which key to go on; it is opaque to clients and gives no right to anything.
function writeToken(key: string): string {
  return `1${Buffer.from(key).toString('base64url')}`;
}

function readToken(token: string): string {
  if (!/^1[A-Za-z0-9_-]*$/.test(token)) {
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
  }
  return Buffer.from(token.slice(1), 'base64url').toString();
}
