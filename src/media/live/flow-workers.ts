import { availableParallelism } from 'node:os';
import type { StillsPool } from '../stills/stills-pool.ts';
import type { FlowEngine, FlowEvent, FlowStatus, Thumbnail } from './flow-engine.ts';
import type { FlowSpec } from './flow-spec.ts';
import { FlowWorker, WorkerGoneError } from './flow-worker.ts';
import { LegError } from './leg-error.ts';
import type { FlowAnswer } from './worker-messages.ts';

/** A process with so many flows gets no more, as long as another one may be started. */
const FLOWS_OF_A_WORKER = 8;
/** After so long without a flow a process ends. Milliseconds. */
const IDLE_MS = 30_000;
/** How long to wait before a flow is tried again that cannot be restarted. Milliseconds. */
const RETRY_MS = 500;
/** A process that dies soon after the one before is started again later and later, up to this. Milliseconds. */
const MAX_BACKOFF_MS = 10_000;
const CALM_MS = 60_000;
/** How long a thumbnail may wait for a decoder. Milliseconds. */
const THUMBNAIL_MS = 10_000;
const THUMBNAIL = { format: 'JPEG', quality: 80, width: 640 } as const;

interface Running {
  readonly id: string;
  /** What was last applied; `undefined` until the first success. */
  spec: FlowSpec | undefined;
  worker: FlowWorker | undefined;
  status: FlowStatus | undefined;
  isStopped: boolean;
  /** Calls take effect in their order. */
  turn: Promise<unknown>;
}

/** Moves flows in a few processes: when one dies, its flows are started in another. */
export class FlowWorkers implements FlowEngine {
  readonly #stills: StillsPool;
  readonly #maximum: number;
  readonly #workers = new Set<FlowWorker>();
  readonly #flows = new Map<string, Running>();
  readonly #listeners = new Set<(event: FlowEvent) => void>();
  readonly #idleTimers = new Map<FlowWorker, NodeJS.Timeout>();
  #deaths = 0;
  #lastDeathAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  /** @param maximum processes at most */
  constructor(stills: StillsPool, maximum: number = availableParallelism()) {
    this.#stills = stills;
    this.#maximum = maximum;
  }

  /** The process ids of the workers. */
  get pids(): readonly number[] {
    return [...this.#workers].flatMap(({ pid }) => pid ?? []);
  }

  apply(spec: FlowSpec): Promise<ReadonlyMap<string, number>> {
    const flow = this.#flowOf(spec.id);
    return this.#queue(flow, async () => {
      try {
        return await this.#place(flow, spec);
      } catch (error) {
        if (flow.spec === undefined) this.#forget(flow);
        throw error;
      }
    });
  }

  /** One that is being stopped is waited for. */
  #flowOf(id: string): Running {
    const known = this.#flows.get(id);
    if (known?.isStopped === false) return known;
    const turn = known?.turn ?? Promise.resolve();
    const flow: Running = { id, spec: undefined, worker: undefined, status: undefined, isStopped: false, turn };
    this.#flows.set(id, flow);
    return flow;
  }

  async stop(flowId: string): Promise<void> {
    const flow = this.#flows.get(flowId);
    if (flow === undefined) return;
    flow.isStopped = true;
    await this.#queue(flow, async () => {
      try {
        await flow.worker?.ask({ kind: 'stop', flowId });
      } catch (error) {
        if (!(error instanceof WorkerGoneError)) throw error;
      } finally {
        this.#forget(flow);
      }
    });
  }

  status(flowId: string): FlowStatus | undefined {
    return this.#flows.get(flowId)?.status;
  }

  statuses(): readonly FlowStatus[] {
    return [...this.#flows.values()].flatMap(({ status }) => status ?? []);
  }

  async thumbnail(flowId: string): Promise<Thumbnail | undefined> {
    const keyFrame = await this.#keyFrame(flowId);
    if (keyFrame === undefined) return undefined;
    using lease = await this.#stills.lease(flowId, AbortSignal.timeout(THUMBNAIL_MS));
    const [picture] = await lease.decode({
      codec: keyFrame.codec,
      frames: [{ timeMs: 0, payload: keyFrame.data }],
      wanted: [0],
      picture: THUMBNAIL,
      maximumBytes: 1024 ** 2,
      maximumMs: THUMBNAIL_MS,
    });
    return picture === undefined ? undefined : { picture, at: keyFrame.at };
  }

  async #keyFrame(flowId: string): Promise<FlowAnswer['keyFrame']> {
    try {
      return (await this.#flows.get(flowId)?.worker?.ask({ kind: 'key-frame', flowId }))?.keyFrame;
    } catch (error) {
      if (error instanceof WorkerGoneError) return undefined;
      throw error;
    }
  }

  onEvent(listener: (event: FlowEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#flows.keys()].map((id) => this.stop(id)));
    for (const timer of this.#idleTimers.values()) clearTimeout(timer);
    for (const worker of this.#workers) worker.kill();
  }

  #queue<T>(flow: Running, work: () => Promise<T>): Promise<T> {
    const turn = flow.turn.then(work);
    flow.turn = turn.catch(() => undefined);
    return turn;
  }

  /** Gives a flow's specification to its worker, or, where there is none or it dies, to another. */
  async #place(flow: Running, spec: FlowSpec): Promise<ReadonlyMap<string, number>> {
    for (;;) {
      if (this.#isClosed) throw new LegError('unusable', 'The server is ending.');
      if (flow.isStopped) throw new LegError('unusable', 'The flow was stopped.');
      if (flow.worker === undefined || flow.worker.isGone) {
        const backoff = this.#backoffMs();
        if (backoff > 0) await new Promise((resolve) => setTimeout(resolve, backoff));
        flow.worker = this.#chooseWorker();
      }
      try {
        const { ports, status } = await flow.worker.ask({ kind: 'apply', spec });
        flow.spec = spec;
        flow.status = status;
        return ports ?? new Map();
      } catch (error) {
        if (!(error instanceof WorkerGoneError)) throw error;
        flow.worker = undefined;
      }
    }
  }

  /** How long the next process has to wait: none after the first death of the last minute. */
  #backoffMs(): number {
    const isCalm = performance.now() - this.#lastDeathAt > CALM_MS;
    return isCalm ? 0 : Math.min(MAX_BACKOFF_MS, Math.max(0, this.#deaths - 1) * RETRY_MS);
  }

  #chooseWorker(): FlowWorker {
    const counts = [...this.#workers].map((worker) => ({ worker, count: this.#flowsOf(worker).length }));
    const [least] = counts.sort((a, b) => a.count - b.count);
    if (least !== undefined && (least.count < FLOWS_OF_A_WORKER || counts.length >= this.#maximum)) {
      this.#keep(least.worker);
      return least.worker;
    }
    return this.#startWorker();
  }

  #startWorker(): FlowWorker {
    const worker = new FlowWorker({
      onEvent: (event) => this.#announce(event),
      onReport: (statuses) => {
        for (const status of statuses) {
          const flow = this.#flows.get(status.flowId);
          if (flow?.worker === worker) flow.status = status;
        }
      },
      onGone: () => this.#bury(worker),
    });
    this.#workers.add(worker);
    return worker;
  }

  #bury(worker: FlowWorker): void {
    this.#keep(worker);
    this.#workers.delete(worker);
    if (this.#isClosed) return;
    const orphans = this.#flowsOf(worker);
    if (orphans.length === 0) return;
    const now = performance.now();
    this.#deaths = now - this.#lastDeathAt > CALM_MS ? 1 : this.#deaths + 1;
    this.#lastDeathAt = now;
    for (const flow of orphans) void this.#queue(flow, () => this.#revive(flow));
  }

  async #revive(flow: Running): Promise<void> {
    // A call that was waiting has placed it already.
    if (flow.worker?.isGone === false) return;
    while (!flow.isStopped && !this.#isClosed && flow.spec !== undefined) {
      try {
        await this.#place(flow, flow.spec);
        this.#announce({ flowId: flow.id, kind: 'restarted' });
        return;
      } catch (error) {
        if (!(error instanceof LegError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #forget(flow: Running): void {
    if (this.#flows.get(flow.id) === flow) this.#flows.delete(flow.id);
    const { worker } = flow;
    flow.worker = undefined;
    if (worker === undefined || worker.isGone || this.#flowsOf(worker).length > 0) return;
    const timer = setTimeout(() => worker.kill(), IDLE_MS);
    timer.unref();
    this.#idleTimers.set(worker, timer);
  }

  /** The worker is wanted again, or gone. */
  #keep(worker: FlowWorker): void {
    clearTimeout(this.#idleTimers.get(worker));
    this.#idleTimers.delete(worker);
  }

  #flowsOf(worker: FlowWorker): readonly Running[] {
    return [...this.#flows.values()].filter((flow) => flow.worker === worker);
  }

  #announce(event: FlowEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
