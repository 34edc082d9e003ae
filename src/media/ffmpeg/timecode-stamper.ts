import type { Packet } from 'node-av/lib';
import { readAvcTimingForm, type TimingForm } from '../packaging/codecs/avc-parameter-set.ts';
import { annexBPieces, splitAnnexB } from '../packaging/codecs/nal-units.ts';
import { hevcTimecodeUnit, withAvcTimecode } from '../packaging/codecs/timecode-message.ts';
import type { Rational, VideoSettings } from '../video-settings.ts';
import { laterTimecode } from './film-times.ts';
import { replaceData } from './packet-data.ts';

/** Puts each picture's timecode beside it, into the packets of an encoder. */
export interface TimecodeStamper {
  /** @param headers the parameter sets, where they do not stand in the stream */
  learn(headers: Buffer | null): void;
  stamp(packet: Packet): void;
}

const AVC_PARAMETER_SET = 7;
/** H.265's units with a part of a picture have a smaller type. */
const HEVC_PARAMETER_SETS = 32;

/** @returns undefined where none are wanted, or the encoder has them itself */
export function stamperFor({
  settings,
  framerate,
  timecode,
}: {
  readonly settings: VideoSettings;
  readonly framerate: Rational;
  readonly timecode: string;
}): TimecodeStamper | undefined {
  const { picture, codec } = settings;
  if (picture?.isTimecodeInserted !== true || (codec.kind !== 'h264' && codec.kind !== 'h265')) return undefined;
  const isDropped = picture.isTimecodeDropped === true;
  const timecodeOf = ({ pts }: Packet): string => laterTimecode(timecode, Number(pts), framerate, isDropped);
  return codec.kind === 'h265' ? new HevcStamper(timecodeOf) : new AvcStamper(timecodeOf);
}

class HevcStamper implements TimecodeStamper {
  readonly #timecodeOf: (packet: Packet) => string;

  constructor(timecodeOf: (packet: Packet) => string) {
    this.#timecodeOf = timecodeOf;
  }

  learn(): void {
    // What it writes stands for itself.
  }

  stamp(packet: Packet): void {
    const units = splitAnnexB(packet.data ?? Buffer.alloc(0));
    const first = units.findIndex((unit) => (unit[0] ?? 0) >> 1 < HEVC_PARAMETER_SETS);
    if (first < 0) return;
    const all = [...units.slice(0, first), hevcTimecodeUnit(this.#timecodeOf(packet)), ...units.slice(first)];
    replaceData(packet, Buffer.concat(annexBPieces(all)));
  }
}

/** The encoder writes messages about time without timecodes: they are put in. */
class AvcStamper implements TimecodeStamper {
  readonly #timecodeOf: (packet: Packet) => string;
  #form: TimingForm | undefined;

  constructor(timecodeOf: (packet: Packet) => string) {
    this.#timecodeOf = timecodeOf;
  }

  learn(headers: Buffer | null): void {
    const set = splitAnnexB(headers ?? Buffer.alloc(0)).find((unit) => ((unit[0] ?? 0) & 0x1f) === AVC_PARAMETER_SET);
    if (set !== undefined) this.#form = readAvcTimingForm(set);
  }

  stamp(packet: Packet): void {
    const data = packet.data ?? Buffer.alloc(0);
    if (this.#form === undefined) this.learn(data);
    const form = this.#form;
    if (form === undefined) return;
    const timecode = this.#timecodeOf(packet);
    const units = splitAnnexB(data).map((unit) => withAvcTimecode(unit, form, timecode));
    replaceData(packet, Buffer.concat(annexBPieces(units)));
  }
}
