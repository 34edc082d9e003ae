import type { Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { closeDatagramSocket, openDatagramSocket } from '../live/datagram-socket.ts';
import type { DialAddress } from '../live/flow-spec.ts';
import type { LegEventListener, OutputStatistics } from '../live/leg.ts';
import { nameOf } from './listening-ports.ts';

/** Milliseconds after which a host name is looked up again: as long as it is known, and where that failed. */
const REFRESH_MS = 30_000;
const RETRY_MS = 2000;

/** Datagrams that may wait for the system to take them; it is asked once for so many. */
const LONGEST_QUEUE = 32;
const ASKED_EACH = 16;

/** A datagram that was given to be sent may be used again after so many others were. */
export const DATAGRAMS_IN_FLIGHT = LONGEST_QUEUE + 2 * ASKED_EACH;

export interface DialedPortsOptions {
  readonly to: DialAddress;
  /** From the taker's port to the ports that are sent to; the first is 0. */
  readonly offsets: readonly number[];
  readonly onEvent: LegEventListener;
  readonly onDatagram?: (datagram: Buffer, index: number) => void;
}

/**
 * Sockets that are connected to one taker's ports, for as long as they are open: its name is looked up again and again.
 * The system drops what others send to them. What cannot be sent is dropped, and counted.
 */
export class DialedPorts {
  /** Datagrams that were not sent: the taker is unknown or refuses them, or the system's queue is full. */
  dropped = 0;

  readonly #options: DialedPortsOptions;
  #sockets: readonly Socket[] = [];
  #address: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #hasFailed = false;
  #failures = 0;
  #sinceAsked = 0;
  #isQueueFull = false;

  constructor(options: DialedPortsOptions) {
    this.#options = options;
  }

  /** An address is dialled before this returns, a name later. */
  async open(): Promise<void> {
    this.#isOpen = true;
    const dialled = this.#dial();
    if (isIP(this.#options.to.host) !== 0) await dialled;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    const sockets = this.#sockets;
    this.#sockets = [];
    await Promise.all(sockets.map(closeDatagramSocket));
  }

  get isReady(): boolean {
    return this.#sockets.length > 0;
  }

  /**
   * @param index of the port among `offsets`
   * @param datagram not to be changed before `DATAGRAMS_IN_FLIGHT` others were sent
   * @returns whether it was given to the system
   */
  send(index: number, datagram: Buffer): boolean {
    const socket = this.#sockets[index];
    if (socket === undefined || !this.#hasRoom(socket)) {
      this.dropped++;
      return false;
    }
    socket.send(datagram);
    return true;
  }

  statistics(): Pick<OutputStatistics, 'refused' | 'isConnected' | 'disconnections' | 'peer'> {
    const address = this.#address;
    return {
      refused: 0,
      isConnected: this.isReady,
      disconnections: this.#failures,
      peer: address === undefined ? undefined : nameOf({ address, port: this.#options.to.port }),
    };
  }

  #hasRoom(socket: Socket): boolean {
    if (++this.#sinceAsked >= ASKED_EACH || this.#isQueueFull) {
      this.#sinceAsked = 0;
      this.#isQueueFull = socket.getSendQueueCount() > LONGEST_QUEUE;
    }
    return !this.#isQueueFull;
  }

  async #dial(): Promise<void> {
    const { host } = this.#options.to;
    const isName = isIP(host) === 0;
    try {
      const address = isName ? (await lookup(host)).address : host;
      if (address !== this.#address || !this.isReady) await this.#connect(address);
      if (this.#isOpen && isName) this.#timer = setTimeout(() => void this.#dial(), REFRESH_MS);
      this.#tellReady();
    } catch (error) {
      if (!this.#isOpen) return;
      this.#timer = setTimeout(() => void this.#dial(), RETRY_MS);
      this.#tellFailure(error);
    }
  }

  async #connect(address: string): Promise<void> {
    const { to, offsets, onDatagram } = this.#options;
    const sockets: Socket[] = [];
    try {
      for (const [index, offset] of offsets.entries()) {
        const socket = await openDatagramSocket(isIP(address) === 6 ? '::' : '0.0.0.0', 0);
        sockets.push(socket);
        await connect(socket, to.port + offset, address);
        socket.on('error', () => void this.dropped++);
        if (onDatagram !== undefined) socket.on('message', (datagram) => onDatagram(datagram, index));
      }
    } catch (error) {
      await Promise.all(sockets.map(closeDatagramSocket));
      throw error;
    }
    const former = this.#isOpen ? this.#sockets : sockets;
    if (this.#isOpen) {
      this.#sockets = sockets;
      this.#address = address;
    }
    await Promise.all(former.map(closeDatagramSocket));
  }

  #tellReady(): void {
    if (!this.#hasFailed || !this.#isOpen) return;
    this.#hasFailed = false;
    this.#options.onEvent({ kind: 'connected', peer: this.statistics().peer ?? '' });
  }

  /** Once for each time that the taker cannot be found; the address that was known before is used on. */
  #tellFailure(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#failures++;
    const { host, port } = this.#options.to;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const reason = `the taker's address cannot be found or used (${code})`;
    this.#options.onEvent({ kind: 'disconnected', peer: nameOf({ address: host, port }), reason });
  }
}

function connect(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.connect(port, address, ((error?: Error) => (error ? reject(error) : resolve())) as () => void);
  });
}
