import { flushCompileCache } from 'node:module';
import { Worker } from 'node:worker_threads';
import { TranscodeJobRun } from './job-run.ts';
import { dieWithPlatform, endProcess, tellPlatform } from './platform-pipe.ts';
import type { FFmpegThreadData, FromWorker, ToWorker, WorkerCredentials } from './messages.ts';

/**
 * The worker process: one job, then the end. FFmpeg's thread starts at once and loads what it needs while the job is
 * still to come. This thread does the network; FFmpeg runs in another. The platform on
 * the other side of the pipe starts it, watches it and may kill it at any time.
 */

const thread = new Worker(new URL('./ffmpeg-thread.ts', import.meta.url));
let run: TranscodeJobRun | undefined;
let wanting: PromiseWithResolvers<WorkerCredentials>[] = [];

function send(message: FromWorker): void {
  tellPlatform(message);
}

function finish(outcome: FromWorker | undefined): void {
  if (outcome === undefined) {
    endProcess();
    return;
  }
  sendAlive();
  tellPlatform(outcome, endProcess);
}

function sendAlive(): void {
  send({ kind: 'alive', residentBytes: process.memoryUsage.rss(), progress: run?.progress ?? 0 });
}

function requestCredentials(): Promise<WorkerCredentials> {
  const wanted = Promise.withResolvers<WorkerCredentials>();
  wanting.push(wanted);
  if (wanting.length === 1) send({ kind: 'credentials-wanted' });
  return wanted.promise;
}

function settleCredentials(settle: (wanted: PromiseWithResolvers<WorkerCredentials>) => void): void {
  const waiting = wanting;
  wanting = [];
  for (const wanted of waiting) settle(wanted);
}

process.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start': {
      const startThread = (data: FFmpegThreadData): Worker => {
        thread.postMessage(data);
        return thread;
      };
      run = new TranscodeJobRun(message.job, message.access, { send, requestCredentials, startThread });
      void run.done.then(finish);
      return;
    }
    case 'credentials':
      settleCredentials((wanted) => wanted.resolve(message.credentials));
      return;
    case 'credentials-refused':
      settleCredentials((wanted) => wanted.reject(new Error(message.message)));
      return;
    case 'cancel':
      run?.cancel();
  }
});

dieWithPlatform();

setInterval(sendAlive, 250).unref();

send({ kind: 'ready' });
// For the next workers: at its end this one is killed.
flushCompileCache();
