import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { FFmpeg } from './load-ffmpeg.ts';

/**
 * Turns a negative FFmpeg result into an error.
 *
 * @param what begins the message, such as `Error initializing encoder`
 */
export function check(ffmpeg: FFmpeg, result: number, code: number, what: string): number {
  if (result >= 0) return result;
  throw new TranscodeError(code, `${what}: [${ffmpeg.FFmpegError.strerror(result)}]`);
}

/** For what FFmpeg returns as `null` when memory or a component is missing. */
export function present<Value>(value: Value | null | undefined, what: string): Value {
  if (value === null || value === undefined) throw new TranscodeError(ERROR_CODES.settingsDoNotFit, what);
  return value;
}
