import {
  DeleteObject$,
  type DeleteObjectOutput,
  type DeleteObjectRequest,
  DeleteObjects$,
  type DeleteObjectsOutput,
  type DeleteObjectsRequest,
  type DeletedObject,
  type ObjectIdentifier,
  type _Error as S3Error,
} from '@aws-sdk/client-s3';
import { type Call, exempt, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { bucketAccess, existingObjectAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf, versioningOf } from '../domain/bucket-settings.ts';
import { matchesEtag } from '../domain/preconditions.ts';
import { checkKey } from '../domain/refusals.ts';
import { checkVersionId, versionText } from '../domain/version.ts';
import { invalidArgument, malformedXml, noSuchKey, preconditionFailed } from '../errors.ts';
import { announceRemoved } from '../notifications/announce.ts';
import { causeOf } from '../notifications/happening.ts';
import type { ExistingObject, Removal } from '../versions.ts';
import { bypassAccess } from './lock-members.ts';
import { requireMfaToRemove } from './mfa-delete.ts';

const MAXIMUM_KEYS = 1000;

interface DeleteCondition {
  readonly ETag?: string | undefined;
  readonly LastModifiedTime?: Date | undefined;
  readonly Size?: number | undefined;
}

export const deleteObject = operation<S3Context, DeleteObjectRequest, DeleteObjectOutput>(DeleteObject$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  secretMembers: ['MFA'],
  authorize: async (input, call, s3) => [
    await existingObjectAccess(s3, call, input, 's3:DeleteObject'),
    ...(await bypassAccess(s3, call, input)),
  ],
  async handle(input, call, s3) {
    const mayBypass = await readBypass(s3, call, input);
    const condition = { ETag: input.IfMatch, LastModifiedTime: input.IfMatchLastModifiedTime, Size: input.IfMatchSize };
    const target = { bucket: input.Bucket ?? '', key: checkKey(input.Key), versionId: checkVersionId(input.VersionId) };
    if (target.versionId !== undefined) await requireMfaToRemove(s3, call, input);
    const { version, isMarker } = await remove(s3, call, { ...target, mayBypass }, condition);
    return {
      ...(version !== undefined && { VersionId: versionText(version) }),
      ...(isMarker && { DeleteMarker: true }),
    };
  },
});

export const deleteObjects = operation<S3Context, DeleteObjectsRequest, DeleteObjectsOutput>(DeleteObjects$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  secretMembers: ['MFA'],
  authorize: exempt('each key is authorised by itself, and the answer says which were refused'),
  async handle(input, call, s3) {
    // Refuses a bucket that does not exist, or has another owner than expected, before anything is done.
    await bucketAccess(s3, call, input, 's3:DeleteObject');
    // Unlike DeleteObject, a batch may ask to pass by locks where there are none.
    const { objectLock } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
    const mayBypass = objectLock !== undefined && input.BypassGovernanceRetention === true;
    const items = input.Delete?.Objects ?? [];
    if (items.length === 0 || items.length > MAXIMUM_KEYS) throw malformedXml();
    if (items.some((item) => item.VersionId !== undefined)) await requireMfaToRemove(s3, call, input);
    const deleted: DeletedObject[] = [];
    const errors: S3Error[] = [];
    const outcomes = await Promise.all(items.map((item) => removeItem(s3, call, { ...input, mayBypass }, item)));
    for (const { item, removal, failure } of outcomes) {
      const { Key, VersionId } = item;
      const named = { Key, ...(VersionId !== undefined && { VersionId }) };
      if (failure === undefined) deleted.push({ ...named, ...markerMembers(removal, VersionId) });
      else errors.push({ ...named, Code: failure.code, Message: failure.message });
    }
    return {
      ...(input.Delete?.Quiet !== true && deleted.length > 0 && { Deleted: deleted }),
      ...(errors.length > 0 && { Errors: errors }),
    };
  },
});

async function removeItem(
  s3: S3Context,
  call: Call,
  input: DeleteObjectsRequest & { readonly mayBypass: boolean },
  item: ObjectIdentifier,
): Promise<{ readonly item: ObjectIdentifier; readonly removal?: Removal; readonly failure?: ServiceError }> {
  try {
    const target = {
      bucket: input.Bucket ?? '',
      key: checkKey(item.Key),
      versionId: checkVersionId(item.VersionId),
      mayBypass: input.mayBypass,
    };
    const { mayBypass: BypassGovernanceRetention } = input;
    const named = { ...input, BypassGovernanceRetention, Key: target.key, VersionId: target.versionId };
    await call.require(await existingObjectAccess(s3, call, named, 's3:DeleteObject'));
    for (const request of await bypassAccess(s3, call, named)) await call.require(request);
    return { item, removal: await remove(s3, call, target, item) };
  } catch (error) {
    if (error instanceof ServiceError) return { item, failure: error };
    throw error;
  }
}

/** How the answer of a batch tells of a delete marker that was made or removed. */
function markerMembers(removal: Removal | undefined, versionId: string | undefined): DeletedObject {
  const { version, isMarker = false } = removal ?? {};
  if (version === undefined || !isMarker) return {};
  return { DeleteMarker: true, DeleteMarkerVersionId: versionId ?? versionText(version) };
}

async function remove(
  s3: S3Context,
  call: Call,
  target: {
    readonly bucket: string;
    readonly key: string;
    readonly versionId: string | undefined;
    readonly mayBypass: boolean;
  },
  condition: DeleteCondition,
): Promise<Removal> {
  const { key } = target;
  const bucket = await s3.scope.bucket(call, target.bucket);
  const check = (head: ExistingObject | undefined) => {
    const { ETag: etag, LastModifiedTime: time, Size: size } = condition;
    if (etag === undefined && time === undefined && size === undefined) return;
    if (head === undefined) throw noSuchKey(key);
    if (etag !== undefined && !matchesEtag(etag, head.etag)) throw preconditionFailed('If-Match');
    if (time !== undefined && Math.floor(time.getTime() / 1000) !== Math.floor(head.modified_at / 1000)) {
      throw preconditionFailed('x-amz-if-match-last-modified-time');
    }
    if (size !== undefined && size !== head.size) throw preconditionFailed('x-amz-if-match-size');
  };
  const announce = announceRemoved(s3, bucket, target, causeOf(call, 'DeleteObject'));
  return await s3.objects.delete(target, versioningOf(bucket), call.now, check, announce);
}

/** Whether the request may pass by GOVERNANCE: who says so was asked for the right to. @throws ServiceError InvalidArgument */
async function readBypass(
  s3: S3Context,
  call: Call,
  input: { readonly Bucket: string | undefined; readonly BypassGovernanceRetention?: boolean | undefined },
): Promise<boolean> {
  if (input.BypassGovernanceRetention === undefined) return false;
  const { objectLock } = settingsOf(await s3.scope.bucket(call, input.Bucket ?? ''));
  if (objectLock !== undefined) return input.BypassGovernanceRetention;
  throw invalidArgument('x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.');
}
