import type { SimpleTag } from './tags.ts';

/**
 * A Tags element with one Tag that holds all of these SimpleTags, as Kinesis Video Streams writes its own: every size
 * takes 4 bytes.
 */
export function writeTags(_tags: readonly SimpleTag[]): Buffer {
  throw new Error('not built');
}
