import type { Rational } from '../video-settings.ts';
import { CaptionError } from './caption-error.ts';
import { Cea608Decoder } from './cea608-decoder.ts';
import { encodeCea608 } from './cea608-encoder.ts';
import { type Cue, LATEST_MS, MOST_CUES } from './cue.ts';

/** Scenarist closed captions: the bytes of line 21, as hexadecimal words behind time codes. */

const HEAD = 'Scenarist_SCC V1.0';
const LINE = /^(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2})\s+([0-9a-f\s]+)$/i;
const NTSC: Rational = { num: 30_000, den: 1001 };

export interface SccReading {
  /** Pictures a second that the time codes count; absent: 29.97. */
  readonly framerate?: Rational;
  readonly isPaintConverted: boolean;
}

/** @throws CaptionError when it has no captions of SCC's form */
export function parseScc(text: string, { framerate = NTSC, isPaintConverted }: SccReading): Cue[] {
  const cues: Cue[] = [];
  const decoder = new Cea608Decoder({ channel: 1, isPaintConverted }, (cue) => cues.push(cue));
  const lines = text.replace(/^\ufeff/, '').split('\n');
  if (!/^\s*Scenarist_SCC/i.test(lines[0] ?? '')) {
    throw new CaptionError(`The caption file is not SCC: its first line is not ${HEAD}`);
  }
  let last = 0;
  for (const line of lines.slice(1)) {
    const match = line.length > 20_000 ? null : LINE.exec(line.trim());
    if (match === null) continue;
    const [, hours, minutes, seconds, mark = ':', frames, words = ''] = match;
    const first = frameNumber([hours, minutes, seconds, frames].map(Number), mark !== ':', framerate);
    let frame = first;
    for (const word of words.trim().split(/\s+/)) {
      if (word.length !== 4) continue;
      const ms = (frame * 1000 * framerate.den) / framerate.num;
      if (ms > LATEST_MS) break;
      last = Math.max(last, ms);
      const value = Number.parseInt(word, 16);
      decoder.take(value >> 8, value & 0xff, ms);
      frame += 1;
    }
    if (cues.length > MOST_CUES) throw new CaptionError(`The caption file has more than ${MOST_CUES} captions`);
  }
  // A caption that nothing ends stays for as long as one can be read.
  decoder.finish(last + 4000);
  return cues;
}

/** Counted from 00:00:00:00; see SMPTE 12M for the numbers that are dropped. */
function frameNumber(parts: readonly number[], isDropped: boolean, framerate: Rational): number {
  const [hours = 0, minutes = 0, seconds = 0, frames = 0] = parts;
  const perSecond = Math.round(framerate.num / framerate.den);
  const all = ((hours * 60 + minutes) * 60 + seconds) * perSecond + frames;
  if (!isDropped || framerate.den === 1) return all;
  const dropped = Math.round(perSecond / 15);
  const allMinutes = hours * 60 + minutes;
  return all - dropped * (allMinutes - Math.floor(allMinutes / 10));
}

export interface SccForm {
  readonly framerate: Rational;
  readonly isDropFrame: boolean;
}

export function writeScc(cues: readonly Cue[], { framerate, isDropFrame }: SccForm): string {
  const frameOf = (ms: number): number => Math.round((ms * framerate.num) / framerate.den / 1000);
  const pairs = encodeCea608(cues, 1, frameOf);
  const lines: { readonly frame: number; readonly words: string[] }[] = [];
  let expected = -1;
  for (const { frame, bytes } of pairs) {
    const word = Buffer.from(bytes).toString('hex');
    if (frame === expected) lines.at(-1)?.words.push(word);
    else lines.push({ frame, words: [word] });
    expected = frame + 1;
  }
  const body = lines.map(({ frame, words }) => `${timecode(frame, framerate, isDropFrame)}\t${words.join(' ')}\n`);
  return [`${HEAD}\n`, ...body].join('\n');
}

function timecode(frame: number, framerate: Rational, isDropFrame: boolean): string {
  const perSecond = Math.round(framerate.num / framerate.den);
  let number = frame;
  if (isDropFrame) {
    const dropped = Math.round(perSecond / 15);
    const perMinute = perSecond * 60 - dropped;
    const perTen = perMinute * 10 + dropped;
    const tens = Math.floor(frame / perTen);
    const rest = frame % perTen;
    const minutes = rest < dropped ? 0 : Math.floor((rest - dropped) / perMinute);
    number += dropped * (tens * 9 + minutes);
  }
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(number / perSecond);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
  return `${clock}${isDropFrame ? ';' : ':'}${two(number % perSecond)}`;
}
