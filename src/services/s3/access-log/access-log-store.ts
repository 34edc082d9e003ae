import type { Records } from '#storage/records.ts';
import type { S3Tables, S3Transaction } from '../store.ts';
import type { AccessLogRow } from './log-table.ts';

/** Characters that may lie in the records, waiting for their delivery. */
const MOST_WAITING = 256 * 1024 * 1024;

/** The lines that wait to be delivered. */
export class AccessLogStore {
  readonly #records: Records<S3Tables>;
  #last: number | undefined;
  #waiting: number | undefined;

  constructor(records: Records<S3Tables>) {
    this.#records = records;
  }

  /** @throws Error where there are too many already: they were not added */
  async add(groups: readonly Omit<AccessLogRow, 'number' | 'length'>[]): Promise<void> {
    this.#waiting ??= await this.#countWaiting();
    const length = groups.reduce((sum, group) => sum + group.lines.length, 0);
    if (this.#waiting + length > MOST_WAITING) throw new Error('Too many lines of access logs wait to be delivered.');
    await this.#records.writeBehind(async (transaction) => {
      this.#last ??= (await newest(transaction)) ?? 0;
      for (const group of groups) {
        this.#last += 1;
        const row = { ...group, number: this.#last, length: group.lines.length };
        await transaction.insertInto('s3_access_log').values(row).execute();
      }
    });
    this.#waiting += length;
  }

  /** The buckets for which there are lines. */
  async buckets(): Promise<string[]> {
    // Not checked: each row is, when it is read.
    const rows = await this.#records.readUnchecked.selectFrom('s3_access_log').select('bucket').distinct().execute();
    return rows.map(({ bucket }) => bucket);
  }

  /** The first rows of a bucket, of one day where `isOneDay`; at least one, else up to `most` characters. */
  async next(bucket: string, most: number, isOneDay: boolean): Promise<AccessLogRow[]> {
    const taken: AccessLogRow[] = [];
    let length = 0;
    for (let after = 0; ; ) {
      const row = await this.#records.read
        .selectFrom('s3_access_log')
        .selectAll()
        .where('bucket', '=', bucket)
        .where('number', '>', after)
        .orderBy('number')
        .limit(1)
        .executeTakeFirst();
      if (row === undefined || (taken.length > 0 && length + row.length > most)) return taken;
      if (isOneDay && taken[0] !== undefined && taken[0].day !== row.day) return taken;
      taken.push(row);
      length += row.length;
      after = row.number;
    }
  }

  /** Within the transaction that makes the object of them. */
  async remove(transaction: S3Transaction, rows: readonly AccessLogRow[]): Promise<void> {
    const numbers = rows.map(({ number }) => number);
    await transaction.deleteFrom('s3_access_log').where('number', 'in', numbers).execute();
  }

  /** What `remove` removed is not waiting any more: after its commit. */
  forget(rows: readonly AccessLogRow[]): void {
    const length = rows.reduce((sum, row) => sum + row.length, 0);
    if (this.#waiting !== undefined) this.#waiting = Math.max(0, this.#waiting - length);
  }

  /** Removes all lines of a bucket, or those from before `time`. */
  async drop(bucket: string, time?: number): Promise<void> {
    await this.#records.write(async (transaction) => {
      let query = transaction.deleteFrom('s3_access_log').where('bucket', '=', bucket);
      if (time !== undefined) query = query.where('time', '<', time);
      await query.execute();
    });
    this.#waiting = undefined;
  }

  async #countWaiting(): Promise<number> {
    const { length } = await this.#records.readUnchecked
      .selectFrom('s3_access_log')
      .select(({ fn }) => fn.sum<number | null>('length').as('length'))
      .executeTakeFirstOrThrow();
    return length ?? 0;
  }
}

async function newest(transaction: S3Transaction): Promise<number | undefined> {
  const row = await transaction
    .selectFrom('s3_access_log')
    .select('number')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.number;
}
