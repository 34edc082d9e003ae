import { type Kysely, sql } from 'kysely';
import type { Records } from '#storage/records.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import type { FragmentRecord, FragmentSelection } from './fragment.ts';
import { lowestNumber } from './fragment-number.ts';

/** One connection's header and data key. Times are milliseconds since the epoch. */
export interface IngestRow {
  readonly id: string;
  readonly stream: string;
  readonly key_arn: string;
  /** KMS's ciphertext of the data key. */
  readonly data_key: Uint8Array;
  /** Sealed under the data key. */
  readonly header: Uint8Array;
  readonly created_at: number;
}

export interface FragmentRow {
  readonly stream: string;
  readonly number: string;
  readonly ingest: string;
  readonly server_time: number;
  readonly producer_time: number;
  readonly length: number;
  readonly size: number;
  readonly cluster_size: number;
  readonly starts_with_keyframe: number;
  readonly is_kept: number;
  readonly segment_size: number;
  /** `null` where the ciphertext lies in `kinesis_video_fragment_body`. */
  readonly blob: string | null;
}

interface FragmentBodyRow {
  readonly stream: string;
  readonly number: string;
  readonly body: Uint8Array;
}

export interface ArchiveTables {
  readonly kinesis_video_ingest: IngestRow;
  readonly kinesis_video_fragment: FragmentRow;
  readonly kinesis_video_fragment_body: FragmentBodyRow;
}

/** From which server timestamps on fragments are there. */
export interface Visibility {
  readonly keptFrom: number;
  /** For fragments that are not kept. */
  readonly passingFrom: number;
}

/** Where a page goes on. */
export type PageEnd = Pick<FragmentRecord, 'number' | 'serverTimestamp' | 'producerTimestamp'>;

/** The archive's queries. */
export class FragmentStore {
  readonly #records: Records<ArchiveTables>;

  constructor(records: Records<ArchiveTables>) {
    this.#records = records;
  }

  async addIngest(row: IngestRow): Promise<void> {
    await this.#records.write((transaction) => transaction.insertInto('kinesis_video_ingest').values(row).execute());
  }

  findIngest(stream: string, id: string): Promise<IngestRow | undefined> {
    return this.#records.read
      .selectFrom('kinesis_video_ingest')
      .selectAll()
      .where('id', '=', id)
      .where('stream', '=', stream)
      .executeTakeFirst();
  }

  /** @param body the ciphertext, where it does not lie in a blob */
  async addFragment(row: FragmentRow, body: Uint8Array | undefined): Promise<void> {
    const { stream, number } = row;
    await this.#records.write(async (transaction) => {
      await transaction.insertInto('kinesis_video_fragment').values(row).execute();
      if (body === undefined) return;
      await transaction.insertInto('kinesis_video_fragment_body').values({ stream, number, body }).execute();
    });
  }

  async findBody(stream: string, number: string): Promise<Uint8Array | undefined> {
    const row = await this.#records.read
      .selectFrom('kinesis_video_fragment_body')
      .select('body')
      .where('stream', '=', stream)
      .where('number', '=', number)
      .executeTakeFirst();
    return row?.body;
  }

  find(stream: string, numbers: readonly string[]): Promise<FragmentRow[]> {
    return this.#records.read
      .selectFrom('kinesis_video_fragment')
      .selectAll()
      .where('stream', '=', stream)
      .where('number', 'in', numbers)
      .orderBy('number')
      .execute();
  }

  /** The fragments after a number, visible ones only. */
  after(stream: string, number: string, { keptFrom, passingFrom }: Visibility, limit: number): Promise<FragmentRow[]> {
    // A number's sequence is never less than its server timestamp: so much can be passed over in one step.
    const lowest = lowestNumber(Math.min(keptFrom, passingFrom));
    return this.#visible(stream, { keptFrom, passingFrom })
      .where('number', '>', number > lowest ? number : lowest)
      .orderBy('number')
      .limit(limit)
      .execute();
  }

  last(stream: string, visibility: Visibility): Promise<FragmentRow | undefined> {
    return this.#visible(stream, visibility).orderBy('number', 'desc').limit(1).executeTakeFirst();
  }

  /** The greatest number that the stream has at all. */
  async lastNumber(stream: string): Promise<Pick<FragmentRow, 'number' | 'server_time'> | undefined> {
    return this.#records.read
      .selectFrom('kinesis_video_fragment')
      .select(['number', 'server_time'])
      .where('stream', '=', stream)
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  /** Of the visible fragments at or before a moment, the one that comes last. */
  lastUntil(
    stream: string,
    by: FragmentSelection['by'],
    timestamp: number,
    visibility: Visibility,
  ): Promise<FragmentRow | undefined> {
    const column = columnOf(by);
    return this.#visible(stream, visibility)
      .where(column, '<=', timestamp)
      .orderBy(column, 'desc')
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  /** Of the visible fragments after a moment, the one that comes first. */
  firstAfter(
    stream: string,
    by: FragmentSelection['by'],
    timestamp: number,
    visibility: Visibility,
  ): Promise<FragmentRow | undefined> {
    const column = columnOf(by);
    return this.#visible(stream, visibility)
      .where(column, '>', timestamp)
      .orderBy(column)
      .orderBy('number')
      .limit(1)
      .executeTakeFirst();
  }

  /** Kept fragments in the order of a timestamp. */
  list(
    stream: string,
    { by, start, end }: FragmentSelection,
    { keptFrom }: Visibility,
    limit: number,
    after: PageEnd | undefined,
  ): Promise<FragmentRow[]> {
    const column = columnOf(by);
    // One lower bound, the highest: SQLite begins at one and looks at all that follows.
    const bounds = [start, by === 'server' ? keptFrom : undefined, after && timeOf(after, by)];
    const lowest = Math.max(...bounds.filter((bound) => bound !== undefined));
    let query = this.#records.read
      .selectFrom('kinesis_video_fragment')
      .selectAll()
      .where('stream', '=', stream)
      .where('is_kept', '=', 1);
    if (Number.isFinite(lowest)) query = query.where(column, '>=', lowest);
    if (end !== undefined) query = query.where(column, '<=', end);
    // Not by the other index, which has another order.
    if (by === 'producer') query = query.where(sql<number>`+server_time`, '>=', keptFrom);
    if (after !== undefined) {
      const { number } = after;
      query = query.where((where) =>
        where(where.refTuple(column, 'number'), '>', where.tuple(timeOf(after, by), number)),
      );
    }
    return query.orderBy(column).orderBy('number').limit(limit).execute();
  }

  /** Removes some kept fragments that are older. @returns them, at most `limit` */
  removeKept(stream: string, keptFrom: number, limit: number): Promise<RemovedRow[]> {
    return this.#remove(stream, (queries) =>
      queries
        .selectFrom('kinesis_video_fragment')
        .select(['number', 'blob'])
        .where('stream', '=', stream)
        .where('server_time', '<', keptFrom)
        .where('is_kept', '=', 1)
        .orderBy('server_time')
        .limit(limit)
        .execute(),
    );
  }

  /** Removes some fragments that are not kept and are older. @returns them, at most `limit` */
  removePassing(stream: string, passingFrom: number, limit: number): Promise<RemovedRow[]> {
    return this.#remove(stream, (queries) =>
      queries
        .selectFrom('kinesis_video_fragment')
        .select(['number', 'blob'])
        .where('stream', '=', stream)
        .where('server_time', '<', passingFrom)
        .where('is_kept', '=', sql.lit(0))
        .orderBy('server_time')
        .limit(limit)
        .execute(),
    );
  }

  /** True when nothing of a stream is stored. A fragment never stands without its connection. */
  async isEmpty(stream: string): Promise<boolean> {
    const row = await this.#records.readUnchecked
      .selectFrom('kinesis_video_ingest')
      .select('id')
      .where('stream', '=', stream)
      .limit(1)
      .executeTakeFirst();
    return row === undefined;
  }

  /** The ids of all streams of which something is stored. */
  async streams(): Promise<string[]> {
    const rows = await this.#records.readUnchecked
      .selectFrom('kinesis_video_ingest')
      .select('stream')
      .distinct()
      .execute();
    return rows.map(({ stream }) => stream);
  }

  /** Removes some fragments, whatever they are. @returns them, at most `limit` */
  removeAny(stream: string, limit: number): Promise<RemovedRow[]> {
    return this.#remove(stream, (queries) =>
      queries
        .selectFrom('kinesis_video_fragment')
        .select(['number', 'blob'])
        .where('stream', '=', stream)
        .limit(limit)
        .execute(),
    );
  }

  removeByNumber(stream: string, numbers: readonly string[]): Promise<RemovedRow[]> {
    return this.#remove(stream, (queries) =>
      queries
        .selectFrom('kinesis_video_fragment')
        .select(['number', 'blob'])
        .where('stream', '=', stream)
        .where('number', 'in', numbers)
        .execute(),
    );
  }

  /** Fragments that are not kept, oldest first: by the index of these alone, whose order is that of their numbers. */
  passing(stream: string): Promise<Pick<FragmentRow, 'number' | 'size' | 'server_time'>[]> {
    return this.#records.read
      .selectFrom('kinesis_video_fragment')
      .select(['number', 'size', 'server_time'])
      .where('stream', '=', stream)
      .where('is_kept', '=', sql.lit(0))
      .orderBy('server_time')
      .orderBy('number')
      .execute();
  }

  /**
   * Removes a stream's connections of which nothing is stored, with their data keys.
   *
   * @param active the one that still writes, if any
   */
  async removeEmptyIngests(stream: string, active: string | undefined): Promise<void> {
    const { read } = this.#records;
    const empty = await read
      .selectFrom('kinesis_video_ingest')
      .select('id')
      .where('stream', '=', stream)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('kinesis_video_fragment')
              .select('number')
              .whereRef('kinesis_video_fragment.ingest', '=', 'kinesis_video_ingest.id'),
          ),
        ),
      )
      .execute();
    const ids = empty.map(({ id }) => id).filter((id) => id !== active);
    if (ids.length === 0) return;
    await this.#records.write((transaction) =>
      transaction.deleteFrom('kinesis_video_ingest').where('id', 'in', ids).execute(),
    );
  }

  /** Blobs that records name, whatever their state, in pages by stream and number. */
  async *blobs(page: number): AsyncGenerator<string> {
    let after = { stream: '', number: '' };
    for (;;) {
      const { stream, number } = after;
      const rows = await this.#records.read
        .selectFrom('kinesis_video_fragment')
        .select(['stream', 'number', 'blob'])
        .where((where) => where(where.refTuple('stream', 'number'), '>', where.tuple(stream, number)))
        .orderBy('stream')
        .orderBy('number')
        .limit(page)
        .execute();
      for (const { blob } of rows) if (blob !== null) yield blob;
      const last = rows.at(-1);
      if (last === undefined || rows.length < page) return;
      after = last;
    }
  }

  #visible(stream: string, { keptFrom, passingFrom }: Visibility) {
    return this.#records.read
      .selectFrom('kinesis_video_fragment')
      .selectAll()
      .where('stream', '=', stream)
      .where((where) =>
        where.or([
          where.and([where('is_kept', '=', 1), where('server_time', '>=', keptFrom)]),
          where.and([where('is_kept', '=', 0), where('server_time', '>=', passingFrom)]),
        ]),
      );
  }

  /** Rows that do not bear their seal go like the others, but the blobs that they name are not believed. */
  async #remove(
    stream: string,
    select: (queries: Kysely<ArchiveTables>) => Promise<RemovedRow[]>,
  ): Promise<RemovedRow[]> {
    let rows: RemovedRow[];
    try {
      rows = await select(this.#records.read);
    } catch (error) {
      if (!(error instanceof RowDamageError)) throw error;
      rows = (await select(this.#records.readUnchecked)).map((row) => ({ ...row, blob: null }));
    }
    const numbers = rows.map(({ number }) => number);
    if (numbers.length === 0) return rows;
    await this.#records.write(async (transaction) => {
      for (const table of ['kinesis_video_fragment_body', 'kinesis_video_fragment'] as const) {
        await transaction.deleteFrom(table).where('stream', '=', stream).where('number', 'in', numbers).execute();
      }
    });
    return rows;
  }
}

/** `blob` is null where there is none, or where it is not known for certain. */
export type RemovedRow = Pick<FragmentRow, 'number' | 'blob'>;

function timeOf(end: PageEnd, by: FragmentSelection['by']): number {
  return by === 'server' ? end.serverTimestamp : end.producerTimestamp;
}

function columnOf(by: FragmentSelection['by']): 'server_time' | 'producer_time' {
  return by === 'server' ? 'server_time' : 'producer_time';
}

export function recordOf(row: FragmentRow): FragmentRecord {
  return {
    streamId: row.stream,
    number: row.number,
    ingestId: row.ingest,
    serverTimestamp: row.server_time,
    producerTimestamp: row.producer_time,
    lengthMs: row.length,
    size: row.size,
    clusterSize: row.cluster_size,
    startsWithKeyframe: row.starts_with_keyframe === 1,
    isKept: row.is_kept === 1,
    segmentSize: row.segment_size,
    blob: row.blob,
  };
}
