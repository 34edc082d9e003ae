import { CountedSink, NOTHING_RECOVERED } from '../live/counted-sink.ts';
import type { LegEvent, LegEventListener, PacketSink, SourceStatistics } from '../live/leg.ts';
import { type ConnectionFacts, type Opened, openReceiving } from './make-role.ts';
import type { ReceivingRole } from './roles.ts';
import type { ReceiverCounters } from './receiver.ts';
import { everyTick } from './ticker.ts';

/** What the two SRT sources have in common: connections that come and go, one stream and its counters. */
export class ReceivingSide {
  readonly #sink: CountedSink;
  readonly #onEvent: LegEventListener;
  /** Of connections that are over. */
  readonly #past: ReceiverCounters = { arqRequests: 0, arqRecovered: 0, lost: 0, dropped: 0, overflow: 0 };
  #disconnections = 0;
  #peer: string | undefined;
  /** Ended connections whose last packets are not due yet. */
  readonly #draining = new Map<ReceivingRole, () => void>();

  constructor(sink: PacketSink, onEvent: LegEventListener) {
    this.#sink = new CountedSink(sink);
    this.#onEvent = onEvent;
  }

  readonly #deliver = (payload: Buffer): void => this.#sink.packet(payload);

  readonly #open = (facts: ConnectionFacts): Opened<ReceivingRole> => openReceiving(facts, this.#deliver);

  readonly #watch = (event: LegEvent): void => {
    if (event.kind === 'connected') this.#peer = event.peer;
    if (event.kind === 'disconnected') this.#disconnections++;
    this.#onEvent(event);
  };

  /** A connection is over: what it has received is still given out in time. */
  readonly #end = (role: ReceivingRole): void => {
    const stop = everyTick((now) => {
      role.receiver.release(now);
      if (!role.receiver.isWaiting) this.#drained(role);
    });
    this.#draining.set(role, stop);
  };

  /** For the listener or caller that makes the connections. */
  readonly callbacks = { open: this.#open, onEvent: this.#watch, onEnd: this.#end };

  close(): void {
    for (const role of this.#draining.keys()) this.#drained(role);
  }

  statistics(live: ReceivingRole | undefined, refused: number): SourceStatistics {
    const { arqRequests, arqRecovered, lost, dropped, overflow } = this.#total(live);
    return {
      ...NOTHING_RECOVERED,
      ...this.#sink.statistics(),
      recovered: arqRecovered,
      lost,
      dropped,
      overflow,
      arqRequests,
      arqRecovered,
      refused,
      roundTripMs: live?.roundTrip.isMeasured === true ? live.roundTrip.mean : undefined,
      jitterMs: live?.clock.jitter,
      isConnected: live !== undefined,
      disconnections: this.#disconnections,
      peer: this.#peer,
      ...(live !== undefined && { keyBytes: live.keys?.keyBytes ?? 0 }),
    };
  }

  #drained(role: ReceivingRole): void {
    this.#draining.get(role)?.();
    this.#draining.delete(role);
    addCounters(this.#past, role.receiver.counters);
  }

  #total(live: ReceivingRole | undefined): ReceiverCounters {
    const total = { ...this.#past };
    for (const { receiver } of this.#draining.keys()) addCounters(total, receiver.counters);
    if (live !== undefined) addCounters(total, live.receiver.counters);
    return total;
  }
}

function addCounters(total: ReceiverCounters, more: ReceiverCounters): void {
  total.arqRequests += more.arqRequests;
  total.arqRecovered += more.arqRecovered;
  total.lost += more.lost;
  total.dropped += more.dropped;
  total.overflow += more.overflow;
}
