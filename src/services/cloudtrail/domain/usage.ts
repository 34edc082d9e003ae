/** What counts of KMS requests can be told apart by. */
export const USAGE_COLUMNS = ['key', 'operation', 'principal', 'credential', 'via'] as const;
export type UsageColumn = (typeof USAGE_COLUMNS)[number];

export interface UsageRange {
  /** Milliseconds since the epoch, both inclusive: when the requests came. */
  readonly from: number;
  readonly to: number;
  /** The log of one account: its own requests, and others' on what it owns. Absent: every request, once. */
  readonly account?: string;
}

/** Requests that are alike in the columns asked for; the others are absent. */
export interface KmsUsage extends Readonly<Partial<Record<UsageColumn, string>>> {
  readonly requests: number;
  /** Among them those that were answered with an error. */
  readonly failed: number;
}

export interface ServiceUsage {
  /** The event source, such as `kms.amazonaws.com`. */
  readonly service: string;
  readonly requests: number;
  readonly failed: number;
}

/** How far a count has come, and at the end what it found. */
export type UsageStep =
  | { readonly kind: 'progress'; readonly events: number }
  | {
      readonly kind: 'done';
      /** The most requests first. */
      readonly kms: readonly KmsUsage[];
      readonly services: readonly ServiceUsage[];
      /** Events in blocks that do not bear their seal: they are in no count. */
      readonly damaged: number;
    };
