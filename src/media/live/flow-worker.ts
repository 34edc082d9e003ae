import type { ChildProcess } from 'node:child_process';
import { spawnWorker } from '../spawn-worker.ts';
import type { FlowEvent, FlowStatus } from './flow-engine.ts';
import { LegError } from './leg-error.ts';
import type { FlowAnswer, FromFlowWorker, ToFlowWorker } from './worker-messages.ts';

/** A worker that says nothing for so long hangs, and is ended. Milliseconds. */
const SILENCE_MS = 10_000;

/** The worker died before it answered. */
export class WorkerGoneError extends Error {
  constructor() {
    super('The process of the flow died.');
    this.name = 'WorkerGoneError';
  }
}

export interface FlowWorkerListeners {
  readonly onEvent: (event: FlowEvent) => void;
  readonly onReport: (statuses: readonly FlowStatus[]) => void;
  readonly onGone: () => void;
}

type Request = ToFlowWorker extends infer Message
  ? Message extends unknown
    ? Omit<Message, 'request'>
    : never
  : never;

/** Every leg has a socket or two, and every caller of one. */
const OPEN_SOCKETS = 16_384;

/** A process that moves flows, seen from the platform. */
export class FlowWorker {
  readonly #child: ChildProcess;
  readonly #pending = new Map<
    number,
    { readonly resolve: (answer: FlowAnswer) => void; readonly reject: (error: Error) => void }
  >();
  readonly #watch: NodeJS.Timeout;
  readonly #listeners: FlowWorkerListeners;
  #requests = 0;
  #heardAt = performance.now();
  #isGone = false;

  constructor(listeners: FlowWorkerListeners) {
    this.#listeners = listeners;
    this.#child = spawnWorker(new URL('./worker-main.ts', import.meta.url), OPEN_SOCKETS);
    this.#child.on('message', (message: FromFlowWorker) => this.#take(message));
    this.#child.on('error', () => this.#end());
    this.#child.on('exit', () => this.#end());
    this.#watch = setInterval(() => {
      if (performance.now() - this.#heardAt > SILENCE_MS) this.kill();
    }, SILENCE_MS / 10);
    this.#watch.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** @throws LegError, WorkerGoneError */
  ask(request: Request): Promise<FlowAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#isGone) {
        reject(new WorkerGoneError());
        return;
      }
      const number = this.#requests++;
      this.#pending.set(number, { resolve, reject });
      this.#child.send({ ...request, request: number } as ToFlowWorker, (error) => {
        if (error !== null) this.kill();
      });
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #take(message: FromFlowWorker): void {
    this.#heardAt = performance.now();
    switch (message.kind) {
      case 'event':
        this.#listeners.onEvent(message.event);
        return;
      case 'report':
        this.#listeners.onReport(message.statuses);
        return;
      case 'done':
        this.#settle(message.request)?.resolve(message.answer);
        return;
      case 'failed':
        this.#settle(message.request)?.reject(new LegError(message.code, message.message));
    }
  }

  #settle(request: number) {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending;
  }

  #end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearInterval(this.#watch);
    for (const { reject } of this.#pending.values()) reject(new WorkerGoneError());
    this.#pending.clear();
    this.#listeners.onGone();
  }
}
