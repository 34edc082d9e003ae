import type { Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { closeDatagramSocket, openDatagramSocket } from '../live/datagram-socket.ts';
import type { DialAddress, SrtSettings } from '../live/flow-spec.ts';
import type { LegEventListener } from '../live/leg.ts';
import { CallerHandshake, type HandshakeOutcome } from './caller-handshake.ts';
import { type ConnectionRole, SrtConnection } from './connection.ts';
import type { ConnectionFacts, Opened } from './make-role.ts';
import { destinationOf, HEADER_BYTES } from './packet.ts';
import { peerName, transmitConnected } from './peer-socket.ts';
import { RefusalLog } from './refusal-log.ts';
import { everyTick } from './ticker.ts';

/** Milliseconds between the same request, and until a peer is taken to be absent. */
const REPEAT = 250;
const PATIENCE = 3000;
/** Milliseconds before dialling anew: the first time, and at most. */
const SHORTEST_PAUSE = 500;
const LONGEST_PAUSE = 2000;

export interface CallerSettings<Role> {
  readonly transport: DialAddress & SrtSettings;
  readonly open: (facts: ConnectionFacts) => Opened<Role>;
  readonly onEvent: LegEventListener;
  /** Called when a connection has ended, with what served it. */
  readonly onEnd: (role: Role) => void;
}

/** Dials a listener for as long as it is open, whatever becomes of its connections. */
export class SrtCaller<Role extends ConnectionRole> {
  readonly #settings: CallerSettings<Role>;
  readonly #refusals: RefusalLog;
  #socket: Socket | undefined;
  #live: { readonly connection: SrtConnection; readonly role: Role } | undefined;
  #isOpen = false;
  #pause = SHORTEST_PAUSE;
  #timer: NodeJS.Timeout | undefined;
  #stopTicking: (() => void) | undefined;

  constructor(settings: CallerSettings<Role>) {
    this.#settings = settings;
    this.#refusals = new RefusalLog(settings.onEvent);
  }

  get role(): Role | undefined {
    return this.#live?.role;
  }

  open(): void {
    this.#isOpen = true;
    void this.#dial();
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    await this.#leave();
  }

  /** Never throws: what cannot be reached is dialled again. */
  async #dial(): Promise<void> {
    const { host, port } = this.#settings.transport;
    const name = peerName(host, port);
    try {
      const { address, family } = await lookup(host);
      if (!this.#isOpen) return;
      const socket = await openDatagramSocket(family === 6 ? '::' : '0.0.0.0', 0);
      this.#socket = socket;
      await connectSocket(socket, port, address);
      if (this.#isOpen) this.#shakeHands(socket, address);
      else await this.#leave();
    } catch (error) {
      this.#failed(`cannot be dialled: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`, name, host);
    }
  }

  #shakeHands(socket: Socket, address: string): void {
    const { transport } = this.#settings;
    const peer = peerName(address, transport.port);
    const startedAt = performance.now();
    const handshake = new CallerHandshake(transport, address, startedAt);
    const ask = (): void => {
      const now = performance.now();
      if (now - startedAt >= PATIENCE) this.#failed('does not answer', peer, address);
      else {
        socket.send(handshake.request(now));
        this.#timer = setTimeout(ask, REPEAT);
      }
    };
    const listen = (packet: Buffer): void => {
      const outcome = handshake.receive(packet);
      if (outcome.kind === 'refused') this.#failed(outcome.reason, peer, address);
      else if (outcome.kind === 'connected') {
        socket.off('message', listen);
        this.#connect(socket, handshake, outcome, peer, startedAt);
      } else if (outcome.kind === 'continue') {
        clearTimeout(this.#timer);
        ask();
      }
    };
    socket.on('message', listen);
    ask();
  }

  #connect(
    socket: Socket,
    { socketId, initialSequence, key }: CallerHandshake,
    outcome: HandshakeOutcome & { kind: 'connected' },
    peer: string,
    startedAt: number,
  ): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const { answer } = outcome;
    const { role, outlet } = this.#settings.open({
      ...outcome,
      transmit: transmitConnected(socket),
      destination: answer.socketId,
      startedAt,
      now,
      timestamp: answer.timestamp,
      ownSequence: initialSequence,
      peerSequence: answer.initialSequence,
      flightWindow: answer.flightWindow,
      encryption: this.#settings.transport.encryption,
      key,
      isOwnKey: true,
    });
    const connection = new SrtConnection(peer, outlet, role, (reason) => this.#lost(peer, reason), now);
    this.#live = { connection, role };
    this.#pause = SHORTEST_PAUSE;
    socket.on('message', (packet: Buffer) => {
      if (packet.length >= HEADER_BYTES && destinationOf(packet) === socketId) {
        connection.receive(packet, performance.now());
      }
    });
    this.#stopTicking = everyTick((time) => connection.tick(time));
    this.#settings.onEvent({ kind: 'connected', peer });
  }

  #lost(peer: string, reason: string): void {
    void this.#leave();
    this.#settings.onEvent({ kind: 'disconnected', peer, reason });
    this.#dialLater();
  }

  #failed(reason: string, peer: string, address: string): void {
    void this.#leave();
    if (!this.#isOpen) return;
    this.#refusals.refused(address, peer, reason, performance.now());
    this.#dialLater();
  }

  #dialLater(): void {
    if (!this.#isOpen) return;
    this.#timer = setTimeout(() => {
      void this.#dial();
    }, this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  /** Lets the present connection or attempt go. */
  async #leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopTicking?.();
    this.#stopTicking = undefined;
    const live = this.#live;
    this.#live = undefined;
    live?.connection.close(performance.now());
    if (live !== undefined) this.#settings.onEnd(live.role);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.removeAllListeners('message');
    await closeDatagramSocket(socket);
  }
}

/** From then on the kernel passes on only what the peer sends. */
function connectSocket(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.connect(port, address, (error?: Error) => {
      if (error == null) resolve();
      else reject(error);
    });
  });
}
