import type { Readable } from 'node:stream';

/** Bytes at hand before the producer has to wait. */
const WAITING_BYTES = 1024 * 1024;

/** What came of waiting for a producer's bytes. */
export type BodyEvent = Buffer | 'end' | 'broken' | 'timeout' | 'aborted';

/** Reads a body in the pieces in which it comes, and stops waiting when it is told to. */
export class BodyReader {
  readonly #body: Readable;
  readonly #pieces: Buffer[] = [];
  #waitingBytes = 0;
  #end: 'end' | 'broken' | undefined;
  #wake: (() => void) | undefined;

  constructor(body: Readable) {
    this.#body = body;
    body.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#waitingBytes += piece.length;
      if (this.#waitingBytes >= WAITING_BYTES) body.pause();
      this.#wake?.();
    });
    const finish = (end: 'end' | 'broken'): void => {
      this.#end ??= end;
      this.#wake?.();
    };
    body.on('end', () => finish('end'));
    body.on('error', () => finish('broken'));
    body.on('close', () => finish('broken'));
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
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#waitingBytes -= piece.length;
        if (this.#waitingBytes < WAITING_BYTES && this.#body.isPaused()) this.#body.resume();
        return piece;
      }
      if (this.#end !== undefined) return this.#end;
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
