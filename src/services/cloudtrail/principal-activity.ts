import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Records } from '#storage/records.ts';
import type { EventBuffer } from './domain/event-buffer.ts';
import type { CloudTrailTables, EventRow } from './store.ts';

/** The last time at which a principal called an operation. */
export interface OperationUse {
  /** AIDA…, or AROA…:session. */
  readonly principalId: string;
  /** `s3.amazonaws.com`. */
  readonly source: string;
  readonly operation: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Events that one query looks at: a few milliseconds, mostly for their seals. Other work gets its turn in between. */
const EVENTS_OF_ONE_TURN = 200;

/** What principals did, from the audit log: attempts count, whether they were allowed or not. */
export class PrincipalActivity {
  readonly #records: Records<CloudTrailTables>;
  readonly #buffer: EventBuffer;

  constructor(records: Records<CloudTrailTables>, buffer: EventBuffer) {
    this.#records = records;
    this.#buffer = buffer;
  }

  /**
   * Walks an account's log, the oldest first, and tells of each stretch of it the last uses in it: the same principal and
   * operation may come again, later. INVARIANT: only events whose rows bear their seals are told.
   *
   * @throws RowDamageError for events that were changed
   */
  async *lastUses(account: AccountId): AsyncGenerator<readonly OperationUse[]> {
    await this.#buffer.flush();
    let last: Pick<EventRow, 'time' | 'id'> = { time: 0, id: '' };
    for (;;) {
      const { time, id } = last;
      const keys = await this.#records.readUnchecked
        .selectFrom('cloudtrail_event')
        .select(['time', 'id'])
        .where('account', '=', account)
        .where((where) => where(where.refTuple('time', 'id'), '>', where.tuple(time, id)))
        .orderBy('time')
        .orderBy('id')
        .limit(EVENTS_OF_ONE_TURN)
        .execute();
      const [first] = keys;
      const end = keys.at(-1);
      if (first === undefined || end === undefined) return;
      yield await this.#usesBetween(account, first, end);
      last = end;
      await new Promise(setImmediate);
    }
  }

  #usesBetween(
    account: AccountId,
    first: Pick<EventRow, 'time' | 'id'>,
    last: Pick<EventRow, 'time' | 'id'>,
  ): Promise<OperationUse[]> {
    const principalId = sql<string>`coalesce(json_extract(event, '$.userIdentity.principalId'), '')`;
    return this.#records.read
      .selectFrom('cloudtrail_event')
      .select(({ fn }) => [
        'source',
        'name as operation',
        // Of the row that has the greatest time, as SQLite takes it.
        'region',
        principalId.as('principalId'),
        fn.max<number>('time').as('time'),
      ])
      .where('account', '=', account)
      .where((where) => where(where.refTuple('time', 'id'), '>=', where.tuple(first.time, first.id)))
      .where((where) => where(where.refTuple('time', 'id'), '<=', where.tuple(last.time, last.id)))
      .groupBy(['source', 'name', 'principalId'])
      .execute();
  }
}
