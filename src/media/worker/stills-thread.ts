import { parentPort } from 'node:worker_threads';
import { decodeStills } from '../ffmpeg/decode-stills.ts';
import { FFmpegMissingError, loadFFmpeg } from '../ffmpeg/load-ffmpeg.ts';
import type { StillJob } from '../stills/still-job.ts';
import type { FromStillsWorker } from '../stills/stills-messages.ts';

/** The thread that FFmpeg blocks. */
async function answer(job: StillJob): Promise<FromStillsWorker> {
  try {
    const ffmpeg = await loadFFmpeg();
    return { kind: 'done', stills: decodeStills(ffmpeg, job) };
  } catch (error) {
    return error instanceof FFmpegMissingError ? { kind: 'unavailable', message: error.message } : { kind: 'failed' };
  }
}

parentPort?.on('message', (job: StillJob) => {
  void answer(job).then((message) => parentPort?.postMessage(message));
});
// Loaded while the first job is on its way.
void loadFFmpeg().catch(() => undefined);
