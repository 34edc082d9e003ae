import type { Readable } from 'node:stream';

/** What came of waiting for a producer's bytes. */
export type BodyEvent = Buffer | 'end' | 'broken' | 'timeout' | 'aborted';

/** Reads a body in pieces as large as they come, and stops waiting when it is told to. */
export class BodyReader {
  readonly #body: Readable;
  #wake: (() => void) | undefined;
  #isBroken = false;

  constructor(body: Readable) {
    this.#body = body;
    const wake = (): void => this.#wake?.();
    body.on('readable', wake);
    body.on('end', wake);
    body.on('error', () => {
      this.#isBroken = true;
      wake();
    });
    body.on('close', wake);
  }

  /**
   * The next piece.
   *
   * @param timeoutMs how long to wait for it
   */
  async next(timeoutMs: number, signal: AbortSignal): Promise<BodyEvent> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (signal.aborted) return 'aborted';
      const piece = this.#body.read() as Buffer | null;
      if (piece !== null) return piece;
      if (this.#body.readableEnded) return 'end';
      if (this.#isBroken || this.#body.destroyed) return 'broken';
      const left = deadline - performance.now();
      if (left <= 0) return 'timeout';
      await this.#wait(left, signal);
    }
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#wake = undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal.addEventListener('abort', finish);
      this.#wake = finish;
    });
  }
}
