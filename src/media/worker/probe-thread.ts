import { parentPort, workerData } from 'node:worker_threads';
import { describeProbed } from '../ffmpeg/describe-probed.ts';
import { FFmpegMissingError, loadFFmpeg } from '../ffmpeg/load-ffmpeg.ts';
import { MediaInput } from '../ffmpeg/media-input.ts';
import type { FromProber } from '../probe/probed-media.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import { InputWindow } from './input-window.ts';
import type { SharedState } from './shared-state.ts';

export interface ProbeThreadData {
  readonly shared: SharedState;
  /** Bytes. */
  readonly size: number;
  /** How messages call the file. */
  readonly name: string;
}

/** The thread that FFmpeg blocks while it looks into a file. */
async function answer({ shared, size, name }: ProbeThreadData): Promise<FromProber> {
  try {
    const ffmpeg = await loadFFmpeg();
    const source = new InputWindow({
      windows: shared.windows,
      control: shared.cells,
      input: 0,
      size,
      send: (message) => parentPort?.postMessage(message),
    });
    const input = MediaInput.open(ffmpeg, source, name);
    return { kind: 'done', media: describeProbed(ffmpeg, input, source) };
  } catch (error) {
    const isKnown = error instanceof TranscodeError || error instanceof FFmpegMissingError;
    const code = error instanceof TranscodeError ? error.code : ERROR_CODES.unknown;
    return { kind: 'failed', code, message: isKnown ? error.message : 'Unknown error' };
  }
}

parentPort?.postMessage(await answer(workerData as ProbeThreadData));
