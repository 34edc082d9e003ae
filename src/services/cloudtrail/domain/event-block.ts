import { promisify } from 'node:util';
import { zstdCompress, zstdDecompressSync } from 'node:zlib';
import type { AuditEvent } from './audit-event.ts';

// Frozen: docs/formats/audit-log.md.
const compress = promisify(zstdCompress);

/** No block has events that are further apart: where a stretch of the log begins and ends is known by that. */
export const BLOCK_SPAN_MS = 1000;
const MAX_EVENTS = 500;
const MAX_LENGTH = 512 * 1024;
/** Far more than a block of one event that is as long as can be. */
const MAX_UNPACKED = 64 * 1024 * 1024;

/** Events of one account, close in time, the earliest first. */
export interface EventBlock<Event extends AuditEvent = AuditEvent> {
  readonly first: number;
  readonly last: number;
  readonly events: readonly Event[];
}

/** Cuts events into blocks. */
export function cutBlocks<Event extends AuditEvent>(events: readonly Event[]): EventBlock<Event>[] {
  const blocks: EventBlock<Event>[] = [];
  let current: Event[] = [];
  let length = 0;
  const end = () => {
    const [first] = current;
    const last = current.at(-1);
    if (first !== undefined && last !== undefined) blocks.push({ first: first.time, last: last.time, events: current });
    current = [];
    length = 0;
  };
  for (const event of events.toSorted((a, b) => a.time - b.time)) {
    const start = current[0]?.time ?? event.time;
    const isFull = current.length === MAX_EVENTS || length + event.json.length > MAX_LENGTH;
    if (isFull || event.time - start > BLOCK_SPAN_MS) end();
    current.push(event);
    length += event.json.length;
  }
  end();
  return blocks;
}

/** One line for each event: time, tab, user's name, tab, JSON; compressed by Zstandard. */
export async function packEvents(events: readonly AuditEvent[]): Promise<Buffer> {
  const text = events.map(({ time, userName, json }) => `${time}\t${userName}\t${json}\n`).join('');
  return compress(Buffer.from(text));
}

/** @throws when the bytes are none that `packEvents` made */
export function unpackEvents(packed: Uint8Array): AuditEvent[] {
  const text = zstdDecompressSync(packed, { maxOutputLength: MAX_UNPACKED }).toString('utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const afterTime = line.indexOf('\t');
      const afterName = line.indexOf('\t', afterTime + 1);
      if (afterTime < 0 || afterName < 0) throw new Error('A block of the audit log has a line that is no event.');
      return {
        time: Number(line.slice(0, afterTime)),
        userName: line.slice(afterTime + 1, afterName),
        json: line.slice(afterName + 1),
      };
    });
}
