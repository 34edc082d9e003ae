import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/** Smaller parts are not worth it. */
const SMALLEST = 8 * 1024 * 1024;
/** Buffers that are kept although nobody wants them now. */
const MAX_IDLE = 8;

/** Whether a part's memory is worth being sent back to FFmpeg's thread once the part is stored. */
export function isReusable({ buffer, byteLength }: Uint8Array<ArrayBuffer>): boolean {
  return byteLength >= SMALLEST && byteLength === buffer.byteLength;
}

/**
 * Memory for the parts of large objects, in FFmpeg's thread: the buffers of parts that are stored come back by the port,
 * as fresh memory costs more time than all else that is done with a part here.
 */
export class PartMemory {
  readonly #port: MessagePort;
  #idle: ArrayBuffer[] = [];

  /** @param port nothing else comes by it from now on */
  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Memory of exactly this length; it may hold bytes of earlier parts. */
  take(length: number): Uint8Array<ArrayBuffer> {
    // The event loop of this thread does not turn.
    for (let back = receiveMessageOnPort(this.#port); back !== undefined; back = receiveMessageOnPort(this.#port)) {
      if (back.message instanceof ArrayBuffer) this.#idle.push(back.message);
    }
    const index = this.#idle.findIndex((buffer) => buffer.byteLength === length);
    const [buffer] = index < 0 ? [] : this.#idle.splice(index, 1);
    this.#idle = this.#idle.slice(-MAX_IDLE);
    return new Uint8Array(buffer ?? new ArrayBuffer(length));
  }
}
