import type { ArchiveParts } from './archive-parts.ts';

/** What a stream without retention holds for GetMedia (developer guide, "Kinesis Video Streams limits"). */
export const PASSING_MS = 5 * 60_000;
const PASSING_BYTES = 200 * 1024 * 1024;

interface Passing {
  readonly number: string;
  readonly size: number;
  readonly server_time: number;
}

/** The fragments of one stream that are not kept: as new ones come, old ones go. */
export class PassingWindow {
  readonly #parts: ArchiveParts;
  readonly #streamId: string;
  #fragments: Passing[] = [];
  #size = 0;
  #last: Promise<void>;

  constructor(parts: ArchiveParts, streamId: string) {
    this.#parts = parts;
    this.#streamId = streamId;
    this.#last = this.#run(async () => {
      for (const fragment of await parts.store.passing(streamId)) this.#take(fragment);
    });
  }

  add(fragment: Passing): void {
    this.#last = this.#last.then(() =>
      this.#run(async () => {
        this.#take(fragment);
        await this.#trim();
      }),
    );
  }

  /** Waits until nothing is under way. */
  settle(): Promise<void> {
    return this.#last;
  }

  #take(fragment: Passing): void {
    this.#fragments.push(fragment);
    this.#size += fragment.size;
  }

  async #trim(): Promise<void> {
    const { store, blobs, clock } = this.#parts;
    const from = clock.now() - PASSING_MS;
    let size = this.#size;
    let count = 0;
    for (const fragment of this.#fragments) {
      if (size <= PASSING_BYTES && fragment.server_time >= from) break;
      size -= fragment.size;
      count++;
    }
    if (count === 0) return;
    const gone = this.#fragments.slice(0, count).map(({ number }) => number);
    const removed = await store.removeByNumber(this.#streamId, gone);
    this.#fragments = this.#fragments.slice(count);
    this.#size = size;
    for (const { blob } of removed) if (blob !== null) await blobs.delete(blob);
  }

  /** What fails is tried again with the next fragment, or done by the clean-up. */
  async #run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#parts.logger.warn({ err: error, stream: this.#streamId }, 'fragments that are over could not be removed');
    }
  }
}
