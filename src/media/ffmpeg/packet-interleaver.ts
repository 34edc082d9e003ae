import type { Packet } from 'node-av/lib';

interface Queued {
  readonly packet: Packet;
  /** Decoding time in seconds. */
  readonly time: number;
}

interface Track {
  readonly queue: Queued[];
  isEnded: boolean;
}

/** A track that lags further behind than this is not waited for: memory stays bounded. */
const MAX_SPAN_SECONDS = 10;

/** Brings the packets of several tracks into the order of their decoding times. */
export class PacketInterleaver {
  readonly #tracks: Track[];
  readonly #write: (track: number, packet: Packet) => void;

  constructor(tracks: number, write: (track: number, packet: Packet) => void) {
    this.#tracks = Array.from({ length: tracks }, () => ({ queue: [], isEnded: false }));
    this.#write = write;
  }

  /** Takes the packet over and frees it once it is written. */
  push(track: number, packet: Packet, time: number): void {
    this.#at(track).queue.push({ packet, time });
    this.#release();
  }

  end(track: number): void {
    this.#at(track).isEnded = true;
    this.#release();
  }

  #at(track: number): Track {
    const found = this.#tracks[track];
    if (found === undefined) throw new RangeError(`There is no track ${track}.`);
    return found;
  }

  #release(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const queued = this.#at(next).queue.shift();
      if (queued === undefined) return;
      this.#write(next, queued.packet);
      queued.packet.free();
    }
  }

  /** The track whose first packet is due; `undefined` while one that is needed has none. */
  #next(): number | undefined {
    let earliest: number | undefined;
    let isOneMissing = false;
    let span = 0;
    this.#tracks.forEach(({ queue, isEnded }, index) => {
      const first = queue[0];
      if (first === undefined) {
        isOneMissing ||= !isEnded;
        return;
      }
      span = Math.max(span, (queue.at(-1)?.time ?? first.time) - first.time);
      const best = earliest === undefined ? undefined : this.#tracks[earliest]?.queue[0];
      if (best === undefined || first.time < best.time) earliest = index;
    });
    return isOneMissing && span <= MAX_SPAN_SECONDS ? undefined : earliest;
  }
}
