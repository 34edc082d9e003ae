import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Reads a stream in pieces of a size that the reader chooses, and can be told to stop waiting. */
export class StreamReader {
  readonly #stream: Readable;
  readonly #stopping = new AbortController();

  constructor(stream: Readable) {
    this.#stream = stream;
    // A stream that fails has ended, as far as the reader goes.
    stream.on('error', () => this.stop());
  }

  /** Up to `size` bytes as soon as there are some; undefined at the end, or after `stop`. */
  async read(size: number): Promise<Buffer | undefined> {
    const stream = this.#stream;
    const { signal } = this.#stopping;
    for (;;) {
      if (signal.aborted) return undefined;
      const waiting = stream.readableLength;
      const bytes = stream.read(Math.min(size, Math.max(1, waiting))) as Buffer | null;
      if (bytes !== null) return bytes;
      if (stream.readableEnded || stream.destroyed) return undefined;
      await waitForMore(stream, signal);
    }
  }

  /** Ends the reading, also one that waits. */
  stop(): void {
    this.#stopping.abort();
    this.#stream.destroy();
  }
}

async function waitForMore(stream: Readable, stopped: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const signal = AbortSignal.any([stopped, settled.signal]);
  try {
    await Promise.race(['readable', 'end', 'close'].map((event) => once(stream, event, { signal })));
  } catch {
    // It was stopped, or the stream failed: the caller sees that.
  } finally {
    settled.abort();
  }
}
