import type { AccountId, Region } from './ids.ts';

/** What a service did by itself, without a request: CloudTrail's `AwsServiceEvent`. No secrets. */
export interface ServiceEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The account in whose log it stands. */
  readonly account: AccountId;
  readonly region: Region;
  readonly eventSource: string;
  readonly eventName: string;
  /** ARNs. */
  readonly resources: readonly string[];
  readonly responseElements?: Readonly<Record<string, string>>;
  readonly serviceEventDetails?: Readonly<Record<string, string>>;
}

/** Where such events go: the audit log, beside the records of requests. It does not wait. */
export interface ServiceEventSink {
  appendServiceEvent(event: ServiceEvent): void;
}
