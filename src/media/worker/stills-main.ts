import { Worker } from 'node:worker_threads';
import { dieWithPlatform, endProcess, tellPlatform } from './platform-pipe.ts';
import type { FromStillsWorker, ToStillsWorker } from '../stills/stills-messages.ts';

/**
 * The process that decodes stills, job after job. FFmpeg runs in another thread, so that this one can end the process
 * when a job takes too long or too much, or when the platform is gone.
 */

const WATCH_MS = 100;

let deadline = Number.POSITIVE_INFINITY;
let memoryBytes = Number.POSITIVE_INFINITY;

const thread = new Worker(new URL('./stills-thread.ts', import.meta.url));
thread.on('message', (message: FromStillsWorker) => {
  deadline = Number.POSITIVE_INFINITY;
  tellPlatform(message);
});
thread.on('error', endProcess);
thread.on('exit', endProcess);

process.on('message', (message: ToStillsWorker) => {
  deadline = performance.now() + message.milliseconds;
  memoryBytes = message.memoryBytes;
  thread.postMessage(message.job);
});
dieWithPlatform();

setInterval(() => {
  if (performance.now() > deadline || process.memoryUsage.rss() > memoryBytes) endProcess();
}, WATCH_MS).unref();
