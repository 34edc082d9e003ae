import type { AccountId, Region } from './ids.ts';

/** Something that happened, in the shape in which EventBridge tells it; the sink adds version, id and time. */
export interface PlatformEvent {
  /** Such as `aws.mediaconnect`. */
  readonly source: string;
  readonly 'detail-type': string;
  readonly account: AccountId;
  readonly region: Region;
  /** ARNs. */
  readonly resources: readonly string[];
  /** INVARIANT: no secrets. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Where services tell what happened, where AWS would tell EventBridge. */
export interface EventSink {
  /** Returns at once; the event is written a moment later. */
  put(event: PlatformEvent): void;
}
