import type { Records } from '#storage/records.ts';
import { type ReadEvent, readEvent } from './domain/audit-event.ts';
import { unpackEvents } from './domain/event-block.ts';
import { isTermOf, termsOfAll } from './domain/event-terms.ts';
import { nameOfEntry } from './store.ts';
import type { CloudTrailTables, TermRow } from './tables.ts';
import { walkPages } from './walk-pages.ts';

/** An entry of the index, and whether it says what the events say. */
export interface CheckedEntry {
  readonly row: string;
  readonly isSound: boolean;
}

type BlockPlace = Pick<TermRow, 'account' | 'last' | 'block'>;

const ROWS_OF_ONE_PAGE = 100;
const BEFORE_ALL: BlockPlace = { account: '', last: 0, block: '' };

/** Compares the index of the audit log with the events, both ways. */
export class IndexCheck {
  readonly #records: Records<CloudTrailTables>;

  constructor(records: Records<CloudTrailTables>) {
    this.#records = records;
  }

  /** Every entry that there is or should be, with whether it is right. */
  async *run(): AsyncGenerator<CheckedEntry> {
    let sound = 0;
    for await (const expected of this.#expected()) {
      const isSound = await this.#isThere(expected);
      if (isSound) sound += 1;
      yield { row: nameOfEntry(expected), isSound };
    }
    // Where there are as many as there should be, and all of those, there are no others.
    if ((await this.#count()) === sound) return;
    for await (const entry of this.#entries()) {
      const events = await this.#eventsOf(entry);
      if (!events.some((event) => isTermOf(event, entry))) yield { row: nameOfEntry(entry), isSound: false };
    }
  }

  async *#expected(): AsyncGenerator<TermRow> {
    const blocks = walkPages<BlockPlace>((after) =>
      this.#records.readUnchecked
        .selectFrom('cloudtrail_block')
        .select(['account', 'last', 'id as block'])
        .where((where) => {
          const { account, last, block } = after ?? BEFORE_ALL;
          return where(where.refTuple('account', 'last', 'id'), '>', where.tuple(account, last, block));
        })
        .orderBy('account')
        .orderBy('last')
        .orderBy('id')
        .limit(ROWS_OF_ONE_PAGE)
        .execute(),
    );
    for await (const place of blocks) {
      for (const term of termsOfAll(await this.#eventsOf(place))) yield { ...term, ...place };
    }
  }

  #entries(): AsyncGenerator<TermRow> {
    return walkPages<TermRow>((after) => {
      const { kind, value, account, last, block } = after ?? { ...BEFORE_ALL, kind: '', value: '' };
      return this.#records.readUnchecked
        .selectFrom('cloudtrail_term')
        .selectAll()
        .where((where) =>
          where(
            where.refTuple('kind', 'value', 'account', 'last', 'block'),
            '>',
            where.tuple(kind as TermRow['kind'], value, account, last, block),
          ),
        )
        .orderBy('kind')
        .orderBy('value')
        .orderBy('account')
        .orderBy('last')
        .orderBy('block')
        .limit(ROWS_OF_ONE_PAGE)
        .execute();
    });
  }

  async #isThere({ kind, value, account, last, block }: TermRow): Promise<boolean> {
    const row = await this.#records.readUnchecked
      .selectFrom('cloudtrail_term')
      .select('kind')
      .where('kind', '=', kind)
      .where('value', '=', value)
      .where('account', '=', account)
      .where('last', '=', last)
      .where('block', '=', block)
      .executeTakeFirst();
    return row !== undefined;
  }

  async #count(): Promise<number> {
    const row = await this.#records.readUnchecked
      .selectFrom('cloudtrail_term')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return row.count;
  }

  /** None where the block is not there or cannot be read: that it was changed is said by its own check. */
  async #eventsOf({ account, last, block }: BlockPlace): Promise<readonly ReadEvent[]> {
    const row = await this.#records.readUnchecked
      .selectFrom('cloudtrail_block')
      .select('events')
      .where('account', '=', account)
      .where('last', '=', last)
      .where('id', '=', block)
      .executeTakeFirst();
    if (row === undefined) return [];
    try {
      return unpackEvents(row.events).map(readEvent);
    } catch {
      return [];
    }
  }
}
