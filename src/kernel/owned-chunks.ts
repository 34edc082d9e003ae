import type { Readable } from 'node:stream';

/** A stream whose chunks belong to whoever reads them. */
export interface OwnedChunks extends Readable {
  /** Takes back a chunk that was read and is used no more; nothing may touch it afterwards. */
  release(chunk: Uint8Array): void;
}

export function hasOwnedChunks(stream: Readable): stream is OwnedChunks {
  return 'release' in stream && typeof stream.release === 'function';
}
