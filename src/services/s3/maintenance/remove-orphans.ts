import { BLOB_SPACE } from '../content/stream-binding.ts';
import type { S3Context } from '../context.ts';
import { parseStoredPart } from '../domain/object-facts.ts';
import { allObjects, allParts, allVersions } from './walk.ts';

/**
 * Removes blobs that no record names: what a killed process had written but not yet acknowledged, or no longer needed.
 *
 * A record that was changed may name another blob than its own: while there is one, nothing is removed.
 *
 * @param before only blobs older than this, in milliseconds since the epoch: when the process began, so that what is
 *   being written now is left alone
 * @returns how many were removed
 * @throws RecordDamageError, SyntaxError
 */
export async function removeOrphans(s3: S3Context, before: number): Promise<number> {
  const candidates = new Set<string>();
  for await (const { id, writtenAt } of s3.blobs.list(BLOB_SPACE)) if (writtenAt < before) candidates.add(id);
  if (candidates.size === 0) return 0;
  // Parts before objects: an upload that is completed meanwhile is then seen at least once.
  for await (const { part } of allParts(s3.store)) {
    s3.seal.checkPart(part);
    candidates.delete(parseStoredPart(part.facts).blob);
  }
  // Objects before their older versions, as they move; those that move the other way, or to another key, meanwhile are told by the watch.
  const moves = s3.objects.watchMoves();
  try {
    for await (const row of allObjects(s3.store)) {
      for (const { blob } of s3.objects.piecesOf(s3.objects.check(row))) candidates.delete(blob);
    }
    for await (const row of allVersions(s3.store)) {
      for (const { blob } of s3.objects.piecesOfVersion(row)) candidates.delete(blob);
    }
    for (const blob of moves.blobs) candidates.delete(blob);
  } finally {
    moves.stop();
  }
  for (const id of candidates) await s3.blobs.delete(id);
  return candidates.size;
}
