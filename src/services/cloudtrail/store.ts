import { sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Migration, Records } from '#storage/records.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import { requestRowsOf } from './domain/event-requests.ts';
import { indexRowsOf, isIndexedAs, resourcesOfEvent } from './domain/event-resources.ts';

/** One event in one account's log. Times are milliseconds since the epoch. */
export interface EventRow {
  readonly id: string;
  readonly account: string;
  readonly time: number;
  readonly region: string;
  readonly source: string;
  readonly name: string;
  readonly user_name: string;
  readonly access_key_id: string;
  readonly read_only: number;
  /** The event as CloudTrail writes it, in JSON. */
  readonly event: string;
}

export interface EventResourceRow {
  readonly event_id: string;
  readonly account: string;
  readonly time: number;
  readonly name: string;
  readonly type: string;
}

/** Leads from a request's id to what failed of it: the request itself, and those that it led to. */
export interface EventRequestRow {
  readonly request_id: string;
  readonly account: string;
  readonly time: number;
  readonly event_id: string;
}

export interface CloudTrailTables {
  readonly cloudtrail_request: EventRequestRow;
  readonly cloudtrail_event: EventRow;
  readonly cloudtrail_resource: EventResourceRow;
}

export const cloudTrailMigrations: readonly Migration[] = [
  {
    name: 'cloudtrail-0001-events',
    // The other table is an index: what it says of an event is in the event, and is compared with it.
    sealedTables: ['cloudtrail_event'],
    async up(transaction) {
      await sql`CREATE TABLE cloudtrail_event (
        account TEXT NOT NULL, time INTEGER NOT NULL, id TEXT NOT NULL, region TEXT NOT NULL, source TEXT NOT NULL,
        name TEXT NOT NULL, user_name TEXT NOT NULL, access_key_id TEXT NOT NULL, read_only INTEGER NOT NULL,
        event TEXT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (account, time, id)) STRICT, WITHOUT ROWID`.execute(
        transaction,
      );
      await sql`CREATE TABLE cloudtrail_resource (
        account TEXT NOT NULL, name TEXT NOT NULL, time INTEGER NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL,
        PRIMARY KEY (account, name, time, event_id)) STRICT, WITHOUT ROWID`.execute(transaction);
    },
  },
  {
    name: 'cloudtrail-0002-requests',
    // An index as well.
    async up(transaction) {
      await sql`CREATE TABLE cloudtrail_request (
        request_id TEXT NOT NULL, account TEXT NOT NULL, time INTEGER NOT NULL, event_id TEXT NOT NULL,
        PRIMARY KEY (request_id, account, time, event_id)) STRICT, WITHOUT ROWID`.execute(transaction);
      for (const path of ['$.requestID', '$.additionalEventData.parentRequestID']) {
        await sql`INSERT OR IGNORE INTO cloudtrail_request SELECT json_extract(event, ${path}), account, time, id
          FROM cloudtrail_event WHERE json_valid(event) AND json_extract(event, '$.errorCode') IS NOT NULL
          AND json_extract(event, ${path}) IS NOT NULL`.execute(transaction);
      }
    },
  },
];

/** What LookupEvents can ask for; each member narrows the answer. */
export interface EventFilter {
  readonly account: AccountId;
  readonly region: Region;
  readonly from: number;
  readonly to: number;
  readonly column?: 'id' | 'name' | 'source' | 'user_name' | 'access_key_id' | 'read_only';
  readonly value?: string | number;
  readonly resourceName?: string;
  readonly resourceType?: string;
  /** The last event of the page before. */
  readonly before?: { readonly time: number; readonly id: string };
  readonly limit: number;
}

const ROWS_OF_ONE_INSERT = 500;
const ROWS_OF_ONE_PAGE = 100;

/** The audit log. */
export class CloudTrailStore {
  readonly #records: Records<CloudTrailTables>;

  constructor(records: Records<CloudTrailTables>) {
    this.#records = records;
  }

  async insert(
    events: readonly EventRow[],
    resources: readonly EventResourceRow[],
    requests: readonly EventRequestRow[],
  ): Promise<void> {
    await this.#records.writeBehind(async (transaction) => {
      for (const rows of chunksOf(events, ROWS_OF_ONE_INSERT)) {
        await transaction.insertInto('cloudtrail_event').values(rows).execute();
      }
      for (const rows of chunksOf(resources, ROWS_OF_ONE_INSERT)) {
        await transaction
          .insertInto('cloudtrail_resource')
          .values(rows)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
      for (const rows of chunksOf(requests, ROWS_OF_ONE_INSERT)) {
        await transaction.insertInto('cloudtrail_request').values(rows).execute();
      }
    });
  }

  /**
   * What failed of a request, in the order in which it happened: inner calls come before what they made fail.
   *
   * @param account whose log; absent: every account's
   * @throws RowDamageError for events that were changed, and those that the index leads to wrongly
   */
  async findFailures(requestId: string, account?: AccountId): Promise<EventRow[]> {
    let query = this.#records.readUnchecked
      .selectFrom('cloudtrail_request')
      .selectAll()
      .where('request_id', '=', requestId)
      .limit(ROWS_OF_ONE_PAGE);
    if (account !== undefined) query = query.where('account', '=', account);
    const events: EventRow[] = [];
    for (const row of await query.execute()) {
      const event = await this.#records.read
        .selectFrom('cloudtrail_event')
        .selectAll()
        .where('account', '=', row.account)
        .where('time', '=', row.time)
        .where('id', '=', row.event_id)
        .executeTakeFirst();
      const isSound = event !== undefined && requestRowsOf(event).some((found) => found.request_id === requestId);
      if (!isSound) throw new RowDamageError(nameOfRequestRow(row));
      events.push(event);
    }
    return events.toSorted((a, b) => b.time - a.time || (a.id < b.id ? -1 : 1));
  }

  /**
   * The newest first.
   *
   * @throws RowDamageError for events that were changed, and those that the index leads to wrongly
   */
  async find(filter: EventFilter): Promise<EventRow[]> {
    const found = await this.#findKeys(filter);
    if (found.length === 0) return [];
    const ids = found.map(({ id }) => id);
    const times = found.map(({ time }) => time);
    const rows = await this.#records.read
      .selectFrom('cloudtrail_event')
      .selectAll()
      .where('account', '=', filter.account)
      .where('time', 'in', times)
      .where('id', 'in', ids)
      .orderBy('time', 'desc')
      .orderBy('id', 'desc')
      .execute();
    const { resourceName, resourceType } = filter;
    if (resourceName === undefined && resourceType === undefined) return rows;
    const index = {
      ...(resourceName !== undefined && { name: resourceName }),
      ...(resourceType !== undefined && { type: resourceType }),
    };
    const stray = rows.find((row) => !isIndexedAs(row, index));
    if (stray !== undefined) throw new RowDamageError(nameOfIndexRow({ ...stray, event_id: stray.id, name: '' }));
    return rows;
  }

  /** Which events they are, unchecked: those of a page are read and checked then, not all that are looked at. */
  #findKeys(filter: EventFilter): Promise<Pick<EventRow, 'time' | 'id'>[]> {
    let query = this.#records.readUnchecked
      .selectFrom('cloudtrail_event')
      .select(['time', 'id'])
      .where('account', '=', filter.account)
      .where('region', '=', filter.region)
      .where('time', '>=', filter.from)
      .where('time', '<=', filter.to);
    const { column, value, resourceName, resourceType, before } = filter;
    if (column !== undefined && value !== undefined) query = query.where(column, '=', value);
    if (resourceName !== undefined || resourceType !== undefined) {
      query = query.where((builder) => {
        let inner = builder
          .selectFrom('cloudtrail_resource')
          .select(['account', 'time', 'event_id'])
          .where('account', '=', filter.account)
          .where('time', '>=', filter.from)
          .where('time', '<=', filter.to);
        if (resourceName !== undefined) inner = inner.where('name', '=', resourceName);
        if (resourceType !== undefined) inner = inner.where('type', '=', resourceType);
        return builder(builder.refTuple('account', 'time', 'id'), 'in', inner.$asTuple('account', 'time', 'event_id'));
      });
    }
    if (before !== undefined) {
      query = query.where((builder) =>
        builder.or([
          builder('time', '<', before.time),
          builder.and([builder('time', '=', before.time), builder('id', '<', before.id)]),
        ]),
      );
    }
    return query.orderBy('time', 'desc').orderBy('id', 'desc').limit(filter.limit).execute();
  }

  /** Compares the index of resources with the events, both ways. Every row of it is told, with whether it is right. */
  async *checkIndex(): AsyncGenerator<{ readonly row: string; readonly isSound: boolean }> {
    for await (const event of this.#walk()) {
      for (const expected of indexRowsOf(event, resourcesOfEvent(event))) {
        if (await this.#isMissing(expected)) yield { row: nameOfIndexRow(expected), isSound: false };
      }
      for (const expected of requestRowsOf(event)) {
        if (await this.#isRequestMissing(expected)) yield { row: nameOfRequestRow(expected), isSound: false };
      }
    }
    for await (const row of this.#walkIndex()) {
      const event = await this.#eventOf(row);
      yield { row: nameOfIndexRow(row), isSound: event !== undefined && isIndexedAs(event, row) };
    }
    for await (const row of this.#walkRequests()) {
      const event = await this.#eventOf(row);
      const isSound = event !== undefined && requestRowsOf(event).some((found) => found.request_id === row.request_id);
      yield { row: nameOfRequestRow(row), isSound };
    }
  }

  /** The event that a row of an index stands for. */
  async #eventOf({ account, time, event_id: id }: Pick<EventResourceRow, 'account' | 'time' | 'event_id'>) {
    return this.#records.readUnchecked
      .selectFrom('cloudtrail_event')
      .selectAll()
      .where('account', '=', account)
      .where('time', '=', time)
      .where('id', '=', id)
      .executeTakeFirst();
  }

  async #isMissing({ account, name, time, event_id: id }: EventResourceRow): Promise<boolean> {
    const row = await this.#records.readUnchecked
      .selectFrom('cloudtrail_resource')
      .select('type')
      .where('account', '=', account)
      .where('name', '=', name)
      .where('time', '=', time)
      .where('event_id', '=', id)
      .executeTakeFirst();
    return row === undefined;
  }

  async #isRequestMissing({ request_id: request, account, time, event_id: id }: EventRequestRow): Promise<boolean> {
    const row = await this.#records.readUnchecked
      .selectFrom('cloudtrail_request')
      .select('time')
      .where('request_id', '=', request)
      .where('account', '=', account)
      .where('time', '=', time)
      .where('event_id', '=', id)
      .executeTakeFirst();
    return row === undefined;
  }

  async *#walkRequests(): AsyncGenerator<EventRequestRow> {
    let last: EventRequestRow | undefined;
    do {
      const { request_id: request, account, time, event_id: id } = last ?? NO_REQUEST;
      const page = await this.#records.readUnchecked
        .selectFrom('cloudtrail_request')
        .selectAll()
        .where((where) =>
          where(
            where.refTuple('request_id', 'account', 'time', 'event_id'),
            '>',
            where.tuple(request, account, time, id),
          ),
        )
        .orderBy('request_id')
        .orderBy('account')
        .orderBy('time')
        .orderBy('event_id')
        .limit(ROWS_OF_ONE_PAGE)
        .execute();
      yield* page;
      last = page.at(-1);
      await new Promise(setImmediate);
    } while (last !== undefined);
  }

  async *#walk(): AsyncGenerator<EventRow> {
    let last: EventRow | undefined;
    do {
      const { account, time, id } = last ?? { account: '', time: 0, id: '' };
      const page = await this.#records.readUnchecked
        .selectFrom('cloudtrail_event')
        .selectAll()
        .where((where) => where(where.refTuple('account', 'time', 'id'), '>', where.tuple(account, time, id)))
        .orderBy('account')
        .orderBy('time')
        .orderBy('id')
        .limit(ROWS_OF_ONE_PAGE)
        .execute();
      yield* page;
      last = page.at(-1);
      await new Promise(setImmediate);
    } while (last !== undefined);
  }

  async *#walkIndex(): AsyncGenerator<EventResourceRow> {
    let last: EventResourceRow | undefined;
    do {
      const { account, name, time, event_id: id } = last ?? { account: '', name: '', time: 0, event_id: '' };
      const page = await this.#records.readUnchecked
        .selectFrom('cloudtrail_resource')
        .selectAll()
        .where((where) =>
          where(where.refTuple('account', 'name', 'time', 'event_id'), '>', where.tuple(account, name, time, id)),
        )
        .orderBy('account')
        .orderBy('name')
        .orderBy('time')
        .orderBy('event_id')
        .limit(ROWS_OF_ONE_PAGE)
        .execute();
      yield* page;
      last = page.at(-1);
      await new Promise(setImmediate);
    } while (last !== undefined);
  }

  async prune(before: number): Promise<void> {
    await this.#records.write(async (transaction) => {
      await transaction.deleteFrom('cloudtrail_event').where('time', '<', before).execute();
      await transaction.deleteFrom('cloudtrail_resource').where('time', '<', before).execute();
      await transaction.deleteFrom('cloudtrail_request').where('time', '<', before).execute();
    });
  }

  async purgeAccount(account: AccountId): Promise<void> {
    await this.#records.write(async (transaction) => {
      await transaction.deleteFrom('cloudtrail_event').where('account', '=', account).execute();
      await transaction.deleteFrom('cloudtrail_resource').where('account', '=', account).execute();
      await transaction.deleteFrom('cloudtrail_request').where('account', '=', account).execute();
    });
  }
}

function nameOfIndexRow({ account, time, event_id: id, name }: Omit<EventResourceRow, 'type'>): string {
  return `cloudtrail_resource ${account} ${time} ${id} ${name}`.trimEnd();
}

const NO_REQUEST: EventRequestRow = { request_id: '', account: '', time: 0, event_id: '' };

function nameOfRequestRow({ request_id: request, account, time, event_id: id }: EventRequestRow): string {
  return `cloudtrail_request ${request} ${account} ${time} ${id}`;
}

function* chunksOf<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
