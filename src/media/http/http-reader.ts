import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { uriOf } from '../media-location.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { HttpLocation } from '../transcode-input.ts';
import { isPrivate, PrivateAddressError, publicLookup } from './private-addresses.ts';

/** Which addresses may be read. */
export interface HttpAccess {
  readonly isHttpAllowed: boolean;
  readonly isHttpsAllowed: boolean;
  /** Hosts, with a port or for all ports, that may be read although their addresses are private. */
  readonly privateHosts: readonly string[];
}

/** A file as it was found; a later change of it ends the job instead of mixing two files. */
export interface OpenedUrl {
  readonly location: HttpLocation;
  /** After redirects. */
  readonly url: URL;
  readonly size: number;
  /** A strong entity tag, or when it was changed last. */
  readonly version: { readonly 'if-match': string } | { readonly 'if-unmodified-since': string } | undefined;
}

/** As AWS follows them. */
const MAX_REDIRECTS = 1;
const ATTEMPTS = 3;
/** Milliseconds of silence. */
const PATIENCE_MS = 30_000;
/** What a refused answer may still say before the connection is closed. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Reads files of web servers in ranges. A name is resolved once for each connection, and an address that is not public
 * is not connected to, whatever name leads there: whoever may submit jobs is not let into the operator's network.
 */
export class HttpReader {
  readonly #access: HttpAccess;
  readonly #signal: AbortSignal;
  readonly #agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: 8 }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: 8 }),
  };

  constructor(access: HttpAccess, signal: AbortSignal) {
    this.#access = access;
    this.#signal = signal;
  }

  /** @throws TranscodeError of the 34xx codes when the file is not there or may not be read */
  async open(location: HttpLocation): Promise<OpenedUrl> {
    let url = new URL(location.url);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#send(location, url, 'HEAD', {});
      answer.resume();
      const { statusCode: status = 0, headers } = answer;
      if (REDIRECTS.has(status) && headers.location !== undefined) {
        if (redirects === MAX_REDIRECTS) throw refusal(location, ERROR_CODES.httpOther, 'Too many redirects');
        url = redirected(location, url, headers.location);
        continue;
      }
      if (status !== 200) throw statusError(location, status);
      const size = Number(headers['content-length'] ?? Number.NaN);
      if (!Number.isSafeInteger(size)) {
        throw refusal(location, ERROR_CODES.httpOther, 'The server does not tell the length of the file');
      }
      return { location, url, size, version: versionOf(headers) };
    }
  }

  /** Fills `target` with the file's bytes from `offset` on. @throws TranscodeError */
  async read(file: OpenedUrl, offset: number, target: Uint8Array): Promise<void> {
    const last = offset + target.length - 1;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const headers = { ...file.version, range: `bytes=${offset}-${last}` };
        const answer = await this.#send(file.location, file.url, 'GET', headers);
        checkRange(file, answer, offset, last);
        await fill(answer, target);
        return;
      } catch (error) {
        const isLasting = error instanceof TranscodeError && !PASSING.has(error.code);
        if (isLasting || this.#signal.aborted || attempt === ATTEMPTS) throw asTranscodeError(file.location, error);
        await sleep(200 * 4 ** (attempt - 1), undefined, { signal: this.#signal });
      }
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #send(
    location: HttpLocation,
    url: URL,
    method: 'HEAD' | 'GET',
    headers: Readonly<Record<string, string>>,
  ): Promise<IncomingMessage> {
    const isHttps = url.protocol === 'https:';
    if (!(isHttps ? this.#access.isHttpsAllowed : this.#access.isHttpAllowed)) {
      const what = `The account's policy disallows inputs of ${url.protocol.slice(0, -1)}`;
      throw refusal(location, ERROR_CODES.httpDisallowed, what);
    }
    const isTrusted = this.#access.privateHosts.some((host) => host === url.host || host === url.hostname);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // No name is looked up for an address.
    if (!isTrusted && isIP(host) !== 0 && isPrivate(host)) throw privateAddress(location, url.hostname);
    const options = {
      method,
      agent: isHttps ? this.#agents.https : this.#agents.http,
      headers: { ...headers, 'accept-encoding': 'identity', 'user-agent': 'coffer-mediaconvert' },
      timeout: PATIENCE_MS,
      signal: this.#signal,
      ...(!isTrusted && { lookup: publicLookup }),
    };
    return new Promise((resolve, reject) => {
      const sent = isHttps ? httpsRequest(url, options) : httpRequest(url, options);
      sent.on('response', resolve);
      sent.on('timeout', () => sent.destroy(new Error('The server does not answer')));
      sent.on('error', (error) => reject(asTranscodeError(location, error)));
      sent.end();
    });
  }
}

/** May be over at the next attempt. */
const PASSING: ReadonlySet<number> = new Set([ERROR_CODES.httpServer, ERROR_CODES.httpConnection]);

function redirected(location: HttpLocation, from: URL, to: string): URL {
  const url = URL.canParse(to, from) ? new URL(to, from) : undefined;
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isWeb || url.username !== '' || url.password !== '') {
    throw refusal(location, ERROR_CODES.httpOther, 'The server redirects to something that is no web address');
  }
  return url;
}

function versionOf({ etag, 'last-modified': changed }: IncomingMessage['headers']): OpenedUrl['version'] {
  if (etag !== undefined && !etag.startsWith('W/')) return { 'if-match': etag };
  return changed === undefined ? undefined : { 'if-unmodified-since': changed };
}

/** A server that sends something else than was asked for would go unnoticed in the picture. */
function checkRange(file: OpenedUrl, answer: IncomingMessage, offset: number, last: number): void {
  const { statusCode: status = 0, headers } = answer;
  const isWhole = status === 200 && offset === 0 && last === file.size - 1;
  const isRange = status === 206 && headers['content-range'] === `bytes ${offset}-${last}/${file.size}`;
  if (isWhole || isRange) return;
  // The connection cannot be used again without reading on.
  answer.destroy();
  if (status === 200 || status === 206) {
    throw refusal(file.location, ERROR_CODES.httpOther, 'The server does not answer requests for ranges properly');
  }
  if (status === 412 || status === 416) {
    throw refusal(file.location, ERROR_CODES.httpOther, 'The file was changed while it was read');
  }
  throw statusError(file.location, status);
}

async function fill(answer: IncomingMessage, target: Uint8Array): Promise<void> {
  let at = 0;
  for await (const chunk of answer) {
    const bytes: Uint8Array = chunk;
    if (at + bytes.length > target.length) throw new RangeError('The answer is longer than asked for');
    target.set(bytes, at);
    at += bytes.length;
  }
  if (at !== target.length) throw new RangeError('The answer is shorter than asked for');
}

function statusError(location: HttpLocation, status: number): TranscodeError {
  const codes: Readonly<Record<number, number>> = {
    401: ERROR_CODES.httpLogin,
    403: ERROR_CODES.httpRefused,
    404: ERROR_CODES.httpMissing,
    410: ERROR_CODES.httpMissing,
  };
  const other = status >= 500 ? ERROR_CODES.httpServer : ERROR_CODES.httpOther;
  return refusal(location, codes[status] ?? other, `The server answers with status ${status}`);
}

function asTranscodeError(location: HttpLocation, error: unknown): unknown {
  if (error instanceof TranscodeError || (error instanceof Error && error.name === 'AbortError')) return error;
  if (error instanceof PrivateAddressError) return privateAddress(location, new URL(location.url).hostname);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  return refusal(location, ERROR_CODES.httpConnection, `The server cannot be reached or broke off${code}`);
}

function privateAddress(location: HttpLocation, host: string): TranscodeError {
  const what = `${host} is at a private address, which the operator has not allowed by COFFER_HTTP_INPUT_HOSTS`;
  return refusal(location, ERROR_CODES.httpDisallowed, what);
}

function refusal(location: HttpLocation, code: number, cause: string): TranscodeError {
  return new TranscodeError(code, unableToOpen(uriOf(location), `Can't read input stream: [${cause}]`));
}
