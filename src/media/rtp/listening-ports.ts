import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { AllowedAddresses } from '../live/allowed-addresses.ts';
import { closeDatagramSocket } from '../live/datagram-socket.ts';
import type { ListenAddress } from '../live/flow-spec.ts';
import type { LegEventListener, SourceStatistics } from '../live/leg.ts';
import { Alarm } from './alarm.ts';
import { openPortGroup } from './port-group.ts';

/** Milliseconds of silence after which a sender counts as gone. */
const SILENCE_MS = 1000;
/** Milliseconds between two events that tell of datagrams from addresses that are not allowed. */
const REFUSAL_EVENT_MS = 10_000;

export interface ListeningPortsOptions {
  readonly listen: ListenAddress;
  /** From the port to its companions. */
  readonly offsets?: readonly number[];
  /** Whether a port that the system chooses must be even. */
  readonly isEven?: boolean;
  readonly onEvent: LegEventListener;
  /** @param index 0 for the port itself, then its companions' */
  readonly onDatagram: (datagram: Buffer, from: RemoteInfo, index: number, now: number) => void;
  /** Called at times that were asked for with `wakeAt`, and at others. */
  readonly onTick?: (now: number) => void;
}

/**
 * A port that waits for senders, with its companions. Datagrams of addresses that are not allowed are dropped before
 * anything is read of them. It owns the leg's one timer.
 */
export class ListeningPorts {
  readonly #options: ListeningPortsOptions;
  readonly #allowed: AllowedAddresses;
  readonly #alarm: Alarm;
  #sockets: readonly Socket[] = [];
  #refused = 0;
  #refusalToldAt = Number.NEGATIVE_INFINITY;
  #from: RemoteInfo | undefined;
  #heardAt = 0;
  #isConnected = false;
  #disconnections = 0;

  constructor(options: ListeningPortsOptions) {
    this.#options = options;
    this.#allowed = new AllowedAddresses(options.listen.allowed);
    this.#alarm = new Alarm((now) => this.#tick(now));
  }

  /** The port that is bound; `undefined` while none is. */
  get port(): number | undefined {
    return this.#sockets[0]?.address().port;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** @throws LegError */
  async open(): Promise<void> {
    const { listen, offsets = [], isEven = false } = this.#options;
    this.#sockets = await openPortGroup(listen.address, listen.port, offsets, isEven);
    this.#sockets.forEach((socket, index) => {
      socket.on('message', (datagram, from) => this.#receive(datagram, from, index));
    });
  }

  async close(): Promise<void> {
    this.#alarm.stop();
    const sockets = this.#sockets;
    this.#sockets = [];
    for (const socket of sockets) socket.removeAllListeners('message');
    await Promise.all(sockets.map(closeDatagramSocket));
    this.#alarm.stop();
  }

  /** Tells that a datagram was one of the leg's own protocol: its sender is connected, for a second at least. */
  heard(from: RemoteInfo, now: number): void {
    this.#from = from;
    this.#heardAt = now;
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#alarm.setFor(now + SILENCE_MS);
    this.#options.onEvent({ kind: 'connected', peer: nameOf(from) });
  }

  /** @param time by `performance.now()`; infinity asks for nothing */
  wakeAt(time: number): void {
    if (this.#sockets.length > 0) this.#alarm.setFor(time);
  }

  /** Answers a sender: never waits, and what cannot be sent is lost. */
  send(index: number, datagram: Buffer, port: number, address: string): void {
    this.#sockets[index]?.send(datagram, port, address);
  }

  statistics(): Pick<SourceStatistics, 'refused' | 'isConnected' | 'disconnections' | 'peer'> {
    return {
      refused: this.#refused,
      isConnected: this.#isConnected,
      disconnections: this.#disconnections,
      peer: this.#from && nameOf(this.#from),
    };
  }

  #receive(datagram: Buffer, from: RemoteInfo, index: number): void {
    const now = performance.now();
    // INVARIANT: nothing of a datagram is looked at before its sender is known to be allowed.
    if (this.#allowed.has(from.address)) this.#options.onDatagram(datagram, from, index, now);
    else this.#refuse(from, now);
  }

  #refuse(from: RemoteInfo, now: number): void {
    this.#refused++;
    if (now - this.#refusalToldAt < REFUSAL_EVENT_MS) return;
    this.#refusalToldAt = now;
    this.#options.onEvent({ kind: 'refused', peer: nameOf(from), reason: 'the address is not allowed' });
  }

  #tick(now: number): void {
    if (this.#isConnected && this.#from !== undefined) {
      if (now - this.#heardAt < SILENCE_MS) this.#alarm.setFor(this.#heardAt + SILENCE_MS);
      else {
        this.#isConnected = false;
        this.#disconnections++;
        const reason = 'nothing came for a second';
        this.#options.onEvent({ kind: 'disconnected', peer: nameOf(this.#from), reason });
      }
    }
    this.#options.onTick?.(now);
  }
}

export function nameOf({ address, port }: Pick<RemoteInfo, 'address' | 'port'>): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
