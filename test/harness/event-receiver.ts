import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import type { LoggedEvent } from '#storage/event-log/event-log.ts';

/** An address on loopback to which events are sent, which answers what the test says. */
export class EventReceiver {
  readonly events: LoggedEvent[] = [];
  /** Every request, also those that were refused. */
  attempts = 0;
  /** Returns the status to answer with; those that are taken are in `events`. */
  onEvent: (event: LoggedEvent) => number = () => 204;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const event = JSON.parse(Buffer.concat(parts).toString('utf8')) as LoggedEvent;
        this.attempts += 1;
        const status = this.onEvent(event);
        if (status < 300) this.events.push(event);
        response.writeHead(status, { location: '/elsewhere' }).end();
      });
    });
  }

  static async start(): Promise<EventReceiver> {
    const receiver = new EventReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
