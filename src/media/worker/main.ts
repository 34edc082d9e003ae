import { Worker } from 'node:worker_threads';
import { TranscodeJobRun } from './job-run.ts';
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
  process.send?.(message);
}

/**
 * Ends the process at once, as nothing in it is worth cleaning up: an orderly exit would wait for FFmpeg's thread and
 * run finalizers over half-made native objects, which may hang.
 */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function finish(outcome: FromWorker | undefined): void {
  if (outcome === undefined || process.send === undefined) end();
  else process.send(outcome, end);
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

// Without the platform nobody wants the result: end, whatever FFmpeg is doing.
process.on('disconnect', end);

setInterval(() => {
  send({ kind: 'alive', residentBytes: process.memoryUsage.rss(), progress: run?.progress ?? 0 });
}, 250).unref();

send({ kind: 'ready' });
