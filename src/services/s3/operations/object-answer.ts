import { encryptionAnswer } from '../domain/encryption-members.ts';
import { headerMembers } from '../domain/object-headers.ts';
import { placementMembers } from '../domain/storage-class.ts';
import { checksumMembers, openChecksum } from '../keys/checksum-seal.ts';
import type { StoredObject } from '../objects.ts';
import type { ReadSpan } from './read-span.ts';

/**
 * What GetObject and HeadObject both answer.
 *
 * @param dataKey given when the checksum of the span is wanted
 */
export function objectAnswer(object: StoredObject, span: ReadSpan, dataKey: Buffer | undefined) {
  const { row, facts } = object;
  const tagCount = Object.keys(facts.tags ?? {}).length;
  return {
    AcceptRanges: 'bytes',
    LastModified: new Date(row.modified_at),
    ContentLength: row.size,
    ETag: `"${row.etag}"`,
    ...headerMembers(facts.headers),
    Metadata: { ...facts.metadata },
    ...encryptionAnswer(facts.encryption),
    ...placementMembers(facts),
    ...(tagCount > 0 && { TagCount: tagCount }),
    ...(dataKey !== undefined && checksumAnswer(object, span, dataKey)),
  };
}

/** Whether a checksum is kept of these bytes: of the whole object, or of a part where each part has its own. */
export function hasChecksum({ facts }: StoredObject, span: ReadSpan): boolean {
  return facts.checksum !== undefined && (span.isWhole || isOfPart(facts.checksum, span));
}

function isOfPart({ kind }: { readonly kind: string }, { part }: ReadSpan): boolean {
  return kind === 'COMPOSITE' && part?.checksum !== undefined;
}

function checksumAnswer({ row, facts }: StoredObject, span: ReadSpan, dataKey: Buffer) {
  const whole = facts.checksum;
  if (whole === undefined) return {};
  const stored = isOfPart(whole, span) ? span.part?.checksum : span.isWhole ? whole : undefined;
  if (stored === undefined) return {};
  return { ...checksumMembers(openChecksum(stored, dataKey, row.id)), ChecksumType: whole.kind };
}
