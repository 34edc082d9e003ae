import type { ElementaryStreamInfo } from '../live/stream-report.ts';
import { type PictureFacts, readAvcParameterSet } from '../packaging/codecs/avc-parameter-set.ts';
import { readHevcParameterSet } from '../packaging/codecs/hevc-parameter-set.ts';
import { splitAnnexB } from '../packaging/codecs/nal-units.ts';
import { readAudioHead } from './audio-head.ts';
import type { StreamKind } from './stream-types.ts';

/** 33 bits of a clock of 90,000 a second. */
const CLOCK = 90_000;
const CLOCK_WRAP = 2 ** 33;
/** So many differences of time stamps settle the frame rate. */
const RATE_SAMPLES = 16;
const COMMON_RATES = [23.976, 24, 25, 29.97, 30, 50, 59.94, 60, 119.88, 120];

/** Finds out, from the beginnings of its PES packets, what an elementary stream is. */
export class ElementaryProbe {
  readonly pid: number;
  readonly stream: StreamKind;
  #resolution: string | undefined;
  #frameRate: string | undefined;
  #audio: { readonly channels: number; readonly sampleRate: number } | undefined;
  #lastTime: number | undefined;
  #shortest = Number.POSITIVE_INFINITY;
  #samples = 0;

  constructor(pid: number, stream: StreamKind) {
    this.pid = pid;
    this.stream = stream;
  }

  /** Whether there is more to find out. */
  get isCurious(): boolean {
    if (this.stream.kind === 'audio') return this.#audio === undefined;
    if (this.stream.kind !== 'video') return false;
    return this.#resolution === undefined || this.#frameRate === undefined;
  }

  info(): ElementaryStreamInfo {
    return {
      pid: this.pid,
      kind: this.stream.kind,
      codec: this.stream.codec,
      frameRate: this.#frameRate,
      frameResolution: this.#resolution,
      channels: this.#audio?.channels,
      sampleRate: this.#audio?.sampleRate,
      sampleSize: undefined,
    };
  }

  /**
   * @param time the decoding time stamp, if it has one
   * @param start the first bytes of the elementary stream in the PES packet
   */
  pesStart(time: number | undefined, start: Buffer): void {
    if (this.stream.kind === 'audio') {
      this.#audio ??= readAudioHead(this.stream.codec, start);
      return;
    }
    if (this.stream.kind !== 'video') return;
    if (time !== undefined) this.#measureRate(time);
    this.#resolution ??= resolutionOf(this.stream.codec, start);
  }

  #measureRate(time: number): void {
    const last = this.#lastTime;
    this.#lastTime = time;
    if (this.#frameRate !== undefined || last === undefined) return;
    const difference = (time - last + CLOCK_WRAP) % CLOCK_WRAP;
    if (difference === 0 || difference > CLOCK) return;
    this.#shortest = Math.min(this.#shortest, difference);
    this.#samples += 1;
    if (this.#samples >= RATE_SAMPLES) this.#frameRate = rateText(CLOCK / this.#shortest);
  }
}

function rateText(rate: number): string {
  const common = COMMON_RATES.find((one) => Math.abs(one - rate) < one * 0.0004);
  return String(common ?? Math.round(rate * 100) / 100);
}

function resolutionOf(codec: string, start: Buffer): string | undefined {
  try {
    const facts = codec === 'MPEG-2 Video' ? readMpeg2Size(start) : readParameterSet(codec, start);
    return facts && `${facts.width}x${facts.height}`;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readParameterSet(codec: string, start: Buffer): PictureFacts | undefined {
  const AVC_SPS = 7;
  const HEVC_SPS = 33;
  for (const unit of splitAnnexB(start)) {
    const head = unit[0] ?? 0;
    if (codec === 'H.264' && (head & 0x1f) === AVC_SPS) return readAvcParameterSet(unit);
    if (codec === 'HEVC' && ((head >> 1) & 0x3f) === HEVC_SPS) return readHevcParameterSet(unit);
  }
  return undefined;
}

/** The sequence header (ISO/IEC 13818-2, 6.2.2.1). */
function readMpeg2Size(start: Buffer): Pick<PictureFacts, 'width' | 'height'> | undefined {
  const at = start.indexOf(SEQUENCE_HEADER);
  if (at < 0 || at + 7 > start.length) return undefined;
  const sizes = start.readUIntBE(at + 4, 3);
  return { width: sizes >> 12, height: sizes & 0xfff };
}

const SEQUENCE_HEADER = Buffer.of(0, 0, 1, 0xb3);
