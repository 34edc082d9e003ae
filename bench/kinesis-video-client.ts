import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { BenchServer } from './processes.ts';
import { signHeader } from '#test/harness/sigv4-signer.ts';

export interface Ack {
  readonly EventType: string;
  readonly FragmentTimecode?: number;
  readonly ErrorCode?: string;
}

/** One PutMedia connection: a body that stays open, and the acknowledgements as they come. */
export class Producer {
  readonly #request: ClientRequest;
  readonly #response: Promise<IncomingMessage>;
  /** Resolves when the server has ended its answer. */
  readonly ended: Promise<void>;

  constructor(server: BenchServer, stream: string, onAck: (ack: Ack) => void) {
    const { host, hostname, port } = new URL(server.endpoint);
    const signed = signHeader(
      {
        method: 'POST',
        path: '/putMedia',
        headers: [
          ['x-amzn-stream-name', stream],
          ['x-amzn-fragment-timecode-type', 'ABSOLUTE'],
          ['x-amzn-producer-start-timestamp', String(Date.now() / 1000)],
        ],
      },
      { credentials: server.credentials, service: 'kinesisvideo', host },
    );
    const headers = Object.fromEntries(signed.headers.map(([name, value]) => [name, value]));
    this.#request = request({ host: hostname, port, method: 'POST', path: '/putMedia', headers, agent: false });
    this.#request.setNoDelay(true);
    this.#request.flushHeaders();
    this.#response = new Promise((resolve, reject) => {
      this.#request.once('response', resolve);
      this.#request.once('error', reject);
    });
    this.ended = this.#readAcks(onAck);
    this.ended.catch(() => {});
  }

  /** Sends bytes; resolves when there is room for more. */
  async send(bytes: Buffer): Promise<void> {
    if (this.#request.write(bytes)) return;
    await new Promise<void>((resolve) => this.#request.once('drain', resolve));
  }

  async end(): Promise<void> {
    this.#request.end();
    await this.ended;
  }

  async #readAcks(onAck: (ack: Ack) => void): Promise<void> {
    const response = await this.#response;
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') onAck(JSON.parse(line) as Ack);
    }
    if (response.statusCode !== 200) throw new Error(`PutMedia answered ${response.statusCode}: ${text}`);
  }
}
