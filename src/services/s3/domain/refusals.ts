import { invalidArgument, keyTooLong, notImplemented } from '../errors.ts';

/** Members of requests that choose what Coffer does not have; each is refused by the name of its header. */
interface UnsupportedMembers {
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

/** @throws ServiceError NotImplemented */
export function refuseUnsupported(input: UnsupportedMembers): void {
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
