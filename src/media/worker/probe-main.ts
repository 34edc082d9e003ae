import { Worker } from 'node:worker_threads';
import type { FromProber, ToProber } from '../probe/probed-media.ts';
import type { ToIo } from './messages.ts';
import type { ProbeThreadData } from './probe-thread.ts';
import { createSharedState, tellWindow } from './shared-state.ts';
import { dieWithPlatform, endProcess, tellPlatform } from './platform-pipe.ts';

/** The process that looks into one file. It has no network: the platform sends it the bytes that it asks for. */

const WATCH_MS = 100;
/** What the platform sends at a time. */
const WINDOW_SIZE = 4 * 1024 * 1024;

const shared = createSharedState(WINDOW_SIZE);
let memoryBytes = Number.POSITIVE_INFINITY;

function send(message: FromProber): void {
  tellPlatform(message);
}

function start({ size, name }: Extract<ToProber, { kind: 'start' }>): void {
  const data: ProbeThreadData = { shared, size, name };
  const thread = new Worker(new URL('./probe-thread.ts', import.meta.url), { workerData: data });
  thread.on('message', (message: FromProber | Extract<ToIo, { kind: 'read' }>) => {
    if (message.kind === 'read') {
      const { offset, length, window } = message;
      send({ kind: 'read', offset, length, window });
    } else {
      send(message);
    }
  });
  thread.on('error', endProcess);
}

function fill({ window, bytes }: Extract<ToProber, { kind: 'bytes' }>): void {
  const { windows } = shared;
  new Uint8Array(windows.bytes, window * windows.size, windows.size).set(bytes);
  tellWindow(windows, window, bytes.length);
}

process.on('message', (message: ToProber) => {
  if (message.kind === 'bytes') fill(message);
  else {
    ({ memoryBytes } = message);
    start(message);
  }
});
dieWithPlatform();
setInterval(() => {
  if (process.memoryUsage.rss() > memoryBytes) endProcess();
}, WATCH_MS).unref();
send({ kind: 'ready' });
