import type { SourceTransport } from '../live/flow-spec.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { ReceivingSide } from './receiving-side.ts';
import type { ReceivingRole } from './roles.ts';
import { SrtCaller } from './srt-caller.ts';

/** Dials a listener, and takes its stream. */
export class SrtCallerSource implements SourceLeg {
  readonly #side: ReceivingSide;
  readonly #caller: SrtCaller<ReceivingRole>;
  readonly port = undefined;

  constructor(transport: SourceTransport & { protocol: 'srt-caller' }, sink: PacketSink, onEvent: LegEventListener) {
    this.#side = new ReceivingSide(sink, onEvent);
    this.#caller = new SrtCaller({ ...this.#side.callbacks, transport });
  }

  async open(): Promise<void> {
    this.#caller.open();
  }

  async close(): Promise<void> {
    await this.#caller.close();
    this.#side.close();
  }

  statistics(): SourceStatistics {
    return this.#side.statistics(this.#caller.role, 0);
  }
}
