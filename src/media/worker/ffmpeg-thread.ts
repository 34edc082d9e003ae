import { once } from 'node:events';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { type FFmpeg, FFmpegMissingError, loadFFmpeg } from '../ffmpeg/load-ffmpeg.ts';
import type { TranscodePorts } from '../ffmpeg/transcode-ports.ts';
import { transcode } from '../ffmpeg/transcode.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import { AuxiliaryFiles } from './auxiliary.ts';
import { InputWindow } from './input-window.ts';
import type { FFmpegThreadData, ToIo } from './messages.ts';
import { PartMemory } from './part-memory.ts';
import { CELL, StoppedError, throwIfStopped, UPLOAD_CREDIT } from './shared-state.ts';

/** The thread that FFmpeg blocks. Its messages get out at once; its own event loop does not turn until the end. */
async function main(data: FFmpegThreadData, loading: Promise<FFmpeg>, port: MessagePort): Promise<void> {
  const { job, shared, inputSizes } = data;
  const cells = new Int32Array(shared.cells);
  const auxiliaries = new AuxiliaryFiles(shared.cells, inputSizes.length, send);
  const memory = new PartMemory(port);
  let objects = 0;
  const sinkFor = (group: number): PartSink => ({
    open(target) {
      const object = objects++;
      const { bucket = '' } = job.groups[group] ?? {};
      send({ kind: 'object', object, target: { bucket, group, isManifest: false, ...target } });
      return object;
    },
    part(object, part, bytes) {
      awaitCredit(cells, bytes.length);
      send({ kind: 'part', object, part, bytes }, [bytes.buffer]);
    },
    end: (object, parts) => send({ kind: 'end', object, parts }),
    memory: (length) => memory.take(length),
  });
  const ports: TranscodePorts = {
    openSource(input) {
      const size = inputSizes[input] ?? 0;
      return new InputWindow({ windows: shared.windows, control: shared.cells, input, size, send });
    },
    openAuxiliary: (location, maxBytes) => auxiliaries.open(location, maxBytes),
    openIfThere: (location, maxBytes) => auxiliaries.openIfThere(location, maxBytes),
    sinkFor,
    report: (event) => send({ kind: 'event', event }),
    onFrame(framesDecoded) {
      Atomics.store(cells, CELL.framesDecoded, framesDecoded);
      Atomics.add(cells, CELL.progress, 1);
      throwIfStopped(cells);
    },
    now: () => Date.now(),
  };
  try {
    const ffmpeg = await loading;
    send({ kind: 'done', result: transcode(ffmpeg, job, ports) });
  } catch (error) {
    if (error instanceof StoppedError) send({ kind: 'stopped' });
    else send({ kind: 'failed', ...describe(error) });
  }
}

function describe(error: unknown): { readonly code: number; readonly message: string } {
  if (error instanceof TranscodeError) return { code: error.code, message: error.message };
  if (error instanceof FFmpegMissingError) return { code: ERROR_CODES.unknown, message: error.message };
  const message = error instanceof Error ? error.message : 'Unknown error';
  return { code: ERROR_CODES.unknown, message: `Unknown error: ${message}` };
}

function awaitCredit(cells: Int32Array, bytes: number): void {
  for (;;) {
    throwIfStopped(cells);
    const pending = Atomics.load(cells, CELL.pendingBytes);
    if (pending === 0 || pending + bytes <= UPLOAD_CREDIT) break;
    Atomics.wait(cells, CELL.pendingBytes, pending, 1000);
  }
  Atomics.add(cells, CELL.pendingBytes, bytes);
}

function send(message: ToIo, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

if (parentPort === null) throw new Error('This is the main module of a thread.');
const loading = loadFFmpeg();
// Whoever has a job is told.
loading.catch(() => undefined);
const [data] = (await once(parentPort, 'message')) as [FFmpegThreadData];
await main(data, loading, parentPort);
