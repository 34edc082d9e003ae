import { Worker } from 'node:worker_threads';
import type { FromStillsWorker, ToStillsWorker } from '../stills/stills-messages.ts';

/**
 * The process that decodes stills, job after job. FFmpeg runs in another thread, so that this one can end the process
 * when a job takes too long or too much, or when the platform is gone.
 */

const WATCH_MS = 100;

let deadline = Number.POSITIVE_INFINITY;
let memoryBytes = Number.POSITIVE_INFINITY;

/** At once: an orderly exit would wait for FFmpeg's thread. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

const thread = new Worker(new URL('./stills-thread.ts', import.meta.url));
thread.on('message', (message: FromStillsWorker) => {
  deadline = Number.POSITIVE_INFINITY;
  process.send?.(message);
});
thread.on('error', end);
thread.on('exit', end);

process.on('message', (message: ToStillsWorker) => {
  deadline = performance.now() + message.milliseconds;
  memoryBytes = message.memoryBytes;
  thread.postMessage(message.job);
});
process.on('disconnect', end);

setInterval(() => {
  if (performance.now() > deadline || process.memoryUsage.rss() > memoryBytes) end();
}, WATCH_MS).unref();
