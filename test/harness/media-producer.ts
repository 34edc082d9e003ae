import { connect, type Socket } from 'node:net';
import { headOf } from './raw-connection.ts';
import { signHeader, type SigningCredentials, type WireRequest } from './sigv4-signer.ts';

/** An acknowledgement, as it stands on the wire. */
export interface WireAck {
  readonly EventType: string;
  readonly FragmentTimecode?: number;
  readonly FragmentNumber?: string;
  readonly ErrorId?: number;
  readonly ErrorCode?: string;
}

/** SHA-256 of nothing: what the producer libraries for C and C++ sign. */
export const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const PATIENCE_MS = 20_000;

export interface ProducerOptions {
  readonly endpoint: string;
  readonly credentials: SigningCredentials;
  readonly stream?: string;
  readonly timecodes?: 'ABSOLUTE' | 'RELATIVE';
  /** Seconds since the epoch. */
  readonly start?: string;
  /** When it is signed; now, when absent. */
  readonly date?: Date;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** All that say what the media is, instead of the ones that are made from the rest. */
  readonly bare?: readonly (readonly [name: string, value: string])[];
}

/** The request of a producer that signs as AWS's library for C does. */
export function putMediaRequest(options: ProducerOptions): WireRequest {
  const { endpoint, credentials, stream = '', timecodes = 'ABSOLUTE', start = '0', headers = [] } = options;
  const { sessionToken, ...permanent } = credentials;
  return signHeader(
    {
      method: 'POST',
      path: '/putMedia',
      headers: [
        ['Connection', 'keep-alive'],
        ['Transfer-Encoding', 'chunked'],
        ['User-Agent', 'AWS-SDK-KVS/3.0.0 GCC/12 Linux/6 x86_64'],
        ...(options.bare ?? [
          ['x-amzn-stream-name', stream] as const,
          ['x-amzn-fragment-timecode-type', timecodes] as const,
          ['x-amzn-producer-start-timestamp', start] as const,
        ]),
        ...(sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken] as const]),
        ...headers,
      ],
    },
    {
      credentials: permanent,
      service: 'kinesisvideo',
      host: new URL(endpoint).host,
      ...(options.date && { date: options.date }),
      payloadHash: EMPTY_HASH,
      unsigned: ['x-amz-security-token'],
    },
  );
}

/** One connection of PutMedia, every byte of which the test decides. */
export class MediaProducer {
  readonly socket: Socket;
  /** The answer's status lines, `100 Continue` included, as they came. */
  readonly statuses: number[] = [];
  readonly headers = new Map<string, string>();
  /** Each chunk of the answer's body, as the wire cut it. */
  readonly chunks: string[] = [];
  /** All acknowledgements so far. */
  readonly acks: WireAck[] = [];
  isEnded = false;
  isClosed = false;
  #received = Buffer.alloc(0);
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#parse();
      this.#wake();
    });
    const close = (): void => {
      this.isClosed = true;
      this.#wake();
    };
    socket.on('end', close);
    socket.on('close', close);
    socket.on('error', close);
  }

  static async open(options: ProducerOptions): Promise<MediaProducer> {
    const producer = await MediaProducer.connect(options.endpoint);
    producer.socket.write(headOf(putMediaRequest(options)), 'latin1');
    return producer;
  }

  static async connect(endpoint: string): Promise<MediaProducer> {
    const { hostname, port } = new URL(endpoint);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new MediaProducer(socket);
  }

  /** Sends bytes of the body. */
  send(...pieces: readonly Buffer[]): void {
    const body = Buffer.concat(pieces);
    this.socket.write(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]));
  }

  /** Ends the body in good order. */
  end(): void {
    this.socket.write('0\r\n\r\n');
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Waits for the answer's head. */
  async status(): Promise<number> {
    await this.#until(() => this.headers.size > 0, 'the answer');
    return this.statuses.at(-1) ?? 0;
  }

  /** The next acknowledgement of this type that was not waited for yet; others on the way are passed over. */
  async ack(type: string): Promise<WireAck> {
    let found: WireAck | undefined;
    await this.#until(() => {
      while (this.#taken < this.acks.length && found === undefined) {
        const ack = this.acks[this.#taken++];
        if (ack?.EventType === type) found = ack;
      }
      return found !== undefined || this.isEnded || this.isClosed;
    }, `an acknowledgement of type ${type}`);
    if (found === undefined) throw new Error(`No ${type} came, but: ${JSON.stringify(this.acks)}`);
    return found;
  }

  /** Waits for the answer's end. @returns all acknowledgements */
  async ended(): Promise<readonly WireAck[]> {
    await this.#until(() => this.isEnded || this.isClosed, 'the end of the answer');
    return this.acks;
  }

  async #until(isDone: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!isDone()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${what} did not come; there were ${JSON.stringify(this.acks)}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiting.add(wake);
      });
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #parse(): void {
    while (this.headers.size === 0) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [first = '', ...lines] = this.#received.subarray(0, end).toString('latin1').split('\r\n');
      this.#received = this.#received.subarray(end + 4);
      this.statuses.push(Number(first.split(' ')[1]));
      for (const line of lines) {
        const colon = line.indexOf(':');
        this.headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
      }
    }
    if (this.headers.get('transfer-encoding') === 'chunked') this.#parseChunks();
    else if (this.#received.length >= Number(this.headers.get('content-length'))) {
      this.chunks.push(this.#received.toString());
      this.isEnded = true;
    }
  }

  #parseChunks(): void {
    for (;;) {
      const lineEnd = this.#received.indexOf('\r\n');
      if (lineEnd < 0) return;
      const size = Number.parseInt(this.#received.subarray(0, lineEnd).toString('latin1'), 16);
      const end = lineEnd + 2 + size;
      if (this.#received.length < end + 2) return;
      const text = this.#received.subarray(lineEnd + 2, end).toString();
      this.#received = this.#received.subarray(end + 2);
      if (size === 0) {
        this.isEnded = true;
        return;
      }
      this.chunks.push(text);
      for (const line of text.split('\n')) if (line !== '') this.acks.push(JSON.parse(line) as WireAck);
    }
  }
}
