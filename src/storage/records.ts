import type { Kysely } from 'kysely';

/**
 * Records in SQL, the same on every engine. Each service sees its own tables: `Records<KmsTables>`.
 */
export interface Records<Tables> {
  /** Reads what was committed. Never sees a write that is not yet durable. */
  readonly read: Kysely<Tables>;
  /**
   * Runs `work` in a transaction; when the promise resolves, the change is durable. Commits are grouped across
   * concurrent calls, so `work` may await only queries on the transaction that it is given. A throw undoes `work`
   * alone.
   */
  write<Result>(work: (transaction: Kysely<Tables>) => Promise<Result>): Promise<Result>;
}

/** A step of a service's schema, run once, in the order of the list. Frozen once released. */
export interface Migration {
  /** Unique, prefixed with the service: `kms-0001-keys`. */
  readonly name: string;
  up(transaction: Kysely<unknown>): Promise<void>;
}
