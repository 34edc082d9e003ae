import type { TermKind } from './domain/event-terms.ts';

/** Events of one account, close in time (docs/formats/audit-log.md). Times are milliseconds since the epoch. */
export interface BlockRow {
  readonly account: string;
  readonly last: number;
  /** Unique. */
  readonly id: string;
  readonly first: number;
  /** How many events. */
  readonly count: number;
  /** `packEvents`. */
  readonly events: Uint8Array;
}

/** An entry of the index: in this block is an event of which the term is true. */
export interface TermRow {
  readonly kind: TermKind;
  readonly value: string;
  readonly account: string;
  readonly last: number;
  readonly block: string;
}

export interface CloudTrailTables {
  readonly cloudtrail_block: BlockRow;
  readonly cloudtrail_term: TermRow;
}
