import type { ToIo } from './messages.ts';
import { CELL, StoppedError, throwIfStopped, WINDOW_COUNT, WINDOW_FAILED, type Windows } from './shared-state.ts';

interface Window {
  offset: number;
  /** Bytes asked for; 0 while the window is unused. */
  length: number;
  lastUsed: number;
}

const FIRST_READ = 256 * 1024;

interface WindowFacts {
  readonly windows: Windows;
  /** The cells by which the thread is told to stop. */
  readonly control: SharedArrayBuffer;
  /** The file's number in requests. */
  readonly input: number;
  /** Bytes of the file. */
  readonly size: number;
  readonly send: (message: ToIo) => void;
}

/**
 * Random access to an input for FFmpeg's thread, over ranged reads that the I/O thread makes. A read that continues an
 * earlier range doubles the size of the next request, up to a whole window, and the next range is fetched ahead; a seek
 * starts small again. Bytes are given out as they come, not when their range is whole. Several windows are kept, as players' files are often read at two places in turn (video and
 * audio far apart, or the index at the end).
 */
export class InputWindow {
  readonly #control: Int32Array;
  readonly #cells: Int32Array;
  readonly #bytes: SharedArrayBuffer;
  readonly #windowSize: number;
  readonly #send: (message: ToIo) => void;
  readonly #input: number;
  readonly #size: number;
  readonly #windows: Window[] = [];
  #clock = 0;

  constructor({ windows, control, input, size, send }: WindowFacts) {
    this.#control = new Int32Array(control);
    this.#cells = new Int32Array(windows.cells);
    this.#bytes = windows.bytes;
    this.#windowSize = windows.size;
    this.#send = send;
    this.#input = input;
    this.#size = size;
    for (let index = 0; index < WINDOW_COUNT; index++) this.#windows.push({ offset: 0, length: 0, lastUsed: 0 });
    this.#settleAll();
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Up to `length` bytes from `offset`, which stay what they are until the next call; fewer at the end of what is
   * there, none at the end of the input.
   *
   * @throws StoppedError when the read failed or the job was stopped; the I/O thread knows why
   */
  read(offset: number, length: number): Buffer {
    throwIfStopped(this.#control);
    if (offset >= this.#size) return Buffer.alloc(0);
    const index = this.#find(offset) ?? this.#load(offset, this.#sizeFor(offset));
    const window = this.#at(index);
    const start = offset - window.offset;
    window.lastUsed = ++this.#clock;
    // Where the reading goes on and on, the next range is on its way while this one still comes.
    if (window.length === this.#windowSize || start + length > window.length / 2) this.#prefetch(window);
    const available = this.#waitFor(index, start + 1);
    Atomics.add(this.#control, CELL.progress, 1);
    const from = index * this.#windowSize + start;
    return Buffer.from(this.#bytes, from, Math.min(length, available - start));
  }

  /** Waits until no read of this input is under way, so that the windows can serve another one. */
  close(): void {
    this.#settleAll();
  }

  #at(index: number): Window {
    const window = this.#windows[index];
    if (window === undefined) throw new RangeError(`There is no window ${index}.`);
    return window;
  }

  #find(offset: number): number | undefined {
    const index = this.#windows.findIndex((w) => offset >= w.offset && offset < w.offset + w.length);
    return index < 0 ? undefined : index;
  }

  #sizeFor(offset: number): number {
    const before = this.#windows.find((w) => w.length > 0 && w.offset + w.length === offset);
    return before === undefined ? FIRST_READ : Math.min(this.#windowSize, before.length * 2);
  }

  #prefetch(window: Window): void {
    const next = window.offset + window.length;
    if (next >= this.#size || this.#find(next) !== undefined) return;
    this.#load(next, Math.min(this.#windowSize, window.length * 2));
  }

  #load(offset: number, wanted: number): number {
    let index = 0;
    for (let other = 1; other < WINDOW_COUNT; other++) {
      if (this.#at(other).lastUsed < this.#at(index).lastUsed) index = other;
    }
    this.#settle(index);
    const window = this.#at(index);
    window.offset = offset;
    window.length = Math.min(wanted, this.#size - offset);
    window.lastUsed = ++this.#clock;
    Atomics.store(this.#cells, index, 0);
    this.#send({ kind: 'read', input: this.#input, offset, length: window.length, window: index });
    return index;
  }

  /** @returns how many bytes of the window are there, at least `count` */
  #waitFor(index: number, count: number): number {
    for (;;) {
      const available = Atomics.load(this.#cells, index);
      if (available === WINDOW_FAILED) throw new StoppedError();
      if (available >= count) return available;
      throwIfStopped(this.#control);
      Atomics.wait(this.#cells, index, available, 1000);
    }
  }

  /** Waits until nothing is written into the window any more. */
  #settle(index: number): void {
    const { length } = this.#at(index);
    for (;;) {
      const available = Atomics.load(this.#cells, index);
      if (available === WINDOW_FAILED || available >= length) return;
      throwIfStopped(this.#control);
      Atomics.wait(this.#cells, index, available, 1000);
    }
  }

  #settleAll(): void {
    for (let index = 0; index < WINDOW_COUNT; index++) this.#settle(index);
  }
}
