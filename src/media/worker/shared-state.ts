/**
 * The memory that a worker's two threads share: FFmpeg blocks its thread, so what the other thread has to tell it goes
 * through here. Numbers are 32-bit cells that both sides touch with `Atomics` only.
 */
export interface SharedState {
  readonly cells: SharedArrayBuffer;
  readonly windows: SharedArrayBuffer;
}

/** Read windows: each holds one contiguous range of the input. */
export const WINDOW_COUNT = 4;
export const WINDOW_SIZE = 4 * 1024 * 1024;

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
  firstWindow: 4,
} as const;

const CELLS_PER_WINDOW = 2;

export const WINDOW_STATE = { idle: 0, loading: 1, ready: 2, failed: 3 } as const;

export function createSharedState(): SharedState {
  return {
    cells: new SharedArrayBuffer(4 * (CELL.firstWindow + WINDOW_COUNT * CELLS_PER_WINDOW)),
    windows: new SharedArrayBuffer(WINDOW_COUNT * WINDOW_SIZE),
  };
}

export function windowStateCell(window: number): number {
  return CELL.firstWindow + window * CELLS_PER_WINDOW;
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

/** Tells FFmpeg's thread to stop, and wakes it wherever it waits. */
export function stop(cells: Int32Array): void {
  Atomics.store(cells, CELL.stop, 1);
  for (let index = 0; index < cells.length; index++) Atomics.notify(cells, index);
}
