import assert from 'node:assert/strict';
import { type HttpServer, type Patience, startHttpServer } from '#gateway/http-server.ts';
import { silentLogger } from '#kernel/logger.ts';
import { endpointOf } from '../../bin/endpoint.ts';
import { ArchiveParts } from './archive-parts.ts';
import type { ClientConfig } from './platform.ts';

/** The real services behind a real socket, on a clock that the test turns. */
export class ClockedServer {
  readonly parts: ArchiveParts;
  readonly endpoint: string;
  readonly accountId: string;
  readonly #http: HttpServer;
  readonly #root: ClientConfig['credentials'];

  private constructor(
    parts: ArchiveParts,
    http: HttpServer,
    root: ClientConfig['credentials'] & { readonly accountId: string },
  ) {
    this.parts = parts;
    this.#http = http;
    this.#root = root;
    this.accountId = root.accountId;
    this.endpoint = endpointOf(http.host, http.port);
  }

  static async start(patience?: Patience, environment: NodeJS.ProcessEnv = {}): Promise<ClockedServer> {
    const parts = await ArchiveParts.start(environment);
    // Clients sign with the machine's clock.
    parts.now = Date.now();
    const [account] = await parts.services.iam.accounts.create([{}]);
    assert.ok(account);
    const options = {
      host: '127.0.0.1',
      port: 0,
      isReady: () => true,
      logger: silentLogger,
      ...(patience && { patience }),
    };
    return new ClockedServer(parts, await startHttpServer(parts.services.gateway, options), account);
  }

  /** Turns the clock on. Requests that are signed must have been made before. */
  pass(seconds: number): void {
    this.parts.now += seconds * 1000;
  }

  clientConfig(credentials = this.#root): ClientConfig {
    return { endpoint: this.endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 };
  }

  async stop(): Promise<void> {
    await this.#http.close(0);
    await this.parts.stop();
  }
}
