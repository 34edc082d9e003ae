import type { ToIo } from './messages.ts';
import {
  CELL,
  StoppedError,
  throwIfStopped,
  WINDOW_COUNT,
  WINDOW_STATE,
  type Windows,
  windowLengthCell,
  windowStateCell,
} from './shared-state.ts';

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
 * starts small again. Several windows are kept, as players' files are often read at two places in turn (video and
 * audio far apart, or the index at the end).
 */
export class InputWindow {
  readonly #control: Int32Array;
  readonly #cells: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #windowSize: number;
  readonly #send: (message: ToIo) => void;
  readonly #input: number;
  readonly #size: number;
  readonly #windows: Window[] = [];
  #clock = 0;

  constructor({ windows, control, input, size, send }: WindowFacts) {
    this.#control = new Int32Array(control);
    this.#cells = new Int32Array(windows.cells);
    this.#bytes = new Uint8Array(windows.bytes);
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
   * Copies out up to `length` bytes from `offset`; fewer at the end of a window, none at the end of the input.
   *
   * @throws StoppedError when the read failed or the job was stopped; the I/O thread knows why
   */
  read(offset: number, length: number): Buffer {
    throwIfStopped(this.#control);
    if (offset >= this.#size) return Buffer.alloc(0);
    let index = this.#find(offset);
    if (index === undefined) index = this.#load(offset, this.#sizeFor(offset));
    this.#waitFor(index);
    const window = this.#at(index);
    window.lastUsed = ++this.#clock;
    Atomics.add(this.#control, CELL.progress, 1);
    const start = offset - window.offset;
    const count = Math.min(length, window.length - start);
    const from = index * this.#windowSize + start;
    const copy = Buffer.from(this.#bytes.subarray(from, from + count));
    if (start + count > window.length / 2) this.#prefetch(window);
    return copy;
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
    Atomics.store(this.#cells, windowStateCell(index), WINDOW_STATE.loading);
    this.#send({ kind: 'read', input: this.#input, offset, length: window.length, window: index });
    return index;
  }

  #waitFor(index: number): void {
    this.#settle(index);
    const state = Atomics.load(this.#cells, windowStateCell(index));
    const length = Atomics.load(this.#cells, windowLengthCell(index));
    if (state !== WINDOW_STATE.ready || length !== this.#at(index).length) throw new StoppedError();
  }

  #settle(index: number): void {
    const cell = windowStateCell(index);
    while (Atomics.load(this.#cells, cell) === WINDOW_STATE.loading) {
      throwIfStopped(this.#control);
      Atomics.wait(this.#cells, cell, WINDOW_STATE.loading, 1000);
    }
  }

  #settleAll(): void {
    for (let index = 0; index < WINDOW_COUNT; index++) this.#settle(index);
  }
}
