import { setTimeout as delay } from 'node:timers/promises';
import type { Blobs } from '#storage/blobs.ts';

/** So much may be read at once after a pause, in milliseconds of the rate. */
const BURST_MS = 100;

/** Lets so many bytes pass in a second. */
export class Throttle {
  readonly #bytesPerSecond: number;
  readonly #signal: AbortSignal;
  /** When what was taken so far is paid for; by `performance.now()`. */
  #paidAt = 0;

  /** @param signal ends every wait */
  constructor(bytesPerSecond: number, signal: AbortSignal) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#signal = signal;
  }

  /** Waits until the bytes may be read. @throws the signal's reason when it is aborted */
  async take(bytes: number): Promise<void> {
    this.#signal.throwIfAborted();
    const now = performance.now();
    this.#paidAt = Math.max(this.#paidAt, now - BURST_MS) + (bytes / this.#bytesPerSecond) * 1000;
    if (this.#paidAt > now) await delay(this.#paidAt - now, undefined, { signal: this.#signal, ref: false });
  }
}

/** The same blobs, read no faster than the throttle lets. */
export function throttledBlobs(blobs: Blobs, throttle: Throttle): Blobs {
  return {
    create: (space) => blobs.create(space),
    delete: (id) => blobs.delete(id),
    list: (space) => blobs.list(space),
    async open(id) {
      const reader = await blobs.open(id);
      return {
        size: reader.size,
        close: () => reader.close(),
        async read(target, position) {
          await throttle.take(target.length);
          return await reader.read(target, position);
        },
      };
    },
  };
}
