import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { ReadEvent } from './domain/audit-event.ts';
import { type EventBlock, packEvents } from './domain/event-block.ts';
import { termsOfAll } from './domain/event-terms.ts';
import type { BlockRow, CloudTrailTables, TermRow } from './tables.ts';

/** So that the statements are few, and SQLite has compiled them already. */
const TERMS_OF_ONE_INSERT = 100;

/** A block as it is written, with the entries of the index that lead to it. */
export interface PackedBlock {
  readonly row: BlockRow;
  readonly terms: readonly TermRow[];
}

export async function packBlock(account: string, { first, last, events }: EventBlock<ReadEvent>): Promise<PackedBlock> {
  const id = randomUUID();
  const terms = termsOfAll(events).map(({ kind, value }) => ({ kind, value, account, last, block: id }));
  return { row: { account, last, id, first, count: events.length, events: await packEvents(events) }, terms };
}

export async function insertBlock(transaction: Kysely<CloudTrailTables>, { row, terms }: PackedBlock): Promise<void> {
  await transaction.insertInto('cloudtrail_block').values(row).execute();
  for (let start = 0; start < terms.length; start += TERMS_OF_ONE_INSERT) {
    const some = terms.slice(start, start + TERMS_OF_ONE_INSERT);
    await transaction.insertInto('cloudtrail_term').values(some).execute();
  }
}
