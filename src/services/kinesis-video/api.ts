import type { FragmentArchive } from './archive/fragment-archive.ts';
import type { Streams } from './streams.ts';

export type {
  ArchivedStream,
  FragmentContent,
  FragmentRecord,
  FragmentSelection,
  TimestampKind,
} from './archive/fragment.ts';
export type { FragmentArchive } from './archive/fragment-archive.ts';
export { FragmentMissingError, type FragmentReader } from './archive/fragment-reader.ts';
export type { Ingest } from './archive/ingest.ts';
export { StreamBusyError } from './archive/stream-activity.ts';
export { INTERNAL_ERROR, kmsFailure, type MediaFailure } from './domain/media-failure.ts';
export type { StreamRecord } from './domain/stream-record.ts';

/** The streams and what they hold, for the services that write and read media. */
export interface KinesisVideoApi {
  readonly streams: Streams;
  readonly archive: FragmentArchive;
}
