import { createHash } from 'node:crypto';
import { RenameObject$, type RenameObjectRequest } from '@aws-sdk/client-s3';
import { type Call, operation } from '#kernel/operation.ts';
import { existingObjectAccess, kmsAuthority, objectAccess, requireObject } from '../access.ts';
import type { S3Context } from '../context.ts';
import { versioningOf } from '../domain/bucket-settings.ts';
import { choiceOf } from '../domain/encryption-members.ts';
import { blobsOfRow } from '../domain/object-facts.ts';
import { checkRenameCondition } from '../domain/preconditions.ts';
import { checkKey } from '../domain/refusals.ts';
import { idempotencyMismatch, internalError, invalidArgument, invalidRequest, notImplemented } from '../errors.ts';
import { announceRenamed } from '../notifications/announce.ts';
import type { StoredObject } from '../objects.ts';
import { rewrappedObject } from '../rewrapped-object.ts';
import { findHead, type S3Transaction } from '../store.ts';
import { placeOf } from './get-object.ts';
import { openDataKey } from './start-encryption.ts';
import { storedEncryptionConditions } from './upload-part.ts';

/**
 * RenameObject, which AWS has in directory buckets alone, in buckets that never had versioning: there a version would be at
 * two places at once (docs/decisions/0046-objects-are-renamed-in-their-records.md).
 */
export const renameObject = operation<S3Context, RenameObjectRequest, Record<string, never>>(RenameObject$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  // No action of this name is known: it takes what a copy and the removal of the source take.
  async authorize(input, call, s3) {
    const source = { Bucket: input.Bucket, Key: sourceKeyOf(input) };
    const object = await s3.scope.object(call, source.Bucket ?? '', source.Key);
    const context = {
      ...(object !== undefined && storedEncryptionConditions(object.facts.encryption)),
      's3:x-amz-storage-class': object?.facts.storageClass,
      's3:if-match': input.DestinationIfMatch,
      's3:if-none-match': input.DestinationIfNoneMatch,
    };
    const requests = [
      await existingObjectAccess(s3, call, source, 's3:GetObject'),
      await existingObjectAccess(s3, call, source, 's3:DeleteObject'),
      await objectAccess(s3, call, input, 's3:PutObject', context),
    ];
    if (object?.facts.tags === undefined) return requests;
    return [
      ...requests,
      await existingObjectAccess(s3, call, source, 's3:GetObjectTagging'),
      await objectAccess(s3, call, input, 's3:PutObjectTagging', context),
    ];
  },
  async handle(input, call, s3) {
    const key = checkKey(input.Key);
    const sourceKey = sourceKeyOf(input);
    if (sourceKey === key) throw invalidRequest('The source and the destination of a rename must not be the same.');
    if (sourceKey.endsWith('/') || key.endsWith('/')) {
      throw invalidRequest('Objects whose names end with a slash cannot be renamed.');
    }
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    if (versioningOf(bucket) !== 'Never') throw notImplemented('RenameObject in a bucket with versioning');
    const renaming = renamingOf(input);
    const place = { bucket: bucket.name, key };
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await wasRenamed(s3, place, renaming)) return {};
      if (await renameOnce(s3, call, input, place, renaming)) return {};
      // Changed since it was looked at.
      s3.scope.forget(call, bucket.name, sourceKey);
    }
    throw internalError();
  },
});

/** The key in the same bucket, perhaps with the bucket's name and a slash before it, percent-encoded. */
function sourceKeyOf(input: RenameObjectRequest): string {
  const text = input.RenameSource ?? '';
  try {
    const path = decodeURIComponent(text).replace(/^\//, '');
    const prefix = `${input.Bucket}/`;
    return checkKey(path.startsWith(prefix) ? path.slice(prefix.length) : path);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw invalidArgument('Rename Source must be URL encoded', 'x-amz-rename-source', text);
  }
}

interface Renaming {
  readonly token: string;
  /** A digest of what the request says. */
  readonly request: string;
}

function renamingOf(input: RenameObjectRequest): Renaming | undefined {
  const { ClientToken: token, ...rest } = input;
  if (token === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,64}$/.test(token)) {
    throw invalidArgument('The client token must have 1 to 64 printable characters', 'x-amz-client-token', token);
  }
  const request = createHash('sha256')
    .update(JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('base64');
  return { token, request };
}

/** @throws ServiceError IdempotencyParameterMismatch */
async function wasRenamed(
  s3: S3Context,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  renaming: Renaming | undefined,
): Promise<boolean> {
  if (renaming === undefined) return false;
  const before = (await s3.objects.find(bucket, key))?.facts.renaming;
  if (before?.token !== renaming.token) return false;
  if (before.request !== renaming.request) throw idempotencyMismatch();
  return true;
}

/** The data key is put under its new name's context; the streams stay bound to the name that they were written under. */
async function renameOnce(
  s3: S3Context,
  call: Call,
  input: RenameObjectRequest,
  place: { readonly bucket: string; readonly key: string },
  renaming: Renaming | undefined,
): Promise<boolean> {
  const source = await requireObject(s3, call, { Bucket: input.Bucket, Key: sourceKeyOf(input) });
  checkRenameCondition(source.row, sourceCondition(input));
  const choice = choiceOf(source.facts.encryption);
  if (choice === undefined) {
    throw invalidRequest('Objects that are encrypted with customer-provided keys (SSE-C) cannot be renamed.');
  }
  const bucket = await s3.scope.bucket(call, place.bucket);
  const dataKey = await openDataKey(s3, call, source.facts.encryption, placeOf(source), {});
  try {
    const target = { ...place, objectId: source.row.id };
    const encryption = await s3.dataKeys.rewrap(choice, dataKey, target, kmsAuthority(call, bucket));
    const { facts, parts } = rewrappedObject(s3, source, encryption, dataKey);
    const { renaming: _, ...kept } = facts;
    const renamed = {
      ...kept,
      writtenAs: facts.writtenAs ?? source.row.key,
      ...(renaming !== undefined && { renaming }),
    };
    const { body: __, ...row } = source.row;
    const columns = { ...row, key: place.key, parts, facts: JSON.stringify(renamed) };
    const { mac } = s3.seal.object(columns);
    const blobs = await s3.store.write(async (transaction) => {
      const displaced = await move(s3, transaction, source, { ...columns, mac }, input);
      if (displaced !== undefined) await announceRenamed(s3, call, bucket, source, place.key)(transaction);
      return displaced;
    });
    if (blobs === undefined) return false;
    s3.leases.discard(blobs);
    return true;
  } finally {
    dataKey.fill(0);
  }
}

/** @returns the blobs of what lay at the destination; `undefined` when the source has changed */
async function move(
  s3: S3Context,
  transaction: S3Transaction,
  source: StoredObject,
  row: Omit<StoredObject['row'], 'body'>,
  input: RenameObjectRequest,
): Promise<readonly string[] | undefined> {
  const { bucket, key, facts, parts, mac } = row;
  const present = await findHead(transaction, bucket, source.row.key);
  if (present?.id !== source.row.id || present.facts !== source.row.facts) return undefined;
  const target = await findHead(transaction, bucket, key);
  checkRenameCondition(target, destinationCondition(input));
  s3.objects.noteMove(row);
  await transaction.deleteFrom('s3_object').where('bucket', '=', bucket).where('key', '=', key).execute();
  await transaction
    .updateTable('s3_object')
    .set({ key, facts, parts, mac })
    .where('bucket', '=', bucket)
    .where('key', '=', source.row.key)
    .execute();
  return target === undefined ? [] : blobsOfRow(target);
}

function sourceCondition(input: RenameObjectRequest) {
  return {
    ifMatch: input.SourceIfMatch,
    ifNoneMatch: input.SourceIfNoneMatch,
    ifModifiedSince: input.SourceIfModifiedSince,
    ifUnmodifiedSince: input.SourceIfUnmodifiedSince,
  };
}

function destinationCondition(input: RenameObjectRequest) {
  return {
    ifMatch: input.DestinationIfMatch,
    ifNoneMatch: input.DestinationIfNoneMatch,
    ifModifiedSince: input.DestinationIfModifiedSince,
    ifUnmodifiedSince: input.DestinationIfUnmodifiedSince,
  };
}
