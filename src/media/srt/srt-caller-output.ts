import type { OutputTransport } from '../live/flow-spec.ts';
import type { LegEventListener, OutputLeg, OutputStatistics } from '../live/leg.ts';
import type { SendingRole } from './roles.ts';
import type { KeyRefresh } from './sending-keys.ts';
import { SendingSide } from './sending-side.ts';
import { SrtCaller } from './srt-caller.ts';

/** Dials a listener, and gives it the stream. */
export class SrtCallerOutput implements OutputLeg {
  readonly #side: SendingSide;
  readonly #caller: SrtCaller<SendingRole>;
  readonly port = undefined;

  constructor(
    transport: OutputTransport & { protocol: 'srt-caller' },
    onEvent: LegEventListener,
    refresh?: KeyRefresh,
  ) {
    this.#side = new SendingSide(onEvent, refresh);
    this.#caller = new SrtCaller({ ...this.#side.callbacks, transport });
  }

  async open(): Promise<void> {
    this.#caller.open();
  }

  close(): Promise<void> {
    return this.#caller.close();
  }

  send(payload: Buffer): void {
    this.#side.send(payload);
  }

  statistics(): OutputStatistics {
    return this.#side.statistics(0);
  }
}
