import type { Event as EventType } from '@aws-sdk/client-s3';
import type { Call } from '#kernel/operation.ts';
import type { S3Context } from '../context.ts';
import { versioningOf } from '../domain/bucket-settings.ts';
import { type Version, versionText } from '../domain/version.ts';
import { type StoredObject, versionOf } from '../objects.ts';
import type { BucketRow, S3Transaction } from '../store.ts';
import type { Removal } from '../versions.ts';
import { type Cause, causeOf, type Happening } from './happening.ts';

// What operations hand to `Objects`, to be done in the transaction of the change itself.

const REASONS = {
  Put: 'PutObject',
  Post: 'POST Object',
  Copy: 'CopyObject',
  CompleteMultipartUpload: 'CompleteMultipartUpload',
} as const;

/** An object was written; a form's is told as such. */
export function announceCreated(
  s3: S3Context,
  call: Call,
  bucket: BucketRow,
  how: 'Put' | 'Copy' | 'CompleteMultipartUpload',
  object: Pick<Happening, 'key' | 'size' | 'etag'>,
): (transaction: S3Transaction, version: Version | undefined) => Promise<void> {
  const kind = how === 'Put' && call.source.payloadRange !== undefined ? 'Post' : how;
  return async (transaction, version) => {
    const happening: Happening = { event: `s3:ObjectCreated:${kind}`, ...object, ...named(version) };
    await s3.announcer.announce(transaction, bucket, happening, causeOf(call, REASONS[kind]));
  };
}

/**
 * An object or version was removed, or a delete marker made.
 *
 * @param target as the removal was asked for: with the id of a version, that one goes for good
 * @param family by whom
 */
export function announceRemoved(
  s3: S3Context,
  bucket: BucketRow,
  target: { readonly key: string; readonly versionId?: string | undefined },
  cause: Cause,
  family: 's3:ObjectRemoved' | 's3:LifecycleExpiration' = 's3:ObjectRemoved',
): (transaction: S3Transaction, removal: Removal) => Promise<void> {
  return async (transaction, { version, isMarker, hasChanged }) => {
    if (!hasChanged) return;
    const isNewMarker = isMarker && target.versionId === undefined;
    const event: EventType = `${family}:${isNewMarker ? 'DeleteMarkerCreated' : 'Delete'}`;
    const happening: Happening = { event, key: target.key, ...named(version), isMarker: isNewMarker };
    await s3.announcer.announce(transaction, bucket, happening, cause);
  };
}

/** An object has another key: it is told as a copy and the removal of what was copied. */
export function announceRenamed(
  s3: S3Context,
  call: Call,
  bucket: BucketRow,
  { row }: StoredObject,
  key: string,
): (transaction: S3Transaction) => Promise<void> {
  const cause = causeOf(call, 'RenameObject');
  return async (transaction) => {
    const { size, etag } = row;
    await s3.announcer.announce(transaction, bucket, { event: 's3:ObjectCreated:Copy', key, size, etag }, cause);
    await s3.announcer.announce(transaction, bucket, { event: 's3:ObjectRemoved:Delete', key: row.key }, cause);
  };
}

/** What is kept about an object was changed. */
export async function announceChanged(
  s3: S3Context,
  call: Call,
  object: StoredObject,
  event: 's3:ObjectTagging:Put' | 's3:ObjectTagging:Delete' | 's3:ObjectAcl:Put',
): Promise<(transaction: S3Transaction) => Promise<void>> {
  const bucket = await s3.scope.bucket(call, object.row.bucket);
  const happening = { event, ...aboutObject(bucket, object) };
  return (transaction) => s3.announcer.announce(transaction, bucket, happening, causeOf(call, ''));
}

/** An object has another storage class. */
export function announceTransition(
  s3: S3Context,
  bucket: BucketRow,
  object: StoredObject,
  storageClass: string,
  cause: Cause,
): (transaction: S3Transaction) => Promise<void> {
  const happening: Happening = { event: 's3:LifecycleTransition', ...aboutObject(bucket, object), storageClass };
  return (transaction) => s3.announcer.announce(transaction, bucket, happening, cause);
}

function aboutObject(bucket: BucketRow, object: StoredObject): Omit<Happening, 'event'> {
  const { key, size, etag } = object.row;
  return { key, size, etag, ...(versioningOf(bucket) !== 'Never' && named(versionOf(object))) };
}

function named(version: Version | undefined): Pick<Happening, 'versionId'> {
  return version === undefined ? {} : { versionId: versionText(version) };
}
