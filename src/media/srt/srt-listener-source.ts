import type { SourceTransport } from '../live/flow-spec.ts';
import type { LegEventListener, PacketSink, SourceLeg, SourceStatistics } from '../live/leg.ts';
import { ReceivingSide } from './receiving-side.ts';
import { REJECT } from './reject-codes.ts';
import type { ReceivingRole } from './roles.ts';
import { SrtListener } from './srt-listener.ts';

/** Takes the stream of one caller at a time. */
export class SrtListenerSource implements SourceLeg {
  readonly #side: ReceivingSide;
  readonly #listener: SrtListener<ReceivingRole>;

  constructor(transport: SourceTransport & { protocol: 'srt-listener' }, sink: PacketSink, onEvent: LegEventListener) {
    this.#side = new ReceivingSide(sink, onEvent);
    this.#listener = new SrtListener({
      ...this.#side.callbacks,
      transport,
      most: 1,
      whenFull: { code: REJECT.conflict, reason: 'already has a sender' },
    });
  }

  open(): Promise<void> {
    return this.#listener.open();
  }

  async close(): Promise<void> {
    await this.#listener.close();
    this.#side.close();
  }

  get port(): number | undefined {
    return this.#listener.port;
  }

  statistics(): SourceStatistics {
    const [live] = this.#listener.roles();
    return this.#side.statistics(live, this.#listener.refused);
  }
}
