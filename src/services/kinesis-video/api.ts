import type { Streams } from './streams.ts';

export { addressSeenBy } from './domain/client-address.ts';
export { retentionStart, type StreamRecord } from './domain/stream-record.ts';
export type { StreamScope, StreamTarget } from './streams.ts';

/** The streams and what they hold, for the services that write and read media. */
export interface KinesisVideoApi {
  readonly streams: Streams;
}
