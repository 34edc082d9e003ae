import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ScrubStatus } from '#services/s3/maintenance/scrub/scrubber.ts';
import type { FlowStatus } from '#media/live/flow-engine.ts';
import { ConfigError } from '../config.ts';
import { registerFlowMetrics } from './flow-metrics.ts';
import { registerScrubMetrics } from './scrub-metrics.ts';

const HOST = '127.0.0.1';

/** What there is to tell beside the process. */
interface Statuses {
  flowStatuses(): readonly FlowStatus[];
  scrubStatus(): ScrubStatus | undefined;
}

export interface MetricsServer {
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves `/metrics` for Prometheus, on loopback alone: names and ARNs of all accounts are in it, and nobody is asked who
 * they are.
 *
 * @param port 0 lets the system choose
 * @throws ConfigError where the port is taken
 */
export async function startMetricsServer(port: number, statuses: Statuses): Promise<MetricsServer> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'coffer_' });
  registerFlowMetrics(registry, () => statuses.flowStatuses());
  registerScrubMetrics(registry, () => statuses.scrubStatus());
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end('Metrics are at /metrics.\n');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  try {
    server.listen(port, HOST);
    await once(server, 'listening');
  } catch {
    throw new ConfigError(`COFFER_METRICS_PORT: port ${port} on ${HOST} cannot be opened. Give another one.`);
  }
  return {
    address: `http://${HOST}:${(server.address() as AddressInfo).port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
