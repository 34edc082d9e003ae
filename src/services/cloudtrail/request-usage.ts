import { type Expression, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import type { Records } from '#storage/records.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import type { KmsUsage, ServiceUsage, UsageColumn, UsageRange, UsageStep } from './domain/usage.ts';
import type { CloudTrailTables, EventRow } from './store.ts';

/** More kinds of requests than a report may have: the counts in memory are bounded. */
export class TooManyKindsError extends Error {}

type EventKey = Pick<EventRow, 'time' | 'id'>;

/** Events that one query adds up: a few milliseconds, mostly for their seals. Other work gets its turn in between. */
const EVENTS_OF_ONE_TURN = 200;
const MAX_KINDS = 100_000;
const KMS = 'kms.amazonaws.com';

/** What KMS requests are told apart by: from the event, as its row's seal binds it. */
const COLUMN_VALUES: Readonly<Record<UsageColumn, RawBuilder<string>>> = {
  // Of two keys, as ReEncrypt has them, the first. Where none was found, what the request calls it.
  key: sql`coalesce(json_extract(event, '$.resources[0].ARN'), json_extract(event, '$.requestParameters.keyId'), '')`,
  operation: sql`name`,
  principal: sql`coalesce(json_extract(event, '$.userIdentity.arn'), json_extract(event, '$.userIdentity.invokedBy'), '')`,
  credential: sql`access_key_id`,
  via: sql`coalesce(json_extract(event, '$.additionalEventData.via[#-1]'), '')`,
};

/**
 * A request on another account's resource stands in both logs: it counts in its caller's, or, where the caller has no
 * account, in that of the first resource.
 */
const IS_FIRST_RECORD: Expression<boolean> = sql`account = coalesce(
  nullif(json_extract(event, '$.userIdentity.accountId'), 'anonymous'), json_extract(event, '$.resources[0].accountId'))`;

/** What services do by themselves is no request. */
const IS_REQUEST: Expression<boolean> = sql`json_extract(event, '$.eventType') IS NOT 'AwsServiceEvent'`;

interface Tally {
  readonly source: string;
  readonly columns: Readonly<Partial<Record<UsageColumn, string>>>;
  requests: number;
  failed: number;
}

/** Counts requests in the audit log. */
export class RequestUsage {
  readonly #records: Records<CloudTrailTables>;

  constructor(records: Records<CloudTrailTables>) {
    this.#records = records;
  }

  /**
   * Adds up a stretch of the log, piece by piece. INVARIANT: only events whose rows bear their seals are counted.
   *
   * @throws TooManyKindsError
   */
  async *count(range: UsageRange, by: readonly UsageColumn[]): AsyncGenerator<UsageStep> {
    const tallies = new Map<string, Tally>();
    let events = 0;
    let damaged = 0;
    for await (const { account, keys } of this.#pages(range)) {
      damaged += await this.#addUp(account, keys, { isOneLog: range.account !== undefined, by, tallies });
      if (tallies.size > MAX_KINDS) {
        throw new TooManyKindsError(
          `More than ${MAX_KINDS} kinds of requests: take a shorter time, one account, or fewer columns.`,
        );
      }
      events += keys.length;
      yield { kind: 'progress', events };
    }
    yield { kind: 'done', kms: kmsUsage(tallies), services: serviceUsage(tallies), damaged };
  }

  async *#pages(range: UsageRange): AsyncGenerator<{ readonly account: string; readonly keys: readonly EventKey[] }> {
    for await (const account of range.account === undefined ? this.#accounts() : [range.account]) {
      let last: EventKey = { time: range.from, id: '' };
      for (;;) {
        const { time, id } = last;
        const keys = await this.#records.readUnchecked
          .selectFrom('cloudtrail_event')
          .select(['time', 'id'])
          .where('account', '=', account)
          .where('time', '<=', range.to)
          .where((where) => where(where.refTuple('time', 'id'), '>', where.tuple(time, id)))
          .orderBy('time')
          .orderBy('id')
          .limit(EVENTS_OF_ONE_TURN)
          .execute();
        const end = keys.at(-1);
        if (end === undefined) break;
        yield { account, keys };
        last = end;
        await new Promise(setImmediate);
      }
    }
  }

  /** The accounts that have a log, each found by one step into the table's order. */
  async *#accounts(): AsyncGenerator<string> {
    for (let last = ''; ; ) {
      const row = await this.#records.readUnchecked
        .selectFrom('cloudtrail_event')
        .select('account')
        .where('account', '>', last)
        .orderBy('account')
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) return;
      yield row.account;
      last = row.account;
    }
  }

  /**
   * Adds events that follow one another to the tallies.
   *
   * @returns how many of them do not bear their seal
   */
  async #addUp(
    account: string,
    keys: readonly EventKey[],
    into: { readonly isOneLog: boolean; readonly by: readonly UsageColumn[]; readonly tallies: Map<string, Tally> },
  ): Promise<number> {
    const first = keys[0];
    const last = keys.at(-1);
    if (first === undefined || last === undefined) return 0;
    try {
      const rows = await this.#sum(account, first, last, into);
      for (const row of rows) addTo(into.tallies, row, into.by);
      return 0;
    } catch (error) {
      if (!(error instanceof RowDamageError)) throw error;
      if (keys.length === 1) return 1;
      const middle = keys.length >> 1;
      return (
        (await this.#addUp(account, keys.slice(0, middle), into)) +
        (await this.#addUp(account, keys.slice(middle), into))
      );
    }
  }

  #sum(
    account: string,
    first: EventKey,
    last: EventKey,
    { isOneLog, by }: { readonly isOneLog: boolean; readonly by: readonly UsageColumn[] },
  ): Promise<readonly Sum[]> {
    // Not a condition on the rows: those would be looked at before their seals are.
    const counted = isOneLog ? IS_REQUEST : sql<boolean>`${IS_REQUEST} AND ${IS_FIRST_RECORD}`;
    let query: SelectQueryBuilder<CloudTrailTables, 'cloudtrail_event', Sum> = this.#records.read
      .selectFrom('cloudtrail_event')
      .select([
        'source',
        sql<number>`count(*) FILTER (WHERE ${counted})`.as('requests'),
        sql<number>`count(json_extract(event, '$.errorCode')) FILTER (WHERE ${counted})`.as('failed'),
      ])
      .where('account', '=', account)
      .where((where) => where(where.refTuple('time', 'id'), '>=', where.tuple(first.time, first.id)))
      .where((where) => where(where.refTuple('time', 'id'), '<=', where.tuple(last.time, last.id)))
      .groupBy('source');
    for (const column of by) {
      const value = sql<string>`CASE WHEN source = ${KMS} THEN ${COLUMN_VALUES[column]} ELSE '' END`;
      query = query.select(value.as(column)).groupBy(sql.ref(column));
    }
    return query.execute();
  }
}

interface Sum extends Readonly<Partial<Record<UsageColumn, string>>> {
  readonly source: string;
  readonly requests: number;
  readonly failed: number;
}

function addTo(tallies: Map<string, Tally>, row: Sum, by: readonly UsageColumn[]): void {
  if (row.requests === 0) return;
  const kind = JSON.stringify([row.source, ...by.map((column) => row[column] ?? '')]);
  let tally = tallies.get(kind);
  if (tally === undefined) {
    const columns = Object.fromEntries(by.map((column) => [column, row[column] ?? '']));
    tally = { source: row.source, columns, requests: 0, failed: 0 };
    tallies.set(kind, tally);
  }
  tally.requests += row.requests;
  tally.failed += row.failed;
}

function kmsUsage(tallies: ReadonlyMap<string, Tally>): KmsUsage[] {
  return [...tallies.values()]
    .filter(({ source }) => source === KMS)
    .map(({ columns, requests, failed }) => ({ ...columns, requests, failed }))
    .toSorted((a, b) => b.requests - a.requests);
}

function serviceUsage(tallies: ReadonlyMap<string, Tally>): ServiceUsage[] {
  const services = new Map<string, { requests: number; failed: number }>();
  for (const { source, requests, failed } of tallies.values()) {
    const sum = services.get(source) ?? { requests: 0, failed: 0 };
    services.set(source, { requests: sum.requests + requests, failed: sum.failed + failed });
  }
  return [...services].map(([service, sum]) => ({ service, ...sum })).toSorted((a, b) => b.requests - a.requests);
}
