import { encryptionAnswer } from '../domain/encryption-members.ts';
import { headerMembers } from '../domain/object-headers.ts';
import { placementMembers } from '../domain/storage-class.ts';
import { checksumMembers, openChecksum } from '../keys/checksum-seal.ts';
import type { StoredObject } from '../objects.ts';

/**
 * What GetObject and HeadObject both answer.
 *
 * @param options.dataKey given when the checksum is wanted
 */
export function objectAnswer(object: StoredObject, options: { readonly dataKey: Buffer | undefined }) {
  const { row, facts } = object;
  const { dataKey } = options;
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
    ...(dataKey !== undefined && facts.checksum !== undefined && checksumAnswer(object, dataKey)),
  };
}

function checksumAnswer({ row, facts }: StoredObject, dataKey: Buffer) {
  if (facts.checksum === undefined) return {};
  const checksum = openChecksum(facts.checksum, dataKey, row.id);
  return { ...checksumMembers(checksum), ChecksumType: checksum.kind };
}
