import { isEntryUnit, splitAnnexB } from '../packaging/codecs/nal-units.ts';
import type { StillCodec } from '../stills/still-job.ts';
import { readPesStart } from './pes.ts';
import { payloadOffset, TS_PACKET_BYTES } from './ts-packet.ts';

/** Larger key frames are let go: no thumbnail is made of them. */
const MAX_BYTES = 4 * 1024 ** 2;

export interface KeyFrame {
  readonly codec: StillCodec;
  /** One picture with its parameter sets, in Annex B form. */
  readonly data: Buffer;
  /** Milliseconds of the clock that was handed in. */
  readonly at: number;
}

/** Keeps the newest whole key frame of one video stream in memory. */
export class KeyFrameKeeper {
  readonly codec: StillCodec;
  #newest: KeyFrame | undefined;
  /** The access unit that is being collected, if it is a key frame. */
  #pieces: Buffer[] | undefined;
  #bytes = 0;
  #begin = 0;

  constructor(codec: StillCodec) {
    this.codec = codec;
  }

  get newest(): KeyFrame | undefined {
    return this.#newest;
  }

  /** A packet of the stream; `isStart` where a PES packet begins in it. */
  packet(data: Buffer, packet: number, isStart: boolean, now: number): void {
    if (isStart) {
      this.#finish();
      const start = readPesStart(data, packet);
      if (start === undefined) return;
      const piece = data.subarray(start.at, packet + TS_PACKET_BYTES);
      if (!hasRandomAccessFlag(data, packet) && !this.#isEntry(piece)) return;
      this.#pieces = [Buffer.from(piece)];
      this.#bytes = piece.length;
      this.#begin = now;
      return;
    }
    if (this.#pieces === undefined) return;
    const piece = data.subarray(packet + payloadOffset(data, packet), packet + TS_PACKET_BYTES);
    this.#bytes += piece.length;
    if (this.#bytes > MAX_BYTES) this.lose();
    else this.#pieces.push(Buffer.from(piece));
  }

  /** A packet was lost: the frame that is being collected is no good. */
  lose(): void {
    this.#pieces = undefined;
  }

  #finish(): void {
    if (this.#pieces === undefined) return;
    this.#newest = { codec: this.codec, data: Buffer.concat(this.#pieces), at: this.#begin };
    this.#pieces = undefined;
  }

  #isEntry(piece: Buffer): boolean {
    const kind = this.codec === 'h264' ? 'avc' : 'hevc';
    return splitAnnexB(piece).some((unit) => isEntryUnit(kind, unit) || isSequenceStart(kind, unit));
  }
}

/** Parameter sets stand before key frames. */
function isSequenceStart(kind: 'avc' | 'hevc', unit: Buffer): boolean {
  const head = unit[0] ?? 0;
  return kind === 'avc' ? (head & 0x1f) === 7 : ((head >> 1) & 0x3f) === 33;
}

function hasRandomAccessFlag(data: Buffer, packet: number): boolean {
  const hasField = ((data[packet + 3] ?? 0) & 0x20) !== 0 && (data[packet + 4] ?? 0) > 0;
  return hasField && ((data[packet + 5] ?? 0) & 0x40) !== 0;
}
