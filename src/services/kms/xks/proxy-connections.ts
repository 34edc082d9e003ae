import { Agent as HttpAgent, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { isPrivate, PrivateAddressError, publicLookup } from '#media/http/private-addresses.ts';
import { XksFailure } from './proxy-failure.ts';
import type { XksRoute } from './proxy-routes.ts';

/** More than any answer of a proxy has. */
const MAX_ANSWER = 64 * 1024;
const MAX_SOCKETS = 64;
/** Below what servers usually allow: a connection that is used again is still open. */
const IDLE_MS = 4000;

/** A request to a proxy, signed. */
export interface ProxyPost {
  /** The host of the endpoint, in lower case. */
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ProxyAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * Connections to external key store proxies: TLS with the certificate checked against the endpoint's name, no redirects,
 * no more than a small answer, and all within one time limit. A name is resolved for each connection, and an address that
 * is not public is not connected to unless the operator named the host: whoever may make key stores is not let into the
 * operator's network.
 */
export class XksConnections {
  readonly #routes: ReadonlyMap<string, XksRoute>;
  readonly #timeoutMs: number;
  readonly #agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_MS }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_MS }),
  };

  /** @param timeoutMs for a whole request, with its connection and its second attempt */
  constructor(routes: readonly XksRoute[], timeoutMs: number) {
    this.#routes = new Map(routes.map((route) => [route.host, route]));
    this.#timeoutMs = timeoutMs;
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /**
   * A connection that had been kept and broke is tried anew, once: every request may be carried out twice.
   *
   * @throws XksFailure
   */
  async post(post: ProxyPost): Promise<ProxyAnswer> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      return await this.#send(post, signal);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
    }
    try {
      return await this.#send(post, signal);
    } catch (error) {
      throw error instanceof StaleConnectionError ? new XksFailure('unreachable', error) : error;
    }
  }

  #send({ host, path, headers, body }: ProxyPost, signal: AbortSignal): Promise<ProxyAnswer> {
    const route = this.#routes.get(host);
    if (route === undefined && isIP(host) !== 0 && isPrivate(host)) throw new XksFailure('privateAddress');
    const address = route?.address;
    const isHttps = address?.protocol !== 'http:';
    const options: RequestOptions = {
      method: 'POST',
      host: address?.hostname.replace(/^\[|\]$/g, '') ?? host,
      port: address === undefined || address.port === '' ? (isHttps ? 443 : 80) : Number(address.port),
      path,
      headers: { ...headers, host, 'content-length': body.length },
      signal,
      ...(route === undefined && { lookup: publicLookup }),
    };
    return new Promise((resolve, reject) => {
      let stage: 'connecting' | 'handshake' | 'open' = 'connecting';
      const sent = isHttps
        ? httpsRequest({ ...options, ...tlsOptions(host), agent: this.#agents.https })
        : httpRequest({ ...options, agent: this.#agents.http });
      sent.on('socket', (socket: Socket) => {
        if (!socket.connecting) {
          stage = 'open';
          return;
        }
        socket.once('connect', () => (stage = isHttps ? 'handshake' : 'open'));
        socket.once('secureConnect', () => (stage = 'open'));
      });
      sent.on('response', (answer) => {
        readAnswer(answer).then(resolve, (error: unknown) => {
          sent.destroy();
          reject(signal.aborted ? new XksFailure('timeout', error) : error);
        });
      });
      sent.on('error', (error) => {
        if (signal.aborted) reject(new XksFailure('timeout', error));
        else if (error instanceof PrivateAddressError) reject(new XksFailure('privateAddress', error));
        else if (sent.reusedSocket) reject(new StaleConnectionError(error));
        else reject(new XksFailure(stage === 'handshake' || isTlsError(error) ? 'tls' : 'unreachable', error));
      });
      sent.end(body);
    });
  }
}

class StaleConnectionError extends Error {
  constructor(cause: unknown) {
    super('The connection had been closed', { cause });
  }
}

function tlsOptions(host: string) {
  return { minVersion: 'TLSv1.2', rejectUnauthorized: true, servername: isIP(host) === 0 ? host : '' } as const;
}

function isTlsError(error: Error): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code);
}

/** @throws XksFailure for an answer that is too long or breaks off */
async function readAnswer(answer: IncomingMessage): Promise<ProxyAnswer> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of answer) {
      const bytes: Buffer = part;
      length += bytes.length;
      if (length > MAX_ANSWER) break;
      parts.push(bytes);
    }
  } catch (error) {
    throw new XksFailure('unreadable', error);
  }
  if (length > MAX_ANSWER || !answer.complete) throw new XksFailure('unreadable');
  return { status: answer.statusCode ?? 0, body: Buffer.concat(parts) };
}
