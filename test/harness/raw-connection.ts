import { connect, type Socket } from 'node:net';
import type { WireRequest } from './sigv4-signer.ts';

export interface RawResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly text: string;
}

/** A connection whose every byte the test decides. */
export class RawConnection {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #isEnded = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
    socket.on('error', (error) => {
      this.#error = error;
      this.#finish();
    });
  }

  static async open(endpoint: string): Promise<RawConnection> {
    const { hostname, port } = new URL(endpoint);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawConnection(socket);
  }

  get isClosed(): boolean {
    return this.#isEnded;
  }

  write(data: string | Buffer): void {
    if (this.socket.destroyed) return;
    if (typeof data === 'string') this.socket.write(data, 'latin1');
    else this.socket.write(data);
  }

  /** Reads one response, interim ones (`100 Continue`) included. */
  async read(options: { readonly isHead?: boolean; readonly timeoutMs?: number } = {}): Promise<RawResponse> {
    const deadline = Date.now() + (options.timeoutMs ?? 20_000);
    for (;;) {
      const response = this.#take(options.isHead === true);
      if (response !== undefined) return response;
      if (this.#isEnded) throw this.#error ?? new Error(`The connection ended after ${this.#received.length} bytes.`);
      await this.#more(deadline);
    }
  }

  /** Waits until the server has closed its side. */
  async closed(timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#isEnded) await this.#more(deadline);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #finish(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async #more(deadline: number): Promise<void> {
    const remaining = deadline - Date.now();
    if (remaining <= 0) throw new Error('The server did not answer in time.');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, remaining);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #take(isHead: boolean): RawResponse | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [statusLine = '', ...lines] = this.#received.subarray(0, end).toString('latin1').split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const status = Number(statusLine.split(' ')[1]);
    const rest = this.#received.subarray(end + 4);
    const hasBody = !isHead && status >= 200 && status !== 204 && status !== 304;
    const taken = hasBody ? takeBody(rest, headers, this.#isEnded) : { body: Buffer.alloc(0), used: 0 };
    if (taken === undefined) return undefined;
    this.#received = rest.subarray(taken.used);
    return { status, headers, body: taken.body, text: taken.body.toString('utf8') };
  }
}

function takeBody(
  rest: Buffer,
  headers: ReadonlyMap<string, string>,
  isEnded: boolean,
): { readonly body: Buffer; readonly used: number } | undefined {
  if (headers.get('transfer-encoding') === 'chunked') {
    const parts: Buffer[] = [];
    let offset = 0;
    for (;;) {
      const lineEnd = rest.indexOf('\r\n', offset);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(rest.subarray(offset, lineEnd).toString('latin1'), 16);
      const next = lineEnd + 2 + size + 2;
      if (rest.length < next) return undefined;
      parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
      offset = next;
      if (size === 0) return { body: Buffer.concat(parts), used: offset };
    }
  }
  const declared = headers.get('content-length');
  if (declared === undefined) return isEnded ? { body: rest, used: rest.length } : undefined;
  const length = Number(declared);
  return rest.length < length ? undefined : { body: rest.subarray(0, length), used: length };
}

/** The head of a request; its length is declared unless the headers say otherwise. */
export function headOf(request: WireRequest): string {
  const isFramed = request.headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const isBodyless = request.body.length === 0 && (request.method === 'GET' || request.method === 'HEAD');
  const headers =
    isFramed || isBodyless
      ? request.headers
      : [...request.headers, ['Content-Length', String(request.body.length)] as const];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${request.method} ${request.target} HTTP/1.1\r\n${lines}\r\n`;
}

/** Sends one request on a connection of its own. */
export async function sendRaw(endpoint: string, request: WireRequest): Promise<RawResponse> {
  const connection = await RawConnection.open(endpoint);
  try {
    connection.write(Buffer.concat([Buffer.from(headOf(request), 'latin1'), request.body]));
    return await connection.read({ isHead: request.method === 'HEAD' });
  } finally {
    connection.destroy();
  }
}

/** The error code of an answer in any of the protocols. */
export function errorCodeOf(response: RawResponse): string {
  const fromXml = /<Code>([^<]*)<\/Code>/.exec(response.text)?.[1];
  if (fromXml !== undefined) return fromXml;
  const fromHeader = response.headers.get('x-amzn-errortype');
  if (fromHeader !== undefined) return fromHeader;
  return /"__type":"([^"]*)"/.exec(response.text)?.[1] ?? '';
}

export function errorMessageOf(response: RawResponse): string {
  const fromXml = /<Message>([^<]*)<\/Message>/.exec(response.text)?.[1];
  if (fromXml !== undefined) {
    return fromXml.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  }
  return /"[mM]essage":"((?:[^"\\]|\\.)*)"/.exec(response.text)?.[1] ?? '';
}
