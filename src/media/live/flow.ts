import { isDeepStrictEqual } from 'node:util';
import type { KeyFrame } from '../transport-stream/key-frame-keeper.ts';
import type { FlowEvent, FlowStatus } from './flow-engine.ts';
import type { FlowSpec } from './flow-spec.ts';
import { createIntake, type Intake } from './intake.ts';
import { OutputSlot } from './output-slot.ts';
import { SourceInput } from './source-input.ts';

/**
 * A flow that runs: what its sources bring goes, as one transport stream, to all its outputs, datagram by datagram.
 *
 * source legs → one stream (a source alone, one of two, two merged) → whole packets → output legs
 */
export class Flow {
  readonly #onEvent: (event: FlowEvent) => void;
  #spec: FlowSpec | undefined;
  #inputs: readonly SourceInput[] = [];
  #intake: Intake | undefined;
  #outputs: readonly OutputSlot[] = [];
  readonly #send = (datagram: Buffer): void => {
    for (const output of this.#outputs) output.send(datagram);
  };

  constructor(onEvent: (event: FlowEvent) => void) {
    this.#onEvent = onEvent;
  }

  /**
   * Starts the flow, or changes it.
   *
   * @throws LegError when a source cannot be opened; the flow is then as it was before
   */
  async apply(spec: FlowSpec): Promise<ReadonlyMap<string, number>> {
    await this.#applySources(spec);
    await this.#applyOutputs(spec);
    this.#spec = spec;
    return this.#ports();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#inputs, ...this.#outputs].map((leg) => leg.close()));
    this.#inputs = [];
    this.#outputs = [];
    this.#intake = undefined;
  }

  tick(now: number): void {
    for (const input of this.#inputs) input.tick(now);
    this.#intake?.tick(now);
    for (const output of this.#outputs) output.tick(now);
  }

  /** To be called some ten times a second. */
  watch(now: number): void {
    for (const { monitor } of this.#inputs) monitor.tick(now);
    const { monitor } = this.#intake ?? {};
    if (this.#inputs.every((input) => input.monitor !== monitor)) monitor?.tick(now);
  }

  keyFrame(): KeyFrame | undefined {
    return this.#intake?.monitor.keyFrame();
  }

  report(now: number): FlowStatus | undefined {
    const [spec, intake] = [this.#spec, this.#intake];
    if (spec === undefined || intake === undefined) return undefined;
    const merge = intake.merge();
    return {
      flowId: spec.id,
      at: Date.now(),
      sources: this.#inputs.map((input) => input.report(now)),
      outputs: this.#outputs.map((output) => output.report(now)),
      health: intake.health(),
      programs: intake.monitor.programs(),
      selectedSource: intake.selected,
      ...(merge !== undefined && { merge }),
    };
  }

  async #applySources(spec: FlowSpec): Promise<void> {
    const before = this.#spec;
    const isSame =
      before !== undefined &&
      isDeepStrictEqual(before.sources, spec.sources) &&
      isDeepStrictEqual(before.failover, spec.failover) &&
      before.keepsKeyFrame === spec.keepsKeyFrame;
    if (isSame) return;
    const inputs = await this.#openInputs(spec, before);
    this.#inputs = inputs;
    this.#intake = createIntake(inputs, spec.failover, spec.keepsKeyFrame, this.#send, (sourceId) =>
      this.#onEvent({ flowId: spec.id, kind: 'selected', sourceId }),
    );
  }

  /** Those that are replaced are closed first, as their ports may be wanted; and opened again when it fails. */
  async #openInputs(spec: FlowSpec, before: FlowSpec | undefined): Promise<readonly SourceInput[]> {
    const isMerged = spec.failover?.mode === 'merge';
    const isUsable = before?.keepsKeyFrame === spec.keepsKeyFrame;
    const next = spec.sources.map(
      (source) =>
        (isUsable ? this.#inputs.find((input) => input.serves(source, isMerged)) : undefined) ??
        this.#createInput(spec, source, isMerged),
    );
    const replaced = this.#inputs.filter((input) => !next.includes(input));
    await Promise.all(replaced.map((input) => input.close()));
    const opened: SourceInput[] = [];
    try {
      for (const input of next) {
        if (this.#inputs.includes(input)) continue;
        await input.open();
        opened.push(input);
      }
      return next;
    } catch (error) {
      await Promise.all(opened.map((input) => input.close()));
      if (before !== undefined && replaced.length > 0) await this.#restore(before);
      throw error;
    }
  }

  async #restore(before: FlowSpec): Promise<void> {
    const isMerged = before.failover?.mode === 'merge';
    const inputs: SourceInput[] = [];
    for (const source of before.sources) {
      const kept = this.#inputs.find((input) => input.port !== undefined && input.serves(source, isMerged));
      const input = kept ?? this.#createInput(before, source, isMerged);
      if (kept === undefined) await input.open();
      inputs.push(input);
    }
    this.#inputs = inputs;
    this.#intake = createIntake(inputs, before.failover, before.keepsKeyFrame, this.#send, (sourceId) =>
      this.#onEvent({ flowId: before.id, kind: 'selected', sourceId }),
    );
  }

  #createInput(spec: FlowSpec, source: FlowSpec['sources'][number], isMerged: boolean): SourceInput {
    return new SourceInput(source, isMerged, spec.keepsKeyFrame, (legId, event) =>
      this.#onEvent({ flowId: spec.id, kind: 'source', legId, event }),
    );
  }

  async #applyOutputs(spec: FlowSpec): Promise<void> {
    const next = spec.outputs.map(
      (output) =>
        this.#outputs.find((slot) => slot.serves(output)) ??
        new OutputSlot(output, (legId, event) => this.#onEvent({ flowId: spec.id, kind: 'output', legId, event })),
    );
    const replaced = this.#outputs.filter((slot) => !next.includes(slot));
    const added = next.filter((slot) => !this.#outputs.includes(slot));
    this.#outputs = next;
    await Promise.all(replaced.map((slot) => slot.close()));
    const now = performance.now();
    await Promise.all(added.map((slot) => slot.open(now)));
  }

  #ports(): ReadonlyMap<string, number> {
    const ports = new Map<string, number>();
    for (const { spec, listenPort } of [...this.#inputs, ...this.#outputs]) {
      if (listenPort !== undefined) ports.set(spec.id, listenPort);
    }
    return ports;
  }
}
