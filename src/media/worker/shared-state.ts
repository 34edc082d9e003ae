/**
 * The memory that a worker's two threads share: FFmpeg blocks its thread, so what the other thread has to tell it goes
 * through here. Numbers are 32-bit cells that both sides touch with `Atomics` only.
 */
export interface SharedState {
  readonly cells: SharedArrayBuffer;
  /** Of the inputs, which are read one after the other. */
  readonly windows: Windows;
}

/** Read windows: each holds one contiguous range of a file. */
export interface Windows {
  /** A state and a length for each. */
  readonly cells: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  /** Bytes of one window. */
  readonly size: number;
}

export const WINDOW_COUNT = 4;
const INPUT_WINDOW_SIZE = 4 * 1024 * 1024;

/** Bytes that may wait for upload before FFmpeg has to wait. */
export const UPLOAD_CREDIT = 48 * 1024 * 1024;

export const CELL = {
  /** Counts work done; a job whose counter stands still hangs. */
  progress: 0,
  /** Not 0: give up at once. The reason is known to the thread that set it. */
  stop: 1,
  /** Bytes handed over for upload and not yet stored. */
  pendingBytes: 2,
  framesDecoded: 3,
} as const;

const CELLS_PER_WINDOW = 2;

export const WINDOW_STATE = { idle: 0, loading: 1, ready: 2, failed: 3 } as const;

export function createSharedState(): SharedState {
  return {
    cells: new SharedArrayBuffer(4 * Object.keys(CELL).length),
    windows: createWindows(INPUT_WINDOW_SIZE),
  };
}

export function createWindows(size: number): Windows {
  return {
    cells: new SharedArrayBuffer(4 * WINDOW_COUNT * CELLS_PER_WINDOW),
    bytes: new SharedArrayBuffer(WINDOW_COUNT * size),
    size,
  };
}

export function windowStateCell(window: number): number {
  return window * CELLS_PER_WINDOW;
}

export function windowLengthCell(window: number): number {
  return windowStateCell(window) + 1;
}

/** Thrown in FFmpeg's thread when the other one has told it to stop. */
export class StoppedError extends Error {
  constructor() {
    super('The job was stopped.');
    this.name = 'StoppedError';
  }
}

export function throwIfStopped(cells: Int32Array): void {
  if (Atomics.load(cells, CELL.stop) !== 0) throw new StoppedError();
}

/** Tells FFmpeg's thread to stop, and wakes it where it waits for the inputs or for uploads. */
export function stop(shared: SharedState): void {
  const cells = new Int32Array(shared.cells);
  Atomics.store(cells, CELL.stop, 1);
  wakeAll(cells);
  wakeAll(new Int32Array(shared.windows.cells));
}

export function wakeAll(cells: Int32Array): void {
  for (let index = 0; index < cells.length; index++) Atomics.notify(cells, index);
}

/** Marks a window as filled, or its read as failed. */
export function settleWindow(windows: Windows, window: number, outcome: { readonly length: number } | 'failed'): void {
  const cells = new Int32Array(windows.cells);
  const state = windowStateCell(window);
  if (outcome !== 'failed') Atomics.store(cells, windowLengthCell(window), outcome.length);
  Atomics.store(cells, state, outcome === 'failed' ? WINDOW_STATE.failed : WINDOW_STATE.ready);
  Atomics.notify(cells, state);
}
