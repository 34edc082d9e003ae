import type { AccountId } from '#kernel/ids.ts';
import type { Records } from '#storage/records.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import { type AuditEvent, type ReadEvent, readEvent } from './domain/audit-event.ts';
import { BLOCK_SPAN_MS, cutBlocks, unpackEvents } from './domain/event-block.ts';
import { isTermOf, type Term } from './domain/event-terms.ts';
import { insertBlock, type PackedBlock, packBlock } from './packed-block.ts';
import type { BlockRow, CloudTrailTables, TermRow } from './tables.ts';
import { walkPages } from './walk-pages.ts';

/** A stretch of one account's log; both ends belong to it. Milliseconds since the epoch. */
export interface LogRange {
  readonly account: string;
  readonly from: number;
  readonly to: number;
}

/** What is known of a block before it is opened. INVARIANT: nothing of it is believed but for finding the block. */
export type BlockKey = Pick<BlockRow, 'account' | 'last' | 'id' | 'count'>;

/** What is read of one block. */
export interface SoundEvents {
  /** How many events the block has, of which some may be outside of the stretch. */
  readonly count: number;
  readonly isDamaged: boolean;
  readonly events: readonly ReadEvent[];
}

const KEYS_OF_ONE_PAGE = 100;

/**
 * The audit log: blocks of events, and an index of what they are looked up by (docs/formats/audit-log.md).
 */
export class CloudTrailStore {
  readonly #records: Records<CloudTrailTables>;

  constructor(records: Records<CloudTrailTables>) {
    this.#records = records;
  }

  /** @param logs events, by the account in whose log they stand */
  async insert(logs: ReadonlyMap<string, readonly ReadEvent[]>): Promise<void> {
    const packed: PackedBlock[] = [];
    for (const [account, events] of logs) {
      for (const block of cutBlocks(events)) packed.push(await packBlock(account, block));
    }
    await this.#records.writeBehind(async (transaction) => {
      for (const block of packed) await insertBlock(transaction, block);
    });
  }

  /** The accounts that have a log, each found by one step into the table's order. */
  async *accounts(): AsyncGenerator<string> {
    for (let last = ''; ; ) {
      const row = await this.#records.readUnchecked
        .selectFrom('cloudtrail_block')
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

  /** The blocks that may have events of a stretch, the earliest first. */
  blocks({ account, from, to }: LogRange): AsyncGenerator<BlockKey> {
    return walkPages((after) =>
      this.#blocks(account, from)
        .where((where) =>
          where(where.refTuple('last', 'id'), '>', where.tuple(after?.last ?? from - 1, after?.id ?? '')),
        )
        .where('last', '<=', to + BLOCK_SPAN_MS)
        .orderBy('last')
        .orderBy('id')
        .execute(),
    );
  }

  /** As `blocks`, the latest first. */
  blocksBackwards({ account, from, to }: LogRange): AsyncGenerator<BlockKey> {
    const end = to + BLOCK_SPAN_MS + 1;
    return walkPages((before) =>
      this.#blocks(account, from)
        .where((where) => where(where.refTuple('last', 'id'), '<', where.tuple(before?.last ?? end, before?.id ?? '')))
        .orderBy('last', 'desc')
        .orderBy('id', 'desc')
        .execute(),
    );
  }

  #blocks(account: string, from: number) {
    return this.#records.readUnchecked
      .selectFrom('cloudtrail_block')
      .select(['account', 'last', 'id', 'count'])
      .where('account', '=', account)
      .where('last', '>=', from)
      .limit(KEYS_OF_ONE_PAGE);
  }

  /** As `blocksBackwards`, those alone that the index says have an event of which the term is true. */
  blocksWith(term: Term, { account, from, to }: LogRange): AsyncGenerator<Omit<BlockKey, 'count'>> {
    const end = to + BLOCK_SPAN_MS + 1;
    return walkPages((before) =>
      this.#records.readUnchecked
        .selectFrom('cloudtrail_term')
        .select(['account', 'last', 'block as id'])
        .where('kind', '=', term.kind)
        .where('value', '=', term.value)
        .where('account', '=', account)
        .where('last', '>=', from)
        .where((where) =>
          where(where.refTuple('last', 'block'), '<', where.tuple(before?.last ?? end, before?.id ?? '')),
        )
        .orderBy('last', 'desc')
        .orderBy('block', 'desc')
        .limit(KEYS_OF_ONE_PAGE)
        .execute(),
    );
  }

  /** The events of a stretch, block by block, the earliest first; of a block that was changed none. */
  async *soundEvents(range: LogRange): AsyncGenerator<SoundEvents> {
    for await (const key of this.blocks(range)) {
      const events = await this.open(key).catch((error: unknown) => {
        if (error instanceof RowDamageError) return undefined;
        throw error;
      });
      yield {
        count: key.count,
        isDamaged: events === undefined,
        events: (events ?? []).filter(({ time }) => time >= range.from && time <= range.to).map(readEvent),
      };
    }
  }

  /** @throws RowDamageError for a block that was changed, or is not there */
  async open({ account, last, id }: Omit<BlockKey, 'count'>): Promise<AuditEvent[]> {
    const row = await this.#records.read
      .selectFrom('cloudtrail_block')
      .select('events')
      .where('account', '=', account)
      .where('last', '=', last)
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) throw new RowDamageError(`cloudtrail_block ${account} ${last} ${id}`);
    return unpackEvents(row.events);
  }

  /**
   * The events of a block to which the index leads.
   *
   * @throws RowDamageError for a block that was changed, and for one to which the index leads wrongly
   */
  async openWith(term: Term, key: Omit<BlockKey, 'count'>): Promise<ReadEvent[]> {
    const entry = { ...term, account: key.account, last: key.last, block: key.id };
    const events = await this.open(key).catch((error: unknown) => {
      throw error instanceof RowDamageError ? new RowDamageError(nameOfEntry(entry)) : error;
    });
    const found = events.map(readEvent).filter((event) => isTermOf(event, term));
    if (found.length === 0) throw new RowDamageError(nameOfEntry(entry));
    return found;
  }

  /**
   * What failed of a request, in the order in which it happened: inner calls come before what they made fail.
   *
   * @param account whose log; absent: every account's
   * @throws RowDamageError for blocks that were changed, and those to which the index leads wrongly
   */
  async findFailures(requestId: string, account?: AccountId): Promise<ReadEvent[]> {
    const term = { kind: 'request', value: requestId } as const;
    let query = this.#records.readUnchecked
      .selectFrom('cloudtrail_term')
      .select(['account', 'last', 'block'])
      .where('kind', '=', term.kind)
      .where('value', '=', term.value)
      .limit(KEYS_OF_ONE_PAGE);
    if (account !== undefined) query = query.where('account', '=', account);
    const events: ReadEvent[] = [];
    for (const entry of await query.execute()) {
      events.push(...(await this.openWith(term, { account: entry.account, last: entry.last, id: entry.block })));
    }
    return events.toSorted((a, b) => b.time - a.time || (a.facts.eventID < b.facts.eventID ? -1 : 1));
  }

  async prune(before: number): Promise<void> {
    await this.#records.write(async (transaction) => {
      await transaction.deleteFrom('cloudtrail_block').where('last', '<', before).execute();
      await transaction.deleteFrom('cloudtrail_term').where('last', '<', before).execute();
    });
  }

  async purgeAccount(account: AccountId): Promise<void> {
    await this.#records.write(async (transaction) => {
      await transaction.deleteFrom('cloudtrail_block').where('account', '=', account).execute();
      await transaction.deleteFrom('cloudtrail_term').where('account', '=', account).execute();
    });
  }
}

/** How an entry of the index is named where it is wrong. */
export function nameOfEntry({ kind, value, account, last, block }: TermRow): string {
  return `cloudtrail_term ${kind} ${value} ${account} ${last} ${block}`;
}
