import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Bytes that may wait for their reader. */
const HIGH_WATER = 1024 * 1024;

/**
 * A request's payload as it comes, from the first read on. What ends the message early ends it too; its own end leaves
 * the message alone, whose connection must still carry the answer.
 *
 * Chunks are given out one by one, each its reader's own. A stream of Node's would join those that wait into fresh memory,
 * and hand each through two queues.
 */
export class PlainBody extends Readable {
  readonly #message: IncomingMessage;
  readonly #begin: () => void;
  readonly #aborted: (cause?: unknown) => Error;
  readonly #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #isBegun = false;
  #isEnded = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param begin called before the first byte is read; @param aborted makes the error for a message that ends early */
  constructor(message: IncomingMessage, begin: () => void, aborted: (cause?: unknown) => Error) {
    super({ highWaterMark: HIGH_WATER });
    this.#message = message;
    this.#begin = begin;
    this.#aborted = aborted;
  }

  override _read(): void {
    this.#next().then(
      (chunk) => this.push(chunk ?? null),
      (error: unknown) => this.destroy(error instanceof Error ? error : this.#aborted(error)),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stop();
    done(error);
  }

  override async *[Symbol.asyncIterator](): NodeJS.AsyncIterator<Buffer> {
    try {
      for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
    } finally {
      this.destroy();
    }
  }

  /** @returns `undefined` at the end */
  async #next(): Promise<Buffer | undefined> {
    if (!this.#isBegun) this.#listen();
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#waitingBytes -= chunk.length;
        if (this.#waitingBytes < HIGH_WATER / 2 && this.#message.isPaused()) this.#message.resume();
        return chunk;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #listen(): void {
    this.#isBegun = true;
    const message = this.#message;
    this.#begin();
    message.on('data', this.#take);
    message.on('end', this.#end);
    message.on('error', this.#fail);
    message.on('close', this.#close);
    if (message.destroyed) this.#close();
  }

  readonly #take = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= HIGH_WATER) this.#message.pause();
    this.#tell();
  };

  readonly #end = (): void => {
    this.#isEnded = true;
    this.#tell();
  };

  readonly #fail = (cause?: unknown): void => {
    this.#failure ??= this.#aborted(cause);
    this.#tell();
  };

  readonly #close = (): void => {
    if (!this.#isEnded) this.#fail();
  };

  #tell(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** An error of the message still finds a listener: without one it would end the process. */
  #stop(): void {
    const message = this.#message;
    message.off('data', this.#take);
    message.off('end', this.#end);
    if (this.#isBegun && !this.#isEnded) message.pause();
    this.#chunks.length = 0;
    this.#fail();
  }
}
