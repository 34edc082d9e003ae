import { ElementCursor } from './element-cursor.ts';
import { ELEMENT } from './element-ids.ts';
import { invalid } from './matroska-error.ts';
import type { HeaderEvent } from './matroska-events.ts';
import { type ParsedTags, parseTags, type SimpleTag } from './tags.ts';
import { parseTracks, type Track } from './tracks.ts';

/** What the bytes of a stored header say. */
export type MatroskaHeader = Omit<HeaderEvent, 'type'>;

const DEFAULT_TIMECODE_SCALE = 1_000_000;
const DOC_TYPES: readonly string[] = ['matroska', 'webm'];

/** How long ids and sizes may be in a stream. */
export interface EbmlLengths {
  readonly id: number;
  readonly size: number;
}

/**
 * Checks an EBML header.
 *
 * @param content what lies in it
 * @throws MatroskaError INVALID_MKV_DATA when it does not announce Matroska or WebM
 */
export function readEbmlHeader(content: ElementCursor): EbmlLengths {
  let docType = '';
  let readVersion = 1;
  let id = 4;
  let size = 8;
  while (content.next()) {
    if (content.id === ELEMENT.docType) docType = content.text();
    else if (content.id === ELEMENT.ebmlReadVersion) readVersion = content.unsigned();
    else if (content.id === ELEMENT.ebmlMaxIdLength) id = content.unsigned();
    else if (content.id === ELEMENT.ebmlMaxSizeLength) size = content.unsigned();
  }
  if (!DOC_TYPES.includes(docType)) throw invalid('The document type is neither matroska nor webm.');
  if (readVersion !== 1) throw invalid('The stream needs another version of EBML.');
  if (id < 4 || id > 8 || size < 1 || size > 8) throw invalid('The stream has ids or sizes of unusual length.');
  return { id, size };
}

/**
 * Reads a header as `MatroskaParser` gave it out (`HeaderEvent.bytes`).
 *
 * @param checkTags called for each Tags element; may throw
 * @throws MatroskaError INVALID_MKV_DATA
 */
export function readHeader(bytes: Buffer, checkTags: (tags: ParsedTags) => void = () => {}): MatroskaHeader {
  const outer = new ElementCursor(bytes);
  readEbmlHeader(enter(outer, ELEMENT.ebml, 'The stream does not begin with an EBML header.'));
  const elements = enter(outer, ELEMENT.segment, 'No Segment follows the EBML header.');
  let timecodeScale: number | undefined;
  let tracks: Track[] | undefined;
  const simpleTags: SimpleTag[] = [];
  while (elements.next()) {
    if (elements.id === ELEMENT.info) {
      if (timecodeScale !== undefined) throw invalid('The stream has more than one Info.');
      timecodeScale = readTimecodeScale(elements.children());
    } else if (elements.id === ELEMENT.tracks) {
      if (tracks !== undefined) throw invalid('The stream has more than one Tracks.');
      tracks = parseTracks(elements.children());
    } else if (elements.id === ELEMENT.tags) {
      const tags = parseTags(elements.children());
      checkTags(tags);
      for (const tag of tags.general) simpleTags.push(tag);
    }
  }
  if (timecodeScale === undefined) throw invalid('The stream has no Info before its first Cluster.');
  if (tracks === undefined || tracks.length === 0) throw invalid('The stream has no Tracks before its first Cluster.');
  return { bytes, tracks, timecodeScale, simpleTags };
}

function enter(cursor: ElementCursor, id: number, problem: string): ElementCursor {
  if (!cursor.next(id === ELEMENT.segment) || cursor.id !== id) throw invalid(problem);
  return cursor.children();
}

function readTimecodeScale(info: ElementCursor): number {
  let scale = DEFAULT_TIMECODE_SCALE;
  while (info.next()) if (info.id === ELEMENT.timecodeScale) scale = info.unsigned();
  if (scale === 0) throw invalid('The timecode scale is zero.');
  return scale;
}
