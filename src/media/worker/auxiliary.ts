import type { AuxiliarySource } from '../ffmpeg/auxiliary.ts';
import { uriOf } from '../media-location.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { MediaLocation } from '../transcode-input.ts';
import { InputWindow } from './input-window.ts';
import type { ToIo } from './messages.ts';
import { CELL, createWindows, StoppedError, throwIfStopped, wakeAll, type Windows } from './shared-state.ts';

/** Auxiliary files are small, or read from front to back. */
const WINDOW_SIZE = 512 * 1024;
const STATE = { opening: 0, open: 1, absent: 2 } as const;

/**
 * What the two threads share of an auxiliary file: its state, its size as two halves, and read windows of its own, as
 * the file is read while the inputs are.
 */
export interface AuxiliaryMemory {
  readonly head: SharedArrayBuffer;
  readonly windows: Windows;
}

/** The I/O thread's answer: the file is open. */
export function tellOpen({ head }: AuxiliaryMemory, size: number): void {
  const cells = new Int32Array(head);
  Atomics.store(cells, 1, Math.floor(size / 2 ** 31));
  Atomics.store(cells, 2, size % 2 ** 31);
  Atomics.store(cells, 0, STATE.open);
  Atomics.notify(cells, 0);
}

/** The I/O thread's answer: there is no such file. */
export function tellAbsent({ head }: AuxiliaryMemory): void {
  const cells = new Int32Array(head);
  Atomics.store(cells, 0, STATE.absent);
  Atomics.notify(cells, 0);
}

/** Wakes FFmpeg's thread wherever it waits for the file. */
export function wake({ head, windows }: AuxiliaryMemory): void {
  wakeAll(new Int32Array(head));
  wakeAll(new Int32Array(windows.cells));
}

/** Opens auxiliary files from FFmpeg's thread, which waits meanwhile. */
export class AuxiliaryFiles {
  readonly #control: SharedArrayBuffer;
  readonly #send: (message: ToIo) => void;
  #next: number;

  /** @param firstNumber the number of the first one: those before are the inputs' */
  constructor(control: SharedArrayBuffer, firstNumber: number, send: (message: ToIo) => void) {
    this.#control = control;
    this.#next = firstNumber;
    this.#send = send;
  }

  /**
   * @throws TranscodeError 1010 when the file is empty or has more than `maxBytes`
   * @throws StoppedError when it is not there or may not be read; the I/O thread knows why
   */
  open(location: MediaLocation, maxBytes: number): AuxiliarySource {
    const opened = this.#open(location, maxBytes, false);
    if (opened === undefined) throw new StoppedError();
    return opened;
  }

  /** As `open`; `undefined` where the file is not there. */
  openIfThere(location: MediaLocation, maxBytes: number): AuxiliarySource | undefined {
    return this.#open(location, maxBytes, true);
  }

  #open(location: MediaLocation, maxBytes: number, mayBeAbsent: boolean): AuxiliarySource | undefined {
    const input = this.#next++;
    const memory = { head: new SharedArrayBuffer(12), windows: createWindows(WINDOW_SIZE) };
    this.#send({ kind: 'auxiliary', input, location, memory, mayBeAbsent });
    const size = this.#waitForSize(memory);
    if (size === undefined) {
      this.#send({ kind: 'auxiliary-closed', input });
      return undefined;
    }
    const window = new InputWindow({ windows: memory.windows, control: this.#control, input, size, send: this.#send });
    const close = (): void => {
      window.close();
      this.#send({ kind: 'auxiliary-closed', input });
    };
    if (size > 0 && size <= maxBytes) return { size, read: (offset, length) => window.read(offset, length), close };
    close();
    const cause =
      size === 0 ? 'The file is empty' : `The file has ${size} bytes, and more than ${maxBytes} are not read`;
    throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uriOf(location), cause));
  }

  #waitForSize({ head }: AuxiliaryMemory): number | undefined {
    const control = new Int32Array(this.#control);
    const cells = new Int32Array(head);
    while (Atomics.load(cells, 0) === STATE.opening) {
      throwIfStopped(control);
      Atomics.wait(cells, 0, STATE.opening, 1000);
    }
    throwIfStopped(control);
    if (Atomics.load(cells, 0) === STATE.absent) return undefined;
    if (Atomics.load(cells, 0) !== STATE.open) throw new StoppedError();
    Atomics.add(control, CELL.progress, 1);
    return Atomics.load(cells, 1) * 2 ** 31 + Atomics.load(cells, 2);
  }
}
