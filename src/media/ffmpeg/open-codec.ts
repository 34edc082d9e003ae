import type { Codec, CodecContext } from 'node-av/lib';
import { check } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';

/**
 * Opens an encoder or decoder with options. They are set one by one: a dictionary that is handed to `open2Sync` is
 * freed twice by node-av 6.1.1, which ends the process.
 *
 * @param what begins the message of the error
 * @throws TranscodeError with `code`
 */
export function openCodec(
  ffmpeg: FFmpeg,
  context: CodecContext,
  codec: Codec,
  options: Readonly<Record<string, string | number>>,
  code: number,
  what: string,
): void {
  for (const [name, value] of Object.entries(options)) {
    const set = context.setOption(name, String(value), ffmpeg.AV_OPT_TYPE_STRING, ffmpeg.AV_OPT_SEARCH_CHILDREN);
    check(ffmpeg, set, code, what);
  }
  check(ffmpeg, context.open2Sync(codec, null), code, what);
}
