import type { Kysely } from 'kysely';

/**
 * Records in SQL, the same on every engine. Each service sees its own tables: `Records<KmsTables>`.
 */
export interface Records<Tables> {
  /** Reads what was committed. Never sees a `write` that is not yet durable. */
  readonly read: Kysely<Tables>;
  /**
   * As `read`, but rows that do not bear their seal are told like the others: for verification, and for finding rows
   * that are read and checked then. INVARIANT: nothing that comes from here is believed.
   */
  readonly readUnchecked: Kysely<Tables>;
  /**
   * Runs `work` in a transaction; when the promise resolves, the change is durable. Commits are grouped across
   * concurrent calls, so `work` may await only queries on the transaction that it is given. A throw undoes `work`
   * alone.
   */
  write<Result>(work: (transaction: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * As `write`, for what no request waits for, such as logs: other work goes on while the change becomes durable, and
   * may see it before it is.
   */
  writeBehind<Result>(work: (transaction: Kysely<Tables>) => Promise<Result>): Promise<Result>;
}

/** A step of a service's schema, run once, in the order of the list. Frozen once released. */
export interface Migration {
  /** Unique, prefixed with the service: `kms-0001-keys`. */
  readonly name: string;
  /**
   * The tables, among those that it makes, whose rows are sealed (`row-seal.ts`): each has a column `mac BLOB NOT NULL`
   * that nothing but the storage reads or writes. Every query on them checks the rows that it reads.
   */
  readonly sealedTables?: readonly string[];
  /**
   * Sealed tables of earlier migrations that it gives other columns, by raw SQL. The storage checks every row of them
   * before, and seals every row anew after; a row that did not bear its seal stops the start.
   */
  readonly reshapedTables?: readonly string[];
  /**
   * Sealed tables of earlier migrations that it takes away, after it has read them. A row that does not bear its seal
   * stops the start.
   */
  readonly droppedTables?: readonly string[];
  up(transaction: Kysely<unknown>): Promise<void>;
}
