import { randomInt } from 'node:crypto';
import type { RemoteInfo, Socket } from 'node:dgram';
import { AllowedAddresses } from '../live/allowed-addresses.ts';
import { closeDatagramSocket, openDatagramSocket } from '../live/datagram-socket.ts';
import type { ListenAddress, SrtSettings } from '../live/flow-spec.ts';
import type { LegEventListener } from '../live/leg.ts';
import { type Agreement, answerConclusion, type Refusal } from './answer-conclusion.ts';
import { type ConnectionRole, SrtConnection } from './connection.ts';
import { Cookies } from './cookie.ts';
import { type HandshakePacket, readHandshake, REQUEST, SRT_MAGIC, writeHandshake } from './handshake.ts';
import { FLIGHT_WINDOW, liveHello, LONGEST_IP_PACKET } from './live-settings.ts';
import type { ConnectionFacts, Opened } from './make-role.ts';
import { destinationOf, HEADER_BYTES, timestampAt } from './packet.ts';
import { peerName, transmitTo } from './peer-socket.ts';
import { RefusalLog } from './refusal-log.ts';
import { everyTick } from './ticker.ts';

/** Conclusions a second whose key is tried: each derivation takes a millisecond. */
const DERIVATIONS_A_SECOND = 50;

interface Accepted<Role> {
  readonly connection: SrtConnection;
  readonly role: Role;
  readonly address: string;
  readonly port: number;
  readonly peerSocketId: number;
  /** Sent again to a caller that asks again. */
  readonly answer: Buffer;
}

export interface ListenerSettings<Role> {
  readonly transport: ListenAddress & SrtSettings;
  /** Connections at a time, and what further callers are told. */
  readonly most: number;
  readonly whenFull: Refusal;
  readonly open: (facts: ConnectionFacts) => Opened<Role>;
  readonly onEvent: LegEventListener;
  /** Called when a connection has ended, with what served it. */
  readonly onEnd: (role: Role) => void;
}

/** One UDP socket that callers reach, and their connections. */
export class SrtListener<Role extends ConnectionRole> {
  readonly #settings: ListenerSettings<Role>;
  readonly #allowed: AllowedAddresses;
  readonly #cookies = new Cookies();
  readonly #refusals: RefusalLog;
  /** By our socket id. */
  readonly #accepted = new Map<number, Accepted<Role>>();
  #socket: Socket | undefined;
  #stopTicking: (() => void) | undefined;
  #derivations = { second: 0, count: 0 };

  constructor(settings: ListenerSettings<Role>) {
    this.#settings = settings;
    this.#allowed = new AllowedAddresses(settings.transport.allowed);
    this.#refusals = new RefusalLog(settings.onEvent);
  }

  /** @throws LegError */
  async open(): Promise<void> {
    const { address, port } = this.#settings.transport;
    const socket = await openDatagramSocket(address, port);
    socket.on('message', (packet, from) => this.#receive(packet, from));
    this.#socket = socket;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    const now = performance.now();
    for (const { connection, role } of this.#accepted.values()) {
      connection.close(now);
      this.#settings.onEnd(role);
    }
    this.#accepted.clear();
    this.#stopTicking?.();
    this.#socket = undefined;
    await closeDatagramSocket(socket);
  }

  get port(): number | undefined {
    return this.#socket?.address().port;
  }

  /** Datagrams from addresses that are not allowed. */
  get refused(): number {
    return this.#refusals.strangers;
  }

  get size(): number {
    return this.#accepted.size;
  }

  roles(): Role[] {
    return [...this.#accepted.values()].map(({ role }) => role);
  }

  #receive(packet: Buffer, from: RemoteInfo): void {
    const now = performance.now();
    if (!this.#allowed.has(from.address)) {
      this.#refusals.stranger(from.address, peerName(from.address, from.port), now);
      return;
    }
    if (packet.length < HEADER_BYTES) return;
    const destination = destinationOf(packet);
    if (destination === 0) {
      this.#shakeHands(packet, from, now);
      return;
    }
    const accepted = this.#accepted.get(destination);
    if (accepted?.port === from.port && accepted.address === from.address) accepted.connection.receive(packet, now);
  }

  #shakeHands(packet: Buffer, from: RemoteInfo, now: number): void {
    const asked = readHandshake(packet);
    if (asked === undefined) return;
    const peer = peerName(from.address, from.port);
    if (asked.request === REQUEST.induction) this.#induce(asked, from, this.#cookies.make(peer, now));
    else if (asked.request === REQUEST.conclusion && this.#cookies.isGood(asked.cookie, peer, now)) {
      this.#conclude(asked, from, now);
    }
  }

  #induce(asked: HandshakePacket, from: RemoteInfo, cookie: number): void {
    // A caller that has no length of its own takes this one; 0 leaves it to the caller.
    const keyBytes = this.#settings.transport.encryption?.keyBytes ?? 0;
    const answer = {
      ...asked,
      timestamp: 0,
      destination: asked.socketId,
      version: 5,
      keyBytes,
      flags: SRT_MAGIC,
      cookie,
    };
    this.#socket?.send(writeHandshake(answer, from.address), from.port, from.address);
  }

  #conclude(asked: HandshakePacket, from: RemoteInfo, now: number): void {
    const { most, whenFull, transport } = this.#settings;
    for (const known of this.#accepted.values()) {
      if (known.peerSocketId !== asked.socketId || known.port !== from.port || known.address !== from.address) continue;
      this.#socket?.send(known.answer, from.port, from.address);
      return;
    }
    const forsaken = this.#accepted.size < most ? undefined : this.#forsaken(now);
    if (this.#accepted.size >= most && forsaken === undefined) {
      this.#refuse(asked, from, whenFull, now);
      return;
    }
    if (asked.keyMessage !== undefined && this.#isFlooded(now)) return;
    const agreed = answerConclusion(asked, transport);
    if (agreed.refusal === undefined) {
      // INVARIANT: nobody gives way but to a peer that knows the passphrase.
      forsaken?.giveWay(now);
      this.#accept(asked, agreed, from, now);
    } else this.#refuse(asked, from, agreed.refusal, now);
  }

  /** A connection whose peer was killed, most likely, and not yet given up. */
  #forsaken(now: number): SrtConnection | undefined {
    for (const { connection } of this.#accepted.values()) if (connection.isForsaken(now)) return connection;
    return undefined;
  }

  #refuse(asked: HandshakePacket, from: RemoteInfo, { code, reason }: Refusal, now: number): void {
    const answer = { ...asked, timestamp: 0, destination: asked.socketId, version: 5, request: code, flags: 0 };
    this.#socket?.send(writeHandshake(answer, from.address), from.port, from.address);
    this.#refusals.refused(from.address, peerName(from.address, from.port), reason, now);
  }

  #accept(asked: HandshakePacket, agreed: Agreement, { address, port }: RemoteInfo, now: number): void {
    const { transport, open, onEvent, onEnd } = this.#settings;
    const socket = this.#socket as Socket;
    const socketId = this.#freeSocketId();
    const peer = peerName(address, port);
    const startedAt = now;
    const { role, outlet } = open({
      ...agreed,
      transmit: transmitTo(socket, address, port),
      destination: asked.socketId,
      startedAt,
      now,
      timestamp: asked.timestamp,
      ownSequence: asked.initialSequence,
      peerSequence: asked.initialSequence,
      flightWindow: asked.flightWindow,
      encryption: transport.encryption,
      isOwnKey: false,
    });
    const answer = writeHandshake(
      {
        ...asked,
        timestamp: timestampAt(now, startedAt),
        destination: asked.socketId,
        version: 5,
        socketId,
        longestPacket: Math.min(asked.longestPacket, LONGEST_IP_PACKET),
        flightWindow: FLIGHT_WINDOW,
      },
      address,
      {
        isResponse: true,
        hello: liveHello(agreed.receiverLatencyMs, agreed.senderLatencyMs),
        ...(asked.keyMessage && { keyMessage: asked.keyMessage }),
      },
    );
    const end = (reason: string): void => {
      this.#accepted.delete(socketId);
      if (this.#accepted.size === 0) this.#stopTicking?.();
      onEnd(role);
      onEvent({ kind: 'disconnected', peer, reason });
    };
    const connection = new SrtConnection(peer, outlet, role, end, now);
    this.#accepted.set(socketId, { connection, role, address, port, peerSocketId: asked.socketId, answer });
    if (this.#accepted.size === 1) this.#stopTicking = everyTick((time) => this.#tick(time));
    socket.send(answer, port, address);
    onEvent({ kind: 'connected', peer });
  }

  #tick(now: number): void {
    for (const { connection } of this.#accepted.values()) connection.tick(now);
  }

  #isFlooded(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (this.#derivations.second !== second) this.#derivations = { second, count: 0 };
    return ++this.#derivations.count > DERIVATIONS_A_SECOND;
  }

  /** Not to be guessed, so that others cannot speak for a peer. */
  #freeSocketId(): number {
    let id = 0;
    while (id === 0 || this.#accepted.has(id)) id = randomInt(1, 2 ** 30);
    return id;
  }
}
