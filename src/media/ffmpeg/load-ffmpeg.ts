import { flushCompileCache } from 'node:module';

type Library = typeof import('node-av/lib');
type Constants = typeof import('node-av/constants');

/** FFmpeg's libraries as `node-av` binds them, with the constants beside them. */
export type FFmpeg = Library & Constants;

/** Thrown where `node-av` is not installed or does not run on this machine. */
export class FFmpegMissingError extends Error {
  constructor(cause: unknown) {
    super(
      'FFmpeg is not available: Coffer does not ship it, as its build may not be redistributed. ' +
        'Install it beside Coffer with: npm install node-av',
      { cause },
    );
    this.name = 'FFmpegMissingError';
  }
}

let loaded: Promise<FFmpeg> | undefined;

/**
 * Loads FFmpeg at first use and silences its log: messages may hold addresses, and it writes them to stderr.
 *
 * @throws FFmpegMissingError where the optional dependency is missing
 */
export function loadFFmpeg(): Promise<FFmpeg> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<FFmpeg> {
  let parts: [Library, Constants];
  try {
    parts = await Promise.all([import('node-av/lib'), import('node-av/constants')]);
  } catch (error) {
    throw new FFmpegMissingError(error);
  }
  const ffmpeg: FFmpeg = { ...parts[0], ...parts[1] };
  ffmpeg.Log.setLevel(ffmpeg.AV_LOG_QUIET);
  // The processes that FFmpeg runs in are killed at their end, before Node would keep what it compiled for the next ones.
  flushCompileCache();
  return ffmpeg;
}
