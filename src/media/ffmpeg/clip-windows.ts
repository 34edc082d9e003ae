import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { InputClips } from '../transcode-input.ts';
import type { Rational } from '../video-settings.ts';
import { framerateOf, type MediaInput } from './media-input.ts';
import { frameOfTimecode, timecodeRate } from './timecode.ts';

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
  if (media.embeddedTimecode !== undefined) return frameOf(media.embeddedTimecode, rate);
  throw notThere('the input has no embedded timecodes, which its timecodeSource asks for');
}

/** @throws TranscodeError 1060 for what is no timecode at this rate */
export function frameOf(timecode: string, rate: Rational): number {
  const frame = frameOfTimecode(timecode, rate);
  if (frame !== undefined) return frame;
  throw notThere(`there is no picture ${timecode} at ${timecodeRate(rate)} pictures a second`);
}

function notThere(reason: string): TranscodeError {
  return new TranscodeError(ERROR_CODES.clipNotFound, `Unable to find the timecodes of an input clip: ${reason}`);
}
