import { sql } from 'kysely';
import type { Migration, Records } from '#storage/records.ts';

/** How far the reading of everything has come. */
export interface ScrubPosition {
  /** Milliseconds since the epoch: when this reading began. */
  readonly startedAt: number;
  /** What is being read, and the last that was. */
  readonly phase: 'objects' | 'versions' | 'parts' | 'done';
  readonly bucket: string;
  readonly key: string;
  readonly rank: number;
  readonly checked: number;
  readonly damaged: number;
}

export interface ScrubTables {
  readonly s3_scrub: {
    readonly id: number;
    /** `ScrubPosition` in JSON. */
    readonly position: string;
  };
}

export const scrubMigrations: readonly Migration[] = [
  {
    name: 's3-scrub-0001-position',
    sealedTables: ['s3_scrub'],
    async up(transaction) {
      await sql`CREATE TABLE s3_scrub (id INTEGER PRIMARY KEY, position TEXT NOT NULL, mac BLOB NOT NULL) STRICT`.execute(
        transaction,
      );
    },
  },
];

const ONLY = 1;

/** Remembers the position over restarts. */
export class ScrubPositions {
  readonly #records: Records<ScrubTables>;

  constructor(records: Records<ScrubTables>) {
    this.#records = records;
  }

  async read(): Promise<ScrubPosition | undefined> {
    const row = await this.#records.read.selectFrom('s3_scrub').selectAll().where('id', '=', ONLY).executeTakeFirst();
    return row === undefined ? undefined : (JSON.parse(row.position) as ScrubPosition);
  }

  async write(position: ScrubPosition): Promise<void> {
    const text = JSON.stringify(position);
    await this.#records.write(async (transaction) => {
      await transaction.deleteFrom('s3_scrub').where('id', '=', ONLY).execute();
      await transaction.insertInto('s3_scrub').values({ id: ONLY, position: text }).execute();
    });
  }
}
