import type { Logger } from '#kernel/logger.ts';
import { type HttpServer, startHttpServer } from '#gateway/http-server.ts';
import { Administration } from './administration.ts';
import { type Config, ConfigError } from './config.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { endpointOf } from './endpoint.ts';
import type { MetricsServer } from './metrics/metrics-server.ts';
import { Platform } from './platform.ts';

const DRAIN_MS = 20_000;

/** The platform with its doors open: the AWS port and the operator's control socket. */
export class Server {
  readonly config: Config;
  readonly #platform: Platform;
  readonly #http: HttpServer;
  readonly #control: ControlServer;
  readonly #metrics: MetricsServer | undefined;

  private constructor(
    config: Config,
    platform: Platform,
    http: HttpServer,
    control: ControlServer,
    metrics: MetricsServer | undefined,
  ) {
    this.config = config;
    this.#platform = platform;
    this.#http = http;
    this.#control = control;
    this.#metrics = metrics;
  }

  /**
   * @param tell what the operator must be told of a first start, also when the start fails afterwards
   * @throws FolderInUseError, RootKeyError, ConfigError
   */
  static async start(
    config: Config,
    environment: NodeJS.ProcessEnv,
    logger: Logger,
    tell: (notice: string) => void = () => {},
  ): Promise<Server> {
    const platform = await Platform.open(config, environment, logger);
    platform.notices.forEach(tell);
    let http: HttpServer | undefined;
    let metrics: MetricsServer | undefined;
    try {
      let isReady = false;
      http = await startHttpServer(platform.gateway, {
        host: config.host,
        port: config.port,
        isReady: () => isReady,
        logger,
      }).catch((error: unknown) => {
        throw listenError(error, config);
      });
      metrics = await startMetrics(config, platform);
      await platform.startWork(endpointOf(http.host, http.port));
      const control = await startControlServer(config.dataFolder, new Administration(platform), logger);
      isReady = true;
      return new Server(config, platform, http, control, metrics);
    } catch (error) {
      await http?.close(0);
      await metrics?.close();
      await platform.close();
      throw error;
    }
  }

  get endpoint(): string {
    return endpointOf(this.#http.host, this.#http.port);
  }

  /** Where Prometheus finds the metrics, if they are served. */
  get metricsAddress(): string | undefined {
    return this.#metrics?.address;
  }

  /** Takes no more requests, lets those under way finish, and closes everything. */
  async stop(): Promise<void> {
    await this.#control.close();
    await this.#metrics?.close();
    await this.#platform.stopWork();
    await this.#http.close(DRAIN_MS);
    await this.#platform.close();
  }
}

async function startMetrics(config: Config, platform: Platform): Promise<MetricsServer | undefined> {
  if (config.metricsPort === undefined) return undefined;
  // Loaded by those alone who want it.
  const { startMetricsServer } = await import('./metrics/metrics-server.ts');
  return startMetricsServer(config.metricsPort, platform);
}

/** Says what is wrong with the address, where it is the address. */
function listenError(error: unknown, { host, port }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return new ConfigError(`Port ${port} on ${host} is taken by another program. Give another one with --port.`);
    case 'EACCES':
      return new ConfigError(`This user may not listen on port ${port} of ${host}. Give another one with --port.`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ConfigError(`${host} is not an address of this machine. Give another one with --host.`);
    default:
      return error;
  }
}
