import type { Logger } from '#kernel/logger.ts';
import type { Blobs } from '../blobs.ts';

/**
 * Keeps the blobs of a content on the disk while someone reads them: one that is overwritten or deleted meanwhile goes
 * when its last reader has gone. Should the process die before, the clean-up at the next start finds it.
 */
export class BlobLeases {
  readonly #blobs: Blobs;
  readonly #logger: Logger;
  readonly #readers = new Map<string, number>();
  readonly #condemned = new Set<string>();

  constructor(blobs: Blobs, logger: Logger) {
    this.#blobs = blobs;
    this.#logger = logger;
  }

  /**
   * Keeps the blobs until `release`.
   *
   * @returns false when one of them is already going: the record that named them is out of date
   */
  retain(ids: readonly string[]): boolean {
    if (ids.some((id) => this.#condemned.has(id))) return false;
    for (const id of ids) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    return true;
  }

  release(ids: readonly string[]): void {
    for (const id of ids) {
      const readers = (this.#readers.get(id) ?? 1) - 1;
      if (readers > 0) {
        this.#readers.set(id, readers);
        continue;
      }
      this.#readers.delete(id);
      if (this.#condemned.has(id)) void this.#delete(id);
    }
  }

  /** Removes blobs that no record names any more, as soon as nobody reads them. */
  discard(ids: readonly string[]): void {
    for (const id of ids) this.#condemned.add(id);
    for (const id of ids) if (!this.#readers.has(id)) void this.#delete(id);
  }

  async #delete(id: string): Promise<void> {
    try {
      await this.#blobs.delete(id);
      // Those who read the record before still have to find it condemned, for as long as a request can take to get here.
      setTimeout(() => this.#condemned.delete(id), 60_000).unref();
    } catch (error) {
      this.#logger.warn({ blob: id, error }, 'A blob that is no longer used could not be removed.');
    }
  }
}
