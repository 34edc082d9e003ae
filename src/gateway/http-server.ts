import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '#kernel/logger.ts';
import type { Gateway } from './pipeline.ts';

const MAX_HEADER_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 75_000;
/** How long a handler may take to notice that its connection is gone. */
const HANDLERS_END_MS = 5000;
/** How often a server that is to close looks for connections whose request has ended. */
const CLOSE_IDLE_EVERY_MS = 25;

/** How long the server waits for a client that is slow. */
export interface Patience {
  /** For a request's head to come whole. */
  readonly headersMs: number;
  /** For anything to move on a connection. */
  readonly idleMs: number;
}

const PATIENCE: Patience = { headersMs: 30_000, idleMs: 120_000 };

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** Stops taking connections, waits for the requests under way (at most `graceMs`), then closes what is left. */
  close(graceMs: number): Promise<void>;
}

/** The one port: AWS's protocols, and the health checks. */
export async function startHttpServer(
  gateway: Gateway,
  options: {
    readonly host: string;
    readonly port: number;
    readonly isReady: () => boolean;
    readonly logger: Logger;
    readonly patience?: Patience;
  },
): Promise<HttpServer> {
  const { headersMs, idleMs } = options.patience ?? PATIENCE;
  let isClosing = false;
  const underWay = new Set<Promise<void>>();
  const answer = (message: IncomingMessage, response: ServerResponse, sendContinue: () => void): void => {
    if (isClosing) response.shouldKeepAlive = false;
    if (refuseOddFraming(message, response) || answerHealth(message, response, options.isReady)) return;
    const handled = gateway
      .handle(message, response, sendContinue)
      .catch((error: unknown) => {
        options.logger.error({ err: error }, 'a response could not be written');
        response.destroy();
      })
      .finally(() => underWay.delete(handled));
    underWay.add(handled);
  };
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headersMs,
    connectionsCheckingInterval: headersMs / 2,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
    highWaterMark: 256 * 1024,
  });
  server.timeout = idleMs;
  server.on('request', (message, response) => answer(message, response, () => {}));
  server.on('checkContinue', (message, response) => {
    let isSent = false;
    answer(message, response, () => {
      if (!isSent && !response.headersSent) response.writeContinue();
      isSent = true;
    });
  });
  server.on('clientError', answerClientError);
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    host: options.host,
    port,
    async close(graceMs) {
      isClosing = true;
      gateway.endLongExchanges();
      await closeServer(server, graceMs);
      // A handler outlives its connection for a moment: what it works on is not taken away beneath it.
      await Promise.race([Promise.all(underWay), sleep(HANDLERS_END_MS, undefined, { ref: false })]);
    },
  };
}

/**
 * INVARIANT: where a body ends is never a matter of opinion. The parser refuses a length beside an encoding, and lengths
 * that differ; encodings that are not `chunked` would reach us as a body without an end.
 */
function refuseOddFraming(message: IncomingMessage, response: ServerResponse): boolean {
  const encoding = message.headers['transfer-encoding'];
  if (encoding === undefined || encoding.trim().toLowerCase() === 'chunked') return false;
  response.writeHead(400, { connection: 'close', 'content-length': 0 });
  response.end();
  return true;
}

function answerHealth(message: IncomingMessage, response: ServerResponse, isReady: () => boolean): boolean {
  if (message.method !== 'GET' && message.method !== 'HEAD') return false;
  const isLive = message.url === '/health/live';
  if (!isLive && message.url !== '/health/ready') return false;
  const isWell = isLive || isReady();
  response.writeHead(isWell ? 200 : 503, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ status: isWell ? 'ok' : 'starting' }));
  return true;
}

/** What is not HTTP gets a short answer, as far as anybody listens. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket | import('node:stream').Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_CLIENT_ERROR[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const STATUS_OF_CLIENT_ERROR: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    // A client keeps its connection after the answer: it would hold the server for as long as the grace lasts.
    const sweep = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
