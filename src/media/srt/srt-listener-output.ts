import type { OutputTransport } from '../live/flow-spec.ts';
import type { LegEventListener, OutputLeg, OutputStatistics } from '../live/leg.ts';
import { REJECT } from './reject-codes.ts';
import type { SendingRole } from './roles.ts';
import type { KeyRefresh } from './sending-keys.ts';
import { SendingSide } from './sending-side.ts';
import { SrtListener } from './srt-listener.ts';

const MOST_TAKERS = 16;

/** Gives the stream to all that call. */
export class SrtListenerOutput implements OutputLeg {
  readonly #side: SendingSide;
  readonly #listener: SrtListener<SendingRole>;

  constructor(
    transport: OutputTransport & { protocol: 'srt-listener' },
    onEvent: LegEventListener,
    refresh?: KeyRefresh,
  ) {
    this.#side = new SendingSide(onEvent, refresh);
    this.#listener = new SrtListener({
      ...this.#side.callbacks,
      transport,
      most: MOST_TAKERS,
      whenFull: { code: REJECT.overload, reason: `already has ${MOST_TAKERS} takers` },
    });
  }

  open(): Promise<void> {
    return this.#listener.open();
  }

  close(): Promise<void> {
    return this.#listener.close();
  }

  get port(): number | undefined {
    return this.#listener.port;
  }

  send(payload: Buffer): void {
    this.#side.send(payload);
  }

  statistics(): OutputStatistics {
    return this.#side.statistics(this.#listener.refused);
  }
}
