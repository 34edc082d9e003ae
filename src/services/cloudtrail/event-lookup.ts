import type { ReadEvent } from './domain/audit-event.ts';
import { readEvent } from './domain/audit-event.ts';
import { timeOfEventId } from './domain/event-id.ts';
import { isTermOf, type Term } from './domain/event-terms.ts';
import type { CloudTrailStore, LogRange } from './store.ts';

/** Where a page ends: the event that was told last. */
export interface EventPosition {
  readonly time: number;
  readonly id: string;
}

/** What LookupEvents can ask for; each member narrows the answer. */
export interface EventFilter extends LogRange {
  readonly region: string;
  readonly term?: Term;
  readonly eventId?: string;
  readonly isReadOnly?: boolean;
  /** The last event of the page before. */
  readonly before?: EventPosition;
  readonly limit: number;
}

/**
 * The newest first. Blocks may overlap: an event is told when no block is left that could have a later one.
 *
 * @throws RowDamageError for blocks that were changed, and those to which the index leads wrongly
 */
export async function lookUpEvents(store: CloudTrailStore, filter: EventFilter): Promise<ReadEvent[]> {
  const { term, limit } = filter;
  const range = rangeOf(filter);
  let found: ReadEvent[] = [];
  const blocks = term === undefined ? store.blocksBackwards(range) : store.blocksWith(term, range);
  for await (const key of blocks) {
    const last = found[limit - 1];
    if (last !== undefined && last.time > key.last) break;
    const events = term === undefined ? (await store.open(key)).map(readEvent) : await store.openWith(term, key);
    const matching = events.filter((event) => isIn(event, range) && isMet(event, filter));
    found = [...found, ...matching].toSorted(newestFirst).slice(0, limit);
  }
  return found;
}

/** An event's id says when it was, and so where in the log it stands. */
function rangeOf({ account, from, to, eventId, before }: EventFilter): LogRange {
  const time = eventId === undefined ? undefined : timeOfEventId(eventId);
  const until = Math.min(to, before?.time ?? to, time ?? to);
  return { account, from: Math.max(from, time ?? from), to: until };
}

function isIn({ time }: ReadEvent, { from, to }: LogRange): boolean {
  return time >= from && time <= to;
}

function isMet(event: ReadEvent, { region, term, eventId, isReadOnly, before }: EventFilter): boolean {
  const { facts } = event;
  if (facts.awsRegion !== region) return false;
  if (term !== undefined && !isTermOf(event, term)) return false;
  if (eventId !== undefined && facts.eventID !== eventId) return false;
  if (isReadOnly !== undefined && facts.readOnly !== isReadOnly) return false;
  return before === undefined || newestFirst({ time: before.time, facts: { eventID: before.id } }, event) < 0;
}

interface Dated {
  readonly time: number;
  readonly facts: Pick<ReadEvent['facts'], 'eventID'>;
}

function newestFirst(a: Dated, b: Dated): number {
  if (a.time !== b.time) return b.time - a.time;
  return a.facts.eventID === b.facts.eventID ? 0 : a.facts.eventID < b.facts.eventID ? 1 : -1;
}
