import type { HeaderEvent } from './matroska-events.ts';

/** What the bytes of a stored header say. */
export type MatroskaHeader = Omit<HeaderEvent, 'type'>;

/**
 * Reads a header as `MatroskaParser` gave it out (`HeaderEvent.bytes`).
 *
 * @throws MatroskaError INVALID_MKV_DATA
 */
export function readHeader(_bytes: Buffer): MatroskaHeader {
  throw new Error('not built');
}
