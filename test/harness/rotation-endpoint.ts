import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';

/** What Coffer sends. */
export interface RotationEvent {
  readonly Step: string;
  readonly SecretId: string;
  readonly ClientRequestToken: string;
}

/** A rotation endpoint on loopback, which does with each step what the test says. */
export class RotationEndpoint {
  readonly #server: Server;
  readonly events: RotationEvent[] = [];
  /** Everything that was received, headers too. */
  received = '';
  /** Returns the status to answer with. */
  onStep: (event: RotationEvent) => Promise<number> = () => Promise.resolve(200);

  private constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = Buffer.concat(parts).toString('utf8');
        this.received += `${request.method} ${request.url} ${JSON.stringify(request.headers)}\n${body}\n`;
        const event = JSON.parse(body) as RotationEvent;
        this.events.push(event);
        this.onStep(event).then(
          (status) => response.writeHead(status, { location: '/elsewhere' }).end('{}'),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
      });
    });
  }

  static async start(): Promise<RotationEndpoint> {
    const endpoint = new RotationEndpoint();
    await new Promise<void>((resolve) => endpoint.#server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get steps(): string[] {
    return this.events.map(({ Step }) => Step);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
