import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a file of a web server behaves. */
export interface WebFile {
  readonly bytes: Buffer;
  readonly etag?: string;
  /** False answers every request with the whole file. */
  readonly hasRanges?: boolean;
}

/** A plain web server with files that can be read in ranges, on 127.0.0.1. */
export class WebFiles {
  /** By path. */
  readonly files = new Map<string, WebFile>();
  /** Where a path leads instead, or the status that it answers with. */
  readonly answers = new Map<string, number | { readonly location: string }>();
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<WebFiles> {
    const web = new WebFiles();
    await new Promise<void>((resolve) => web.#server.listen(0, '127.0.0.1', resolve));
    return web;
  }

  /** Such as `127.0.0.1:8080`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const answer = this.answers.get(pathname);
    const file = this.files.get(pathname);
    if (typeof answer === 'object') response.writeHead(302, { location: answer.location }).end();
    else if (answer !== undefined || file === undefined) response.writeHead(answer ?? 404).end();
    else sendFile(file, request, response);
  }
}

function sendFile({ bytes, etag, hasRanges = true }: WebFile, request: IncomingMessage, response: ServerResponse) {
  const headers = { ...(etag !== undefined && { etag }), 'content-type': 'video/mp4' };
  const wanted = request.headers['if-match'];
  if (wanted !== undefined && wanted !== etag) {
    response.writeHead(412).end();
    return;
  }
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  if (!hasRanges || from === undefined || to === undefined) {
    response.writeHead(200, { ...headers, 'content-length': bytes.length });
    response.end(request.method === 'HEAD' ? undefined : bytes);
    return;
  }
  const part = bytes.subarray(Number(from), Number(to) + 1);
  response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${to}/${bytes.length}` }).end(part);
}
