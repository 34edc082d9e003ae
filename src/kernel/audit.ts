import type { AccessEvaluation } from './access-evaluation.ts';
import type { Caller } from './caller.ts';
import type { AccountId, Region } from './ids.ts';

/** What is kept of every call: who did what to which resource, through whom, and how it was decided. No secrets. */
export interface AuditRecord {
  readonly requestId: string;
  /** The request that led to this one, for calls between services. */
  readonly parentRequestId: string | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly durationMs: number;
  /** The account in whose log the record stands. */
  readonly account: AccountId | undefined;
  readonly region: Region;
  readonly eventSource: string;
  readonly eventName: string;
  readonly isReadOnly: boolean;
  readonly isDataEvent: boolean;
  readonly caller: Caller;
  /** `s3.eu-west-1.amazonaws.com`, outermost first. */
  readonly via: readonly string[];
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly resources: readonly string[];
  /** Whose the resources are, as far as that is known: their logs have the record too. */
  readonly owners: readonly AccountId[];
  /** The input without payloads, blobs and secret members. */
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly status: number;
  readonly errorCode: string | undefined;
  readonly errorMessage: string | undefined;
  /** What allowed it: the policy and statement. Absent for calls that need no permission. */
  readonly allowedBy: readonly string[];
  /** The accesses that were asked for and allowed, each once. */
  readonly accesses: readonly AllowedAccess[];
  /** How many more there were. */
  readonly accessesLeftOut: number;
  /** How the accesses that were refused were decided: a few at most. Empty for calls that were allowed. */
  readonly refusals: readonly AccessEvaluation[];
}

/** An access as it was put to the policy engine. */
export interface AllowedAccess {
  /** Such as `s3:GetObject`: not always the operation's name. */
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
}

/** Where audit records go. `append` does not wait: records are written in groups. */
export interface AuditSink {
  append(record: AuditRecord): void;
}
