import type { Packet } from 'node-av/lib';
import type { PacketReceiver } from './video-encoder.ts';

/**
 * Keeps sound from being longer than the picture, but for a part of its last packet: packets that begin where there is no
 * picture yet wait, and are dropped where none comes.
 */
export class VideoLengthGate {
  readonly #receive: PacketReceiver;
  readonly #toSeconds: number;
  readonly #videoSeconds: () => number;
  readonly #waiting: Packet[] = [];

  /** @param videoSeconds of the picture so far */
  constructor(
    timeBase: { readonly num: number; readonly den: number },
    videoSeconds: () => number,
    receive: PacketReceiver,
  ) {
    this.#toSeconds = timeBase.num / timeBase.den;
    this.#videoSeconds = videoSeconds;
    this.#receive = receive;
  }

  /** The packet stays the caller's. */
  push(packet: Packet): void {
    const copy = packet.clone();
    if (copy === null) throw new Error('Out of memory.');
    this.#waiting.push(copy);
    this.#release();
  }

  /** Nothing more comes, of the picture either. */
  end(): void {
    this.#release();
    for (const packet of this.#waiting) packet.free();
    this.#waiting.length = 0;
  }

  #release(): void {
    const limit = this.#videoSeconds() - 1e-6;
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || Number(first.pts) * this.#toSeconds >= limit) return;
      this.#waiting.shift();
      this.#receive(first);
      first.free();
    }
  }
}
