import type { Logger } from '#kernel/logger.ts';
import { type HttpServer, startHttpServer } from '#gateway/http-server.ts';
import { Administration } from './administration.ts';
import type { Config } from './config.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { Platform } from './platform.ts';

const DRAIN_MS = 20_000;

/** The platform with its doors open: the AWS port and the operator's control socket. */
export class Server {
  readonly config: Config;
  readonly #platform: Platform;
  readonly #http: HttpServer;
  readonly #control: ControlServer;

  private constructor(config: Config, platform: Platform, http: HttpServer, control: ControlServer) {
    this.config = config;
    this.#platform = platform;
    this.#http = http;
    this.#control = control;
  }

  /** @throws FolderInUseError, RootKeyError, ConfigError, or the system's error when the port is taken */
  static async start(config: Config, environment: NodeJS.ProcessEnv, logger: Logger): Promise<Server> {
    const platform = await Platform.open(config, environment, logger);
    let http: HttpServer | undefined;
    try {
      let isReady = false;
      http = await startHttpServer(platform.gateway, {
        host: config.host,
        port: config.port,
        isReady: () => isReady,
        logger,
      });
      await platform.startWork(endpointOf(http));
      const control = await startControlServer(config.dataFolder, new Administration(platform), logger);
      isReady = true;
      return new Server(config, platform, http, control);
    } catch (error) {
      await http?.close(0);
      await platform.close();
      throw error;
    }
  }

  get endpoint(): string {
    return endpointOf(this.#http);
  }

  /** The account whose root credentials `coffer env` hands out. */
  get accountId(): string {
    return this.config.accountId;
  }

  /** What the operator must be told of a first start. */
  get notices(): readonly string[] {
    return this.#platform.notices;
  }

  /** Takes no more requests, lets those under way finish, and closes everything. */
  async stop(): Promise<void> {
    await this.#control.close();
    await this.#platform.stopWork();
    await this.#http.close(DRAIN_MS);
    await this.#platform.close();
  }
}

function endpointOf(http: HttpServer): string {
  const host = http.host === '0.0.0.0' || http.host === '::' ? '127.0.0.1' : http.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${http.port}`;
}
