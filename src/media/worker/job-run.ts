import type { Worker } from 'node:worker_threads';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { TranscodeJob } from '../transcode-job.ts';
import { type AuxiliaryMemory, tellAbsent, tellOpen, wake } from './auxiliary.ts';
import type { FFmpegThreadData, FromWorker, OpenUpload, ToIo, WorkerAccess, WorkerCredentials } from './messages.ts';
import { HttpReader } from '../http/http-reader.ts';
import { type InputPorts, openInput } from './opened-input.ts';
import { type OpenedSource, isAbsent, openSource } from './opened-source.ts';
import { abortUploads, createS3, isAbort, ObjectStore } from './s3-io.ts';
import { CELL, createSharedState, stop, tellWindow, WINDOW_FAILED, type Windows } from './shared-state.ts';
import { UploadQueue } from './upload-queue.ts';

export interface JobRunPorts {
  send(message: FromWorker): void;
  requestCredentials(): Promise<WorkerCredentials>;
  startThread(data: FFmpegThreadData): Worker;
}

/** A file that is read, and the windows that its bytes go to. */
interface ReadFile {
  readonly file: OpenedSource;
  readonly windows: Windows;
}

const NO_WEB = { isHttpAllowed: false, isHttpsAllowed: false, privateHosts: [] };

/** One job inside the worker process, seen from the thread that does the network. */
export class TranscodeJobRun {
  /**
   * Resolves when the job is over and nothing of it is left, with what to tell the platform (nothing when it was
   * cancelled); never rejects.
   */
  readonly done: Promise<FromWorker | undefined>;
  readonly #job: TranscodeJob;
  readonly #access: WorkerAccess;
  readonly #ports: JobRunPorts;
  readonly #shared = createSharedState();
  readonly #cells = new Int32Array(this.#shared.cells);
  readonly #abort = new AbortController();
  readonly #uploads = new Map<string, OpenUpload>();
  /** The inputs and the auxiliary files that are open, by their numbers. */
  readonly #files = new Map<number, ReadFile>();
  readonly #auxiliaries = new Map<number, AuxiliaryMemory>();
  readonly #outcome = Promise.withResolvers<FromWorker | undefined>();
  #thread: Worker | undefined;
  #failure: unknown;

  constructor(job: TranscodeJob, access: WorkerAccess, ports: JobRunPorts) {
    this.#job = job;
    this.#access = access;
    this.#ports = ports;
    this.done = this.#run();
  }

  get progress(): number {
    return Atomics.load(this.#cells, CELL.progress);
  }

  /** Ends the job without a result. */
  cancel(): void {
    this.#stop();
    this.#outcome.resolve(undefined);
  }

  async #run(): Promise<FromWorker | undefined> {
    const s3 = createS3(this.#access, () => this.#ports.requestCredentials());
    const http = new HttpReader(this.#access.http ?? NO_WEB, this.#abort.signal);
    const onRead = (): void => void Atomics.add(this.#cells, CELL.progress, 1);
    const ports = { s3, http, signal: this.#abort.signal, onRead };
    try {
      const inputSizes: number[] = [];
      for (const [index, input] of this.#job.inputs.entries()) {
        const file = await openInput(input, ports);
        this.#files.set(index, { file, windows: this.#shared.windows });
        inputSizes.push(file.size);
      }
      this.#startThread(ports, inputSizes);
    } catch (error) {
      this.#fail(error);
    }
    const outcome = await this.#outcome.promise;
    await abortUploads(s3, this.#uploads.values());
    s3.destroy();
    http.close();
    return outcome;
  }

  #startThread(ports: InputPorts, inputSizes: readonly number[]): void {
    if (this.#abort.signal.aborted) return;
    const onUpload = (upload: OpenUpload, isOpen: boolean): void => {
      if (isOpen) this.#uploads.set(upload.uploadId, upload);
      else this.#uploads.delete(upload.uploadId);
      if (isOpen) this.#ports.send({ kind: 'upload-begun', upload });
      else this.#ports.send({ kind: 'upload-ended', uploadId: upload.uploadId });
    };
    const store = new ObjectStore(ports.s3, this.#abort.signal, onUpload);
    // Opening the inputs has overwritten their keys: FFmpeg's thread is given none.
    const thread = this.#ports.startThread({ job: this.#job, shared: this.#shared, inputSizes });
    this.#thread = thread;
    const fail = (error: unknown): void => this.#fail(error);
    const giveBack = (memory: ArrayBuffer): void => thread.postMessage(memory, [memory]);
    const queue = new UploadQueue(this.#job, store, this.#cells, fail, giveBack);
    thread.on('message', (message: ToIo) => this.#take(message, queue, ports));
    thread.on('error', (error) => this.#fail(error));
    thread.on('exit', () => this.#fail(new Error('The FFmpeg thread ended without a result.')));
  }

  #take(message: ToIo, queue: UploadQueue, ports: InputPorts): void {
    switch (message.kind) {
      case 'read': {
        const file = this.#files.get(message.input);
        if (file !== undefined) void this.#read(file, message);
        return;
      }
      case 'auxiliary':
        void this.#openAuxiliary(message, ports);
        return;
      case 'auxiliary-closed':
        this.#files.delete(message.input);
        this.#auxiliaries.delete(message.input);
        return;
      case 'object':
      case 'part':
      case 'end':
        queue.take(message);
        return;
      case 'event':
        this.#ports.send({ kind: 'event', event: message.event });
        return;
      case 'done':
        this.#thread?.removeAllListeners('exit');
        this.#ports.send({ kind: 'event', event: { kind: 'phase', phase: 'UPLOADING' } });
        void queue.settle().then(() => this.#outcome.resolve({ kind: 'done', result: message.result }));
        return;
      case 'failed':
        this.#fail(new TranscodeError(message.code, message.message));
        return;
      case 'stopped':
        this.#fail(new Error('The job was stopped.'));
    }
  }

  async #openAuxiliary(
    { input, location, memory, mayBeAbsent }: Extract<ToIo, { kind: 'auxiliary' }>,
    ports: InputPorts,
  ): Promise<void> {
    this.#auxiliaries.set(input, memory);
    try {
      const file = await openSource(location, ports);
      this.#files.set(input, { file, windows: memory.windows });
      tellOpen(memory, file.size);
    } catch (error) {
      if (mayBeAbsent && isAbsent(error)) {
        tellAbsent(memory);
        return;
      }
      this.#fail(error);
    }
  }

  async #read({ file, windows }: ReadFile, request: Extract<ToIo, { kind: 'read' }>): Promise<void> {
    const target = new Uint8Array(windows.bytes, request.window * windows.size, request.length);
    try {
      await file.read(request.offset, target, (count) => {
        // The whole of it is told when nothing is written any more.
        if (count < request.length) tellWindow(windows, request.window, count);
      });
      Atomics.add(this.#cells, CELL.progress, 1);
      tellWindow(windows, request.window, request.length);
    } catch (error) {
      tellWindow(windows, request.window, WINDOW_FAILED);
      this.#fail(error);
    }
  }

  /** The first failure is the job's; what follows from it is not. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stop();
    const code = error instanceof TranscodeError ? error.code : ERROR_CODES.unknown;
    const text = error instanceof TranscodeError ? error.message : 'Unknown error: the transcoder failed.';
    this.#outcome.resolve(isAbort(error) ? undefined : { kind: 'failed', code, message: text });
  }

  #stop(): void {
    this.#abort.abort();
    stop(this.#shared);
    for (const memory of this.#auxiliaries.values()) wake(memory);
  }
}
