import { ElementCursor } from './element-cursor.ts';
import { ELEMENT } from './element-ids.ts';
import { invalid, MatroskaError } from './matroska-error.ts';

/** A name and a text, from a SimpleTag. A tag without text (a binary one too) has an empty one. */
export interface SimpleTag {
  readonly name: string;
  readonly value: string;
}

/** What tags may be. */
export interface TagLimits {
  /** Bytes of UTF-8. */
  readonly tagNameBytes: number;
  readonly tagValueBytes: number;
}

/** The producer's word that a fragment is over. */
export const END_OF_FRAGMENT_TAG = 'AWS_KINESISVIDEO_END_OF_FRAGMENT';

const RESERVED_PREFIX = 'AWS';
const CONTROL_TAGS: ReadonlySet<string> = new Set([
  END_OF_FRAGMENT_TAG,
  'AWS_KINESISVIDEO_IMAGE_GENERATION',
  'AWS_KINESISVIDEO_IMAGE_PREFIX',
  'AWS_KINESISVIDEO_NOTIFICATION',
]);
/** SimpleTags may lie in one another. */
const MAXIMUM_DEPTH = 8;

/** Tags that tell the service something, beside the producer's own. */
export function isControlTag(name: string): boolean {
  return CONTROL_TAGS.has(name);
}

/** The SimpleTags of a Tags element, those within others too, in order. */
export interface ParsedTags {
  /** Those that say something of the stream or the fragment as such. */
  readonly general: readonly SimpleTag[];
  /** Those that are about one track, chapter, edition or attachment, such as the statistics that muxers write. */
  readonly targeted: readonly SimpleTag[];
}

/**
 * Reads a Tags element.
 *
 * @param content what lies in it
 * @throws MatroskaError INVALID_MKV_DATA
 */
export function parseTags(content: ElementCursor): ParsedTags {
  const general: SimpleTag[] = [];
  const targeted: SimpleTag[] = [];
  while (content.next()) {
    if (content.id === ELEMENT.tag) collect(content.children(), isTargeted(content.children()) ? targeted : general, 0);
  }
  return { general, targeted };
}

const TARGETS: ReadonlySet<number> = new Set([
  ELEMENT.tagTrackUid,
  ELEMENT.tagEditionUid,
  ELEMENT.tagChapterUid,
  ELEMENT.tagAttachmentUid,
]);

function isTargeted(tag: ElementCursor): boolean {
  while (tag.next()) {
    if (tag.id !== ELEMENT.targets) continue;
    const targets = tag.children();
    while (targets.next()) if (TARGETS.has(targets.id) && targets.data().some((byte) => byte !== 0)) return true;
  }
  return false;
}

function collect(inside: ElementCursor, found: SimpleTag[], depth: number): void {
  if (depth > MAXIMUM_DEPTH) throw invalid('Tags lie too deep in one another.');
  while (inside.next()) {
    if (inside.id !== ELEMENT.simpleTag) continue;
    const index = found.length;
    const fields = inside.children();
    let name: string | undefined;
    let value = '';
    while (fields.next()) {
      if (fields.id === ELEMENT.tagName) name = fields.text();
      else if (fields.id === ELEMENT.tagString) value = fields.text();
    }
    if (name === undefined) throw invalid('A tag has no name.');
    found[index] = { name, value };
    collect(inside.children(), found, depth + 1);
  }
}

/**
 * Names that begin with `AWS` are the service's own: a producer that could write them could tell consumers false
 * fragment numbers and times.
 *
 * @throws MatroskaError INVALID_MKV_DATA for a reserved name that is no control tag
 */
export function checkTagNames({ general, targeted }: ParsedTags): void {
  for (const { name } of [...general, ...targeted]) {
    if (name.startsWith(RESERVED_PREFIX) && !isControlTag(name))
      throw invalid('A tag has a name that begins with AWS.');
  }
}

/** @throws MatroskaError FRAGMENT_METADATA_LIMIT_REACHED for a tag that is too long */
export function checkTagLengths(tags: readonly SimpleTag[], limits: TagLimits): void {
  for (const { name, value } of tags) {
    if (Buffer.byteLength(name) <= limits.tagNameBytes && Buffer.byteLength(value) <= limits.tagValueBytes) continue;
    const text = `A tag may have a name of ${limits.tagNameBytes} bytes and a value of ${limits.tagValueBytes}.`;
    throw new MatroskaError('FRAGMENT_METADATA_LIMIT_REACHED', text);
  }
}
