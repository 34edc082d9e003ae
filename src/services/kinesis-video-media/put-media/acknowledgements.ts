import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import type { MediaFailure } from '#services/kinesis-video/api.ts';

/** Lines on their way to a producer that does not read, before its media has to wait. */
const WAITING_LINES = 1000;

/** Which fragment an acknowledgement is about. */
export interface AcknowledgedFragment {
  /** The Cluster's timecode in milliseconds, as the producer wrote it. */
  readonly timecodeMs: number;
  readonly number: string;
}

/**
 * The answer of PutMedia: JSON objects, one on each line. Each is a chunk of its own on the wire, since the producer
 * libraries read no more than one from a chunk of at most 1024 bytes.
 */
export class Acknowledgements extends Readable {
  #room = Promise.withResolvers<void>();
  #isFull = false;
  readonly #onDestroy: () => Promise<void>;

  /** @param onDestroy what has to end before the stream counts as closed */
  constructor(onDestroy: () => Promise<void>) {
    super({ objectMode: true, highWaterMark: WAITING_LINES });
    this.#onDestroy = onDestroy;
  }

  fragment(type: 'BUFFERING' | 'RECEIVED' | 'PERSISTED', { timecodeMs, number }: AcknowledgedFragment): void {
    this.#write({ EventType: type, FragmentTimecode: timecodeMs, FragmentNumber: number });
  }

  idle(): void {
    this.#write({ EventType: 'IDLE' });
  }

  /** @param fragment the one that it is about, as far as that is known */
  error({ id, code }: MediaFailure, fragment: Partial<AcknowledgedFragment> = {}): void {
    const { timecodeMs, number } = fragment;
    this.#write({
      EventType: 'ERROR',
      ...(timecodeMs !== undefined && { FragmentTimecode: timecodeMs }),
      ...(number !== undefined && { FragmentNumber: number }),
      ErrorId: id,
      ErrorCode: code,
    });
  }

  end(): void {
    if (!this.destroyed) this.push(null);
  }

  /** Resolves when the producer has read what it was told, but for a bounded rest. */
  get room(): Promise<void> | undefined {
    return this.#isFull ? this.#room.promise : undefined;
  }

  override _read(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#room.resolve();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#room.resolve();
    callbackify(this.#onDestroy)((failure) => callback(error ?? failure));
  }

  #write(acknowledgement: Readonly<Record<string, string | number>>): void {
    if (this.destroyed || this.readableEnded) return;
    if (this.push(Buffer.from(`${JSON.stringify(acknowledgement)}\n`)) || this.#isFull) return;
    this.#isFull = true;
    this.#room = Promise.withResolvers();
  }
}
