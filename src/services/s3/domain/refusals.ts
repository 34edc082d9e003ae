import { aclNotSupported, invalidArgument, keyTooLong, notImplemented } from '../errors.ts';

/** Members of requests that choose what Coffer does not have; each is refused by the name of its header. */
export interface UnsupportedMembers {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
  readonly ObjectLockEventHold?: string | undefined;
  readonly ObjectLockEventHoldDurationDays?: number | undefined;
  readonly ObjectLockEventHoldDurationYears?: number | undefined;
  readonly WriteOffsetBytes?: number | undefined;
  readonly AnnotationDirective?: string | undefined;
}

const HEADERS = {
  ObjectLockEventHold: 'x-amz-object-lock-event-hold',
  ObjectLockEventHoldDurationDays: 'x-amz-object-lock-event-hold-duration-days',
  ObjectLockEventHoldDurationYears: 'x-amz-object-lock-event-hold-duration-years',
  WriteOffsetBytes: 'x-amz-write-offset-bytes',
  AnnotationDirective: 'x-amz-annotation-directive',
} as const satisfies Partial<Record<keyof UnsupportedMembers, string>>;

const GRANTS = ['GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWrite', 'GrantWriteACP'] as const;

/**
 * Buckets are bucket-owner-enforced: ACLs say nothing, and requests that set them are refused.
 *
 * @param isBucketOwner then `private` says what is so, and is taken, unlike in AWS: tools of some age send it unasked
 */
export function refuseUnsupported(input: UnsupportedMembers, isBucketOwner: boolean): void {
  const isSo = input.ACL === 'bucket-owner-full-control' || (input.ACL === 'private' && isBucketOwner);
  if (input.ACL !== undefined && !isSo) throw aclNotSupported();
  if (GRANTS.some((grant) => input[grant] !== undefined)) throw aclNotSupported();
  for (const member of Object.keys(HEADERS) as (keyof typeof HEADERS)[]) {
    if (input[member] !== undefined) throw notImplemented(HEADERS[member]);
  }
}

/** @throws ServiceError KeyTooLongError */
export function checkKey(key: string | undefined): string {
  if (key === undefined || key === '') throw invalidArgument('Object key must not be empty', 'Key', '');
  const size = Buffer.byteLength(key);
  if (size > 1024) throw keyTooLong(size);
  return key;
}
