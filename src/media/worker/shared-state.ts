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
  /** Of each, how many bytes are there, from its first on; `WINDOW_FAILED` when its read has failed. */
  readonly cells: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  /** Bytes of one window. */
  readonly size: number;
}

export const WINDOW_COUNT = 4;
/** Each read is a request of its own, authorised and recorded. */
const INPUT_WINDOW_SIZE = 16 * 1024 * 1024;
export const WINDOW_FAILED = -1;

/** Bytes that may wait for upload before FFmpeg has to wait. */
export const UPLOAD_CREDIT = 64 * 1024 * 1024;

export const CELL = {
  /** Counts work done; a job whose counter stands still hangs. */
  progress: 0,
  /** Not 0: give up at once. The reason is known to the thread that set it. */
  stop: 1,
  /** Bytes handed over for upload and not yet stored. */
  pendingBytes: 2,
  framesDecoded: 3,
} as const;

/** @param windowSize in bytes; memory that no read has touched costs nothing */
export function createSharedState(windowSize: number = INPUT_WINDOW_SIZE): SharedState {
  return {
    cells: new SharedArrayBuffer(4 * Object.keys(CELL).length),
    windows: createWindows(windowSize),
  };
}

export function createWindows(size: number): Windows {
  return {
    cells: new SharedArrayBuffer(4 * WINDOW_COUNT),
    bytes: new SharedArrayBuffer(WINDOW_COUNT * size),
    size,
  };
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

/** Says how much of a window is there by now, or that its read has failed. */
export function tellWindow(windows: Windows, window: number, available: number): void {
  const cells = new Int32Array(windows.cells);
  Atomics.store(cells, window, available);
  Atomics.notify(cells, window);
}
