import { noSuchKey, notImplemented, notModified, preconditionFailed } from '../errors.ts';

/** What must be so for a write to happen. */
export interface WriteCondition {
  /** Only over an object with this ETag. */
  readonly ifMatch?: string;
  /** Only where there is none. */
  readonly ifNoneMatch?: true;
}

/** The condition of a request that writes. */
export function readWriteCondition(input: {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}): WriteCondition {
  const { IfMatch: ifMatch, IfNoneMatch: ifNoneMatch } = input;
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw notImplemented('If-Match together with If-None-Match');
  }
  if (ifNoneMatch !== undefined) {
    // S3 knows no other value for writes (API reference, PutObject).
    if (ifNoneMatch !== '*') throw notImplemented('If-None-Match with a value other than *');
    return { ifNoneMatch: true };
  }
  return ifMatch === undefined ? {} : { ifMatch };
}

/** @throws ServiceError PreconditionFailed, or NoSuchKey for If-Match on nothing */
export function checkWriteCondition(
  existing: { readonly etag: string } | undefined,
  condition: WriteCondition,
  key: string,
): void {
  if (condition.ifNoneMatch === true && existing !== undefined) throw preconditionFailed('If-None-Match');
  if (condition.ifMatch === undefined) return;
  if (existing === undefined) throw noSuchKey(key);
  if (!matchesEtag(condition.ifMatch, existing.etag)) throw preconditionFailed('If-Match');
}

/** The conditions of a rename on one of its ends. */
interface RenameCondition {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: Date | undefined;
  readonly ifUnmodifiedSince: Date | undefined;
}

/** @param existing `undefined` where nothing lies there @throws ServiceError PreconditionFailed */
export function checkRenameCondition(existing: Existing | undefined, condition: RenameCondition): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = condition;
  if (existing === undefined) {
    if (ifMatch !== undefined) throw preconditionFailed('If-Match');
    if (ifModifiedSince !== undefined) throw preconditionFailed('If-Modified-Since');
    return;
  }
  checkReadCondition(existing, { IfMatch: ifMatch, IfUnmodifiedSince: ifUnmodifiedSince });
  if (ifNoneMatch !== undefined && matchesEtag(ifNoneMatch, existing.etag)) throw preconditionFailed('If-None-Match');
  const since = ifModifiedSince?.getTime();
  if (since !== undefined && seconds(existing.modified_at) <= seconds(since)) {
    throw preconditionFailed('If-Modified-Since');
  }
}

export interface ReadCondition {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

interface Existing {
  readonly etag: string;
  readonly modified_at: number;
}

/**
 * The conditions of a read (RFC 9110, section 13.2.2, and the S3 API reference: a true If-Match wins over a false
 * If-Unmodified-Since, a false If-None-Match over a true If-Modified-Since).
 *
 * @throws ServiceError PreconditionFailed or NotModified
 */
export function checkReadCondition(existing: Existing, condition: ReadCondition): void {
  const failed = failedPrecondition(existing, condition);
  if (failed !== undefined) throw preconditionFailed(failed);
  if (isUnmodified(existing, condition)) {
    throw notModified({ etag: `"${existing.etag}"`, 'last-modified': new Date(existing.modified_at).toUTCString() });
  }
}

/** The conditions on a copy's source: what would be Not Modified is a failed precondition there. */
export function checkCopyCondition(existing: Existing, condition: ReadCondition): void {
  const failed = failedPrecondition(existing, condition);
  if (failed !== undefined) throw preconditionFailed(`x-amz-copy-source-${failed}`);
  if (isUnmodified(existing, condition)) throw preconditionFailed('x-amz-copy-source-If-None-Match');
}

function failedPrecondition(existing: Existing, condition: ReadCondition): string | undefined {
  const { IfMatch: ifMatch, IfUnmodifiedSince: ifUnmodifiedSince } = condition;
  if (ifMatch !== undefined) return matchesEtag(ifMatch, existing.etag) ? undefined : 'If-Match';
  if (ifUnmodifiedSince !== undefined && seconds(existing.modified_at) > seconds(ifUnmodifiedSince.getTime())) {
    return 'If-Unmodified-Since';
  }
  return undefined;
}

function isUnmodified(existing: Existing, condition: ReadCondition): boolean {
  const { IfNoneMatch: ifNoneMatch, IfModifiedSince: ifModifiedSince } = condition;
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, existing.etag);
  return ifModifiedSince !== undefined && seconds(existing.modified_at) <= seconds(ifModifiedSince.getTime());
}

/** HTTP dates have whole seconds. */
function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

/** Whether a list of ETags, with or without quotation marks, or `*`, names this one. */
export function matchesEtag(list: string, etag: string): boolean {
  return list.split(',').some((item) => {
    const text = item.trim();
    return text === '*' || text.replace(/^W\//, '').replace(/^"(.*)"$/, '$1') === etag;
  });
}

/** A copy's or delete's `IfMatch…` value as a plain ETag. */
export function plainEtag(text: string): string {
  return text.trim().replace(/^"(.*)"$/, '$1');
}
