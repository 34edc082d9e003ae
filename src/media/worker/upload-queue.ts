import { releaseBuffer } from '#kernel/release-buffer.ts';
import type { TranscodeJob } from '../transcode-job.ts';
import type { ObjectTarget, OpenUpload, ToIo } from './messages.ts';
import { isReusable } from './part-memory.ts';
import type { ObjectStore } from './s3-io.ts';
import { storageOf } from './s3-io.ts';
import { CELL } from './shared-state.ts';

/** Parts and objects under way at the same time. */
const CONCURRENCY = 4;

interface ObjectState {
  readonly target: ObjectTarget;
  /** A first part that waits to see whether it is the whole object. */
  held: { readonly part: number; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;
  upload: Promise<OpenUpload> | undefined;
  readonly etags: Map<number, string>;
  readonly parts: Promise<void>[];
}

/**
 * Takes parts from FFmpeg's thread and stores them, a few at a time, in the order in which they came. An object of one
 * part becomes a plain PutObject, a larger one a multipart upload. Bytes that are stored are credited back.
 */
export class UploadQueue {
  readonly #job: TranscodeJob;
  readonly #store: ObjectStore;
  readonly #cells: Int32Array;
  readonly #onFailure: (error: unknown) => void;
  readonly #giveBack: (memory: ArrayBuffer) => void;
  readonly #objects = new Map<number, ObjectState>();
  readonly #waiting: (() => void)[] = [];
  readonly #endings = new Set<Promise<void>>();
  #running = 0;

  /** @param giveBack takes the memory of a large part that is stored */
  constructor(
    job: TranscodeJob,
    store: ObjectStore,
    cells: Int32Array,
    onFailure: (error: unknown) => void,
    giveBack: (memory: ArrayBuffer) => void,
  ) {
    this.#job = job;
    this.#store = store;
    this.#cells = cells;
    this.#onFailure = onFailure;
    this.#giveBack = giveBack;
  }

  take(message: Extract<ToIo, { kind: 'object' | 'part' | 'end' }>): void {
    switch (message.kind) {
      case 'object':
        this.#objects.set(message.object, {
          target: message.target,
          held: undefined,
          upload: undefined,
          etags: new Map(),
          parts: [],
        });
        return;
      case 'part':
        this.#takePart(this.#object(message.object), message.part, message.bytes);
        return;
      case 'end':
        this.#takeEnd(message.object);
    }
  }

  /** Resolves when everything that was ended is stored. Failures go to `onFailure`. */
  async settle(): Promise<void> {
    await Promise.all(this.#endings);
  }

  #object(id: number): ObjectState {
    const object = this.#objects.get(id);
    if (object === undefined) throw new RangeError(`There is no object ${id}.`);
    return object;
  }

  #takePart(object: ObjectState, part: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (object.upload === undefined && object.held === undefined) {
      // Credited at once: many outputs that each wait for their second part must not starve one another.
      object.held = { part, bytes };
      this.#credit(bytes.length);
      return;
    }
    object.upload ??= this.#slot(() => this.#store.begin(object.target, storageOf(this.#job, object.target)));
    const { held } = object;
    object.held = undefined;
    if (held !== undefined) this.#sendPart(object, held.part, held.bytes, 0);
    this.#sendPart(object, part, bytes, bytes.length);
  }

  #sendPart(object: ObjectState, part: number, bytes: Uint8Array<ArrayBuffer>, credit: number): void {
    const { upload } = object;
    if (upload === undefined) return;
    const sent = upload.then((opened) =>
      this.#slot(async () => {
        object.etags.set(part, await this.#store.part(object.target, opened, part, bytes));
        this.#free(bytes);
        this.#credit(credit);
      }),
    );
    object.parts.push(this.#watch(sent));
  }

  #takeEnd(id: number): void {
    const object = this.#object(id);
    this.#objects.delete(id);
    // It waits for its turn from now on, like parts do: else many small objects would pile up in memory.
    if (object.upload === undefined) this.#credit(-(object.held?.bytes.length ?? 0));
    const before = object.target.isManifest ? [...this.#endings] : [];
    const ending = this.#watch(this.#end(object, before));
    this.#endings.add(ending);
    void ending.then(() => this.#endings.delete(ending));
  }

  async #end(object: ObjectState, before: readonly Promise<void>[]): Promise<void> {
    await Promise.all(before);
    const { held, upload, target } = object;
    if (upload === undefined) {
      const bytes = held?.bytes ?? new Uint8Array(0);
      const { length } = bytes;
      await this.#slot(() => this.#store.put(target, storageOf(this.#job, target), bytes));
      this.#free(bytes);
      this.#credit(length);
      return;
    }
    const opened = await upload;
    await Promise.all(object.parts);
    await this.#slot(() => this.#store.complete(target, opened, object.etags));
  }

  /** Turns a rejection into a report, so that no promise is left unhandled. */
  async #watch(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#onFailure(error);
    }
  }

  async #slot<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= CONCURRENCY) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** Nobody uses the bytes of a part any more that is stored. */
  #free(bytes: Uint8Array<ArrayBuffer>): void {
    if (isReusable(bytes)) this.#giveBack(bytes.buffer);
    else releaseBuffer(bytes);
  }

  #credit(bytes: number): void {
    Atomics.sub(this.#cells, CELL.pendingBytes, bytes);
    Atomics.add(this.#cells, CELL.progress, 1);
    Atomics.notify(this.#cells, CELL.pendingBytes);
  }
}
