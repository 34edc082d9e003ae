import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Frame } from '#media/matroska/read-frames.ts';

export interface CameraFacts {
  /** An AVC configuration, and its track's frames in decoding order. */
  readonly codecPrivate: Buffer;
  readonly frames: readonly Frame[];
  readonly user: string;
  readonly password: string;
}

const PAYLOAD_TYPE = 96;
const LONGEST_PACKET = 1400;
const CLOCK = 90;
const ROUND_MS = 400;
/** RTP's clock begins anywhere. */
const FIRST_TIME = 123_456_789;
const FRAGMENTATION_UNIT = 28;

/**
 * A camera on the network: RTSP over one TCP connection, H.264 in RTP. It asks for a password, and sends its film again
 * and again, faster than it was taken, until the viewer goes away.
 */
export class RtspCamera {
  readonly #facts: CameraFacts;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(facts: CameraFacts) {
    this.#facts = facts;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      this.#serve(socket);
    });
  }

  static async start(facts: CameraFacts): Promise<RtspCamera> {
    const camera = new RtspCamera(facts);
    camera.#server.listen(0, '127.0.0.1');
    await once(camera.#server, 'listening');
    return camera;
  }

  /** With user and password. */
  get address(): string {
    const { user, password } = this.#facts;
    return `rtsp://${user}:${password}@127.0.0.1:${(this.#server.address() as AddressInfo).port}/stream`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (data: Buffer) => {
      received = Buffer.concat([received, data]);
      // Receivers' reports come between the requests: they are passed over.
      while (received[0] === 0x24 && received.length >= 4 && received.length >= 4 + received.readUInt16BE(2)) {
        received = received.subarray(4 + received.readUInt16BE(2));
      }
      const end = received.indexOf('\r\n\r\n');
      if (end < 0 || received[0] === 0x24) return;
      const request = received.subarray(0, end).toString('latin1');
      received = received.subarray(end + 4);
      this.#answer(socket, request);
    });
  }

  #answer(socket: Socket, request: string): void {
    const [method = ''] = request.split(' ');
    const sequence = /^CSeq: *(\d+)/im.exec(request)?.[1] ?? '0';
    const reply = (status: string, headers: readonly string[] = [], body = ''): void => {
      const length = body === '' ? [] : [`Content-Length: ${body.length}`];
      const lines = [`RTSP/1.0 ${status}`, `CSeq: ${sequence}`, ...headers, ...length];
      socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    };
    const { user, password } = this.#facts;
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    switch (method) {
      case 'OPTIONS':
        return reply('200 OK', ['Public: DESCRIBE, SETUP, PLAY, TEARDOWN']);
      case 'DESCRIBE':
        if (!request.includes(expected)) return reply('401 Unauthorized', ['WWW-Authenticate: Basic realm="camera"']);
        return reply('200 OK', ['Content-Type: application/sdp'], this.#description());
      case 'SETUP':
        return reply('200 OK', ['Transport: RTP/AVP/TCP;unicast;interleaved=0-1', 'Session: 1']);
      case 'PLAY':
        reply('200 OK', ['Session: 1', 'Range: npt=0.000-']);
        return this.#play(socket);
      default:
        return reply('200 OK', ['Session: 1']);
    }
  }

  #description(): string {
    const units = parameterSets(this.#facts.codecPrivate).map((unit) => unit.toString('base64'));
    const lines = [
      'v=0',
      'o=- 0 0 IN IP4 127.0.0.1',
      's=camera',
      't=0 0',
      `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
      'c=IN IP4 0.0.0.0',
      `a=rtpmap:${PAYLOAD_TYPE} H264/90000`,
      `a=fmtp:${PAYLOAD_TYPE} packetization-mode=1;sprop-parameter-sets=${units.join(',')}`,
      'a=control:track1',
    ];
    return `${lines.join('\r\n')}\r\n`;
  }

  #play(socket: Socket): void {
    const { frames } = this.#facts;
    const times = frames.map(({ timecodeMs }) => timecodeMs);
    const lengthMs = Math.round((Math.max(...times) * frames.length) / (frames.length - 1));
    let round = 0;
    let sequence = 1;
    const playOnce = (): void => {
      for (const { payload, timecodeMs } of frames) {
        const time = FIRST_TIME + Math.round((timecodeMs + round * lengthMs) * CLOCK);
        const packets = packetsOf(payload);
        for (const [index, packet] of packets.entries()) {
          const isLast = index === packets.length - 1;
          socket.write(Buffer.concat([rtpHead(packet.length, sequence++, time, isLast), packet]));
        }
      }
      round += 1;
    };
    playOnce();
    const timer = setInterval(playOnce, ROUND_MS);
    socket.on('close', () => clearInterval(timer));
  }
}

/** The head of an RTP packet, and the four bytes that say that it comes within the connection. */
function rtpHead(length: number, sequence: number, time: number, isLast: boolean): Buffer {
  const head = Buffer.alloc(16);
  head[0] = 0x24;
  head.writeUInt16BE(12 + length, 2);
  head[4] = 0x80;
  head[5] = PAYLOAD_TYPE | (isLast ? 0x80 : 0);
  head.writeUInt16BE(sequence & 0xffff, 6);
  head.writeUInt32BE(time, 8);
  head.writeUInt32BE(1, 12);
  return head;
}

/** SPS and PPS of an AVC configuration. */
function parameterSets(configuration: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = (configuration[at] ?? 0) & mask;
    at += 1;
    for (let index = 0; index < count; index += 1) {
      const length = configuration.readUInt16BE(at);
      units.push(configuration.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return units;
}

/** A frame's units as RTP carries them: whole, or in pieces where they are long. */
function packetsOf(frame: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let at = 0;
  while (at < frame.length) {
    const length = frame.readUInt32BE(at);
    const unit = frame.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    if (length <= LONGEST_PACKET) {
      packets.push(unit);
      continue;
    }
    const head = unit[0] ?? 0;
    for (let from = 1; from < length; from += LONGEST_PACKET) {
      const isLast = from + LONGEST_PACKET >= length;
      const flags = (from === 1 ? 0x80 : 0) | (isLast ? 0x40 : 0) | (head & 0x1f);
      const part = unit.subarray(from, from + LONGEST_PACKET);
      packets.push(Buffer.concat([Buffer.from([(head & 0xe0) | FRAGMENTATION_UNIT, flags]), part]));
    }
  }
  return packets;
}
