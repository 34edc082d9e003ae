import { isDeepStrictEqual } from 'node:util';
import type { OutputReport } from './flow-engine.ts';
import type { OutputSpec } from './flow-spec.ts';
import type { LegEvent, OutputLeg } from './leg.ts';
import { LegError } from './leg-error.ts';
import { createOutput } from './open-legs.ts';
import { RateMeter } from './rate-meter.ts';

/** An output that could not be opened is tried again after so long. Milliseconds. */
const RETRY_MS = 3000;

/** One output of a flow: its leg, and what became of it. */
export class OutputSlot {
  readonly spec: OutputSpec;
  readonly #leg: OutputLeg;
  readonly #meter = new RateMeter();
  #isOpen = false;
  #isOpening = false;
  #isClosed = false;
  #failure: string | undefined;
  #retryAt = 0;

  constructor(spec: OutputSpec, onEvent: (legId: string, event: LegEvent) => void) {
    this.spec = spec;
    this.#leg = createOutput(spec.transport, (event) => onEvent(spec.id, event));
  }

  serves(spec: OutputSpec): boolean {
    return isDeepStrictEqual(this.spec, spec);
  }

  get listenPort(): number | undefined {
    return this.#isOpen ? this.#leg.port : undefined;
  }

  /** Opens the leg if it can be opened: else it is tried again at a later tick. */
  async open(now: number): Promise<void> {
    this.#isOpening = true;
    try {
      await this.#leg.open();
      this.#isOpen = true;
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof LegError)) throw error;
      this.#failure = error.message;
      this.#retryAt = now + RETRY_MS;
    } finally {
      this.#isOpening = false;
    }
    if (this.#isClosed && this.#isOpen) await this.#leg.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    if (wasOpen) await this.#leg.close();
  }

  send(datagram: Buffer): void {
    if (this.#isOpen) this.#leg.send(datagram);
  }

  tick(now: number): void {
    if (this.#failure === undefined || this.#isOpening || this.#isClosed || now < this.#retryAt) return;
    void this.open(now);
  }

  report(now: number): OutputReport {
    const statistics = this.#leg.statistics();
    return {
      id: this.spec.id,
      name: this.spec.name,
      statistics,
      bitsPerSecond: this.#meter.read(statistics.bytes, now),
      ...(this.#failure !== undefined && { failure: this.#failure }),
    };
  }
}
