import type { LegEvent, LegEventListener, OutputStatistics } from '../live/leg.ts';
import { type ConnectionFacts, type Opened, openSending } from './make-role.ts';
import type { SendingRole } from './roles.ts';
import { DEFAULT_REFRESH, type KeyRefresh } from './sending-keys.ts';

/** What the two SRT outputs have in common: takers that come and go, one stream and its counters. */
export class SendingSide {
  readonly #onEvent: LegEventListener;
  readonly #refresh: KeyRefresh;
  readonly #takers = new Set<SendingRole>();
  /** Of connections that are over, and what was sent while there was no taker. */
  readonly #past = { bytes: 0, packets: 0, dropped: 0, retransmitted: 0 };
  #disconnections = 0;
  #peer: string | undefined;

  constructor(onEvent: LegEventListener, refresh: KeyRefresh = DEFAULT_REFRESH) {
    this.#onEvent = onEvent;
    this.#refresh = refresh;
  }

  readonly #open = (facts: ConnectionFacts): Opened<SendingRole> => {
    const opened = openSending(facts, this.#refresh);
    this.#takers.add(opened.role);
    return opened;
  };

  readonly #watch = (event: LegEvent): void => {
    if (event.kind === 'connected') this.#peer = event.peer;
    if (event.kind === 'disconnected') this.#disconnections++;
    this.#onEvent(event);
  };

  readonly #end = (role: SendingRole): void => {
    this.#takers.delete(role);
    addCounters(this.#past, role);
    this.#past.dropped += role.sender.unsent;
  };

  /** For the listener or caller that makes the connections. */
  readonly callbacks = { open: this.#open, onEvent: this.#watch, onEnd: this.#end };

  send(payload: Buffer): void {
    if (this.#takers.size === 0) {
      this.#past.dropped++;
      return;
    }
    const now = performance.now();
    for (const { sender } of this.#takers) sender.push(payload, now);
  }

  /** Of all takers together; round trip and key are those of the one that is there longest. */
  statistics(refused: number): OutputStatistics {
    const total = { ...this.#past };
    for (const taker of this.#takers) addCounters(total, taker);
    const [first] = this.#takers;
    return {
      ...total,
      fecPackets: 0,
      refused,
      roundTripMs: first?.roundTrip.isMeasured === true ? first.roundTrip.mean : undefined,
      isConnected: first !== undefined,
      disconnections: this.#disconnections,
      peer: this.#peer,
      ...(first !== undefined && { keyBytes: first.keys?.keyBytes ?? 0 }),
    };
  }
}

type Counters = SendingRole['sender']['counters'];

function addCounters(total: Counters, { sender: { counters } }: SendingRole): void {
  total.bytes += counters.bytes;
  total.packets += counters.packets;
  total.dropped += counters.dropped;
  total.retransmitted += counters.retransmitted;
}
