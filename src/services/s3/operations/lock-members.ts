import type { AccessRequest, Call, ConditionContext } from '#kernel/operation.ts';
import { existingObjectAccess, objectAccess, type ObjectInput, type VersionInput } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { CHECKSUM_NAMES, type ChecksumMembers, checksumMemberOf } from '../domain/checksum.ts';
import { defaultRetentionOf, futureTime, type LockFacts, remainingDays } from '../domain/object-lock.ts';
import { invalidArgument, invalidRequest, lockMissing } from '../errors.ts';
import type { StoredObject } from '../objects.ts';
import type { BucketRow } from '../store.ts';

/** The members of a request that writes an object by which it is locked. */
export interface LockMembers {
  readonly ObjectLockMode?: 'GOVERNANCE' | 'COMPLIANCE' | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: 'ON' | 'OFF' | undefined;
}

type DigestMembers = ChecksumMembers & { readonly ContentMD5?: string | undefined };

/** What a request says of the lock of the object that it writes. @throws ServiceError InvalidArgument, InvalidRequest */
export function requestedLock(input: LockMembers, bucket: BucketRow, now: number): LockFacts {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: date, ObjectLockLegalHoldStatus: hold } = input;
  if (mode === undefined && date === undefined && hold === undefined) return {};
  if (settingsOf(bucket).objectLock === undefined) throw lockMissing();
  if ((mode === undefined) !== (date === undefined)) {
    throw invalidArgument('x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied');
  }
  return {
    ...(mode !== undefined && date !== undefined && { retention: { mode, until: futureTime(date, now) } }),
    ...(hold !== undefined && { legalHold: hold === 'ON' }),
  };
}

/** The lock of a version that is written now: what was asked for, else the bucket's default. */
export function lockOfNewVersion(requested: LockFacts, bucket: BucketRow, now: number): LockFacts {
  const retention = requested.retention ?? defaultRetentionOf(settingsOf(bucket).objectLock, now);
  return {
    ...(retention !== undefined && { retention }),
    ...(requested.legalHold !== undefined && { legalHold: requested.legalHold }),
  };
}

/**
 * What cannot be replaced must have come whole: a payload that is to be locked brings a digest (API reference, PutObject
 * and UploadPart, `Content-MD5`).
 *
 * @param what as errors call the request
 */
export function requireDigest(call: Call, input: DigestMembers, lock: LockFacts, what: 'Object' | 'Part'): void {
  if (lock.retention === undefined && lock.legalHold === undefined) return;
  if (call.source.authType === 'INTERNAL') return;
  const isGiven =
    input.ContentMD5 !== undefined ||
    call.source.header('x-amz-trailer') !== undefined ||
    CHECKSUM_NAMES.some((name) => input[checksumMemberOf(name)] !== undefined);
  if (isGiven) return;
  throw invalidRequest(
    `Content-MD5 OR x-amz-checksum- HTTP header is required for Put ${what} requests with Object Lock parameters`,
  );
}

/** The condition keys of a request that locks. They are what it says: the bucket's default is no part of them. */
export function lockConditions(call: Call, input: LockMembers): ConditionContext {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: date, ObjectLockLegalHoldStatus: hold } = input;
  return {
    's3:object-lock-mode': mode,
    's3:object-lock-retain-until-date': date?.toISOString(),
    's3:object-lock-remaining-retention-days':
      date === undefined ? undefined : String(remainingDays(date.getTime(), call.now)),
    's3:object-lock-legal-hold': hold,
  };
}

/** The rights that a write needs beyond s3:PutObject where it locks what it writes. */
export async function lockAccess(
  s3: S3Context,
  call: Call,
  input: ObjectInput & LockMembers,
  context: ConditionContext,
): Promise<readonly AccessRequest[]> {
  const requests: AccessRequest[] = [];
  if (input.ObjectLockMode !== undefined || input.ObjectLockRetainUntilDate !== undefined) {
    requests.push(await objectAccess(s3, call, input, 's3:PutObjectRetention', context));
  }
  if (input.ObjectLockLegalHoldStatus !== undefined) {
    requests.push(await objectAccess(s3, call, input, 's3:PutObjectLegalHold', context));
  }
  return requests;
}

/** The right to pass by GOVERNANCE: asked of those who say that they want to. */
export async function bypassAccess(
  s3: S3Context,
  call: Call,
  input: VersionInput & { readonly BypassGovernanceRetention?: boolean | undefined },
  context?: ConditionContext,
): Promise<readonly AccessRequest[]> {
  if (input.BypassGovernanceRetention !== true) return [];
  return [await existingObjectAccess(s3, call, input, 's3:BypassGovernanceRetention', context)];
}

/** How reads tell of the lock, to those who may know. */
export async function lockAnswer(s3: S3Context, call: Call, input: VersionInput, { facts }: StoredObject) {
  const { retention, legalHold } = facts;
  const mayKnow = async (action: string): Promise<boolean> =>
    await call.isAllowed(await existingObjectAccess(s3, call, input, action));
  return {
    ...(retention !== undefined &&
      (await mayKnow('s3:GetObjectRetention')) && {
        ObjectLockMode: retention.mode,
        ObjectLockRetainUntilDate: new Date(retention.until),
      }),
    ...(legalHold !== undefined &&
      (await mayKnow('s3:GetObjectLegalHold')) && {
        ObjectLockLegalHoldStatus: legalHold ? ('ON' as const) : ('OFF' as const),
      }),
  };
}
