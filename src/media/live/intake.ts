import { PacketAligner } from '../transport-stream/packet-aligner.ts';
import { StreamMonitor } from '../transport-stream/stream-monitor.ts';
import type { FlowStatus } from './flow-engine.ts';
import type { FailoverSpec } from './flow-spec.ts';
import { MergeBuffer } from './merge-buffer.ts';
import { SourceChoice } from './source-choice.ts';
import type { SourceInput } from './source-input.ts';
import type { StreamHealth } from './stream-report.ts';

/** How one stream is made of a flow's sources. */
export interface Intake {
  /** The monitor of the stream that the outputs get. */
  readonly monitor: StreamMonitor;
  health(): StreamHealth;
  /** The id of the source that is taken. */
  readonly selected: string | undefined;
  merge(): FlowStatus['merge'];
  tick(now: number): void;
}

type Send = (datagram: Buffer) => void;

/** One source. */
class SingleIntake implements Intake {
  readonly monitor: StreamMonitor;
  readonly selected: string;
  readonly #input: SourceInput;

  constructor(input: SourceInput, send: Send) {
    this.monitor = input.monitor;
    this.selected = input.spec.id;
    this.#input = input;
    input.port = { packet: () => undefined, datagram: send };
  }

  health(): StreamHealth {
    return this.monitor.health(this.#input.aligner.counters);
  }

  merge(): undefined {
    return undefined;
  }

  tick(): void {}
}

/** Several sources, of which one is taken at a time; the change is between packets of the transport stream. */
class SwitchedIntake implements Intake {
  readonly monitor: StreamMonitor;
  readonly #inputs: readonly SourceInput[];
  readonly #choice: SourceChoice;
  readonly #onSelected: (id: string | undefined) => void;
  #selected: string | undefined;

  constructor(
    inputs: readonly SourceInput[],
    primary: string | undefined,
    keepsKeyFrame: boolean,
    send: Send,
    onSelected: (id: string | undefined) => void,
  ) {
    this.monitor = new StreamMonitor(keepsKeyFrame);
    this.#inputs = inputs;
    this.#onSelected = onSelected;
    const preferred = inputs.findIndex(({ spec }) => spec.id === primary);
    this.#choice = new SourceChoice(inputs.length, preferred < 0 ? undefined : preferred);
    inputs.forEach((input, index) => {
      input.port = {
        packet: () => undefined,
        datagram: (datagram, now) => {
          if (!this.#choice.take(index, now)) return;
          this.#notice();
          this.monitor.inspect(datagram, now);
          send(datagram);
        },
      };
    });
  }

  get selected(): string | undefined {
    return this.#selected;
  }

  health(): StreamHealth {
    return this.monitor.health(NO_GARBAGE);
  }

  merge(): undefined {
    return undefined;
  }

  tick(now: number): void {
    this.#choice.tick(now);
    this.#notice();
  }

  #notice(): void {
    const { chosen } = this.#choice;
    const id = chosen === undefined ? undefined : this.#inputs[chosen]?.spec.id;
    if (id === this.#selected) return;
    this.#selected = id;
    this.#onSelected(id);
  }
}

/** Two identical RTP streams, of which each fills the other's gaps (SMPTE ST 2022-7). */
class MergedIntake implements Intake {
  readonly monitor: StreamMonitor;
  readonly #inputs: readonly SourceInput[];
  readonly #aligner: PacketAligner;
  readonly #buffer: MergeBuffer;
  readonly #windowMs: number;
  readonly #lastAt: number[];
  #now = 0;

  constructor(inputs: readonly SourceInput[], windowMs: number, keepsKeyFrame: boolean, send: Send) {
    this.monitor = new StreamMonitor(keepsKeyFrame);
    this.#inputs = inputs;
    this.#windowMs = windowMs;
    this.#lastAt = inputs.map(() => Number.NEGATIVE_INFINITY);
    this.#aligner = new PacketAligner((datagram) => {
      this.monitor.inspect(datagram, this.#now);
      send(datagram);
    });
    this.#buffer = new MergeBuffer({ windowMs, sink: { packet: (payload) => this.#aligner.push(payload) } });
    inputs.forEach((input, index) => {
      input.port = {
        packet: (payload, sequence, now) => {
          this.#now = now;
          this.#lastAt[index] = now;
          if (sequence !== undefined) this.#buffer.packet(index, payload, sequence, now);
        },
        datagram: () => undefined,
      };
    });
  }

  get selected(): string | undefined {
    const index = this.#lastAt.findIndex((at) => this.#now - at < ALIVE_MS);
    return this.#inputs[index]?.spec.id;
  }

  health(): StreamHealth {
    return this.monitor.health(this.#aligner.counters);
  }

  merge(): FlowStatus['merge'] {
    return { isActive: this.#lastAt.every((at) => this.#now - at < ALIVE_MS), latencyMs: this.#windowMs };
  }

  tick(now: number): void {
    this.#now = now;
    this.#buffer.tick(now);
    this.#aligner.flush();
  }
}

const ALIVE_MS = 1000;
const NO_GARBAGE = { syncLosses: 0, syncByteErrors: 0, garbageBytes: 0 };

/** @param onSelected told when another of two sources is taken */
export function createIntake(
  inputs: readonly SourceInput[],
  failover: FailoverSpec | undefined,
  keepsKeyFrame: boolean,
  send: Send,
  onSelected: (id: string | undefined) => void,
): Intake {
  const [first] = inputs;
  if (first === undefined) throw new RangeError('A flow has a source.');
  if (failover?.mode === 'merge') return new MergedIntake(inputs, failover.windowMs, keepsKeyFrame, send);
  if (inputs.length === 1) return new SingleIntake(first, send);
  return new SwitchedIntake(inputs, failover?.primary, keepsKeyFrame, send, onSelected);
}
