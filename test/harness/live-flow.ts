import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { FlowSpec, OutputSpec, SourceSpec } from '#media/live/flow-spec.ts';

export const HERE = { address: '127.0.0.1', allowed: ['127.0.0.1/32'] } as const;

/** A flow's specification, with what most tests do not care about. */
export function flowSpec(parts: Pick<FlowSpec, 'sources' | 'outputs'> & Partial<FlowSpec>): FlowSpec {
  return { id: 'arn:aws:mediaconnect:us-east-1:123456789012:flow:1-a-b:test', keepsKeyFrame: false, ...parts };
}

export function udpSource(id: string, port: number): SourceSpec {
  return { id, name: id, transport: { protocol: 'udp', ...HERE, port } };
}

export function udpOutput(id: string, port: number): OutputSpec {
  return { id, name: id, transport: { protocol: 'udp', host: '127.0.0.1', port, smoothingMs: 0 } };
}

/** Takes datagrams on a port of 127.0.0.1. */
export class UdpTaker implements AsyncDisposable {
  readonly datagrams: Buffer[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (datagram) => this.datagrams.push(datagram));
  }

  static async open(port = 0): Promise<UdpTaker> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 ** 2 });
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return new UdpTaker(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.datagrams);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

/** Sends datagrams to a port of 127.0.0.1. */
export class UdpSender implements AsyncDisposable {
  readonly #socket = createSocket('udp4');
  #sequence = 0;

  send(port: number, payload: Buffer): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#socket.send(payload, port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error))),
    );
  }

  /** The bytes in datagrams of 1316, as RTP where `isRtp`; those for whose index `isSent` is false stay out. */
  async feed(
    port: number,
    bytes: Buffer,
    options: { readonly everyMs?: number; readonly isRtp?: boolean; readonly isSent?: (index: number) => boolean } = {},
  ): Promise<void> {
    const { everyMs = 1, isRtp = false, isSent = () => true } = options;
    for (let at = 0, index = 0; at < bytes.length; at += 1316, index++) {
      const payload = bytes.subarray(at, at + 1316);
      const head = isRtp ? this.#rtpHead() : Buffer.alloc(0);
      if (isSent(index)) await this.send(port, Buffer.concat([head, payload]));
      if (index % 10 === 9) await delay(everyMs * 10);
    }
  }

  #rtpHead(): Buffer {
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0x8021, 0);
    head.writeUInt16BE(this.#sequence, 2);
    head.writeUInt32BE(this.#sequence * 900, 4);
    head.writeUInt32BE(0x1234_5678, 8);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return head;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

/** Packets of a transport stream that has nothing in it but numbers. */
export function numberedPackets(count: number): Buffer {
  const bytes = Buffer.alloc(count * 188, 0x5a);
  for (let index = 0; index < count; index++) {
    bytes.writeUInt32BE(0x4701_0010 | (index & 0x0f), index * 188);
    bytes.writeUInt32BE(index, index * 188 + 4);
  }
  return bytes;
}
