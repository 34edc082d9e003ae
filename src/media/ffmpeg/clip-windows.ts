import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { InputClips } from '../transcode-input.ts';
import type { Rational } from '../video-settings.ts';
import { framerateOf, type MediaInput } from './media-input.ts';

/** A part of an input, in seconds of its own time line, which begins at 0. */
export interface ClipWindow {
  readonly from: number;
  /** Absent: to the end. */
  readonly to?: number;
}

/** The whole input. */
export const WHOLE: ClipWindow = { from: 0 };

/**
 * Which parts of an input its clips mean. A timecode names a picture; the one that a clip ends with belongs to it.
 *
 * @throws TranscodeError 1060 when a clip is not in the input, or the input has no timecodes
 */
export function clipWindows(clips: InputClips | undefined, media: MediaInput): readonly ClipWindow[] {
  if (clips === undefined) return [WHOLE];
  const video = media.findVideo();
  if (video === undefined) throw notThere('the input has no pictures that timecodes could count');
  const rate = framerateOf(video);
  const first = firstFrame(clips, media, rate);
  const { durationSeconds } = media.info;
  // Sound may begin before the pictures, of which the first is the one that is counted.
  const { startTime, timeBase } = video;
  const begin = startTime < 0n ? 0 : (Number(startTime) * timeBase.num) / timeBase.den - media.startSeconds;
  return clips.parts.map(({ start, end }) => {
    const from = start === undefined ? 0 : frameOf(start, rate) - first;
    const last = end === undefined ? undefined : frameOf(end, rate) - first;
    const seconds = (frame: number): number => Math.max(0, begin) + (frame * rate.den) / rate.num;
    const isBehind = durationSeconds !== undefined && seconds(from) >= durationSeconds;
    if (from < 0 || isBehind || (last !== undefined && last < from)) {
      throw notThere(`the clip from ${start ?? 'the beginning'} to ${end ?? 'the end'} is not in the input`);
    }
    return { from: start === undefined ? 0 : seconds(from), ...(last !== undefined && { to: seconds(last + 1) }) };
  });
}

function firstFrame({ firstTimecode }: InputClips, media: MediaInput, rate: Rational): number {
  if (firstTimecode === 'zero') return 0;
  if (firstTimecode !== 'embedded') return frameOf(firstTimecode, rate);
  for (const stream of media.streams) {
    const timecode = stream.metadata?.get('timecode');
    if (timecode !== undefined && timecode !== null) return frameOf(timecode, rate);
  }
  throw notThere('the input has no embedded timecodes, which its timecodeSource asks for');
}

/**
 * The number of the picture that a timecode names, counted from 00:00:00:00.
 *
 * @param timecode `HH:MM:SS:FF`, or `HH:MM:SS;FF` where numbers are dropped to keep to the clock (SMPTE 12M): two at
 * the beginning of each minute but every tenth, at 29.97 pictures a second, and four at 59.94
 */
export function frameOf(timecode: string, rate: Rational): number {
  const match = /^(\d\d):(\d\d):(\d\d)([:;.])(\d\d)$/.exec(timecode);
  const perSecond = Math.round(rate.num / rate.den);
  const [hours = 0, minutes = 0, seconds = 0, frames = 0] = [1, 2, 3, 5].map((group) => Number(match?.[group]));
  if (match === null || frames >= perSecond) {
    throw notThere(`there is no picture ${timecode} at ${perSecond} pictures a second`);
  }
  const all = ((hours * 60 + minutes) * 60 + seconds) * perSecond + frames;
  if (match[4] === ':') return all;
  const dropped = Math.round(perSecond / 15);
  const allMinutes = hours * 60 + minutes;
  return all - dropped * (allMinutes - Math.floor(allMinutes / 10));
}

function notThere(reason: string): TranscodeError {
  return new TranscodeError(ERROR_CODES.clipNotFound, `Unable to find the timecodes of an input clip: ${reason}`);
}
