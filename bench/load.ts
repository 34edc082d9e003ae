import { Agent, type ClientRequest, request } from 'node:http';
import { Readable } from 'node:stream';

export interface Load {
  readonly method: 'GET' | 'PUT';
  readonly urls: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** The body of each PUT. */
  readonly body?: Buffer;
  readonly connections: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Sends one request for each URL over so many connections that stay open, and reads every answer whole. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  let next = 0;
  let bytes = 0;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    while (next < load.urls.length) {
      const url = load.urls[next++] ?? '';
      bytes += await exchange(url, load, agent);
    }
  };
  await Promise.all(Array.from({ length: load.connections }, worker));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return { requests: load.urls.length, bytes, seconds };
}

function exchange(url: string, load: Load, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const { method, body, headers = {} } = load;
    const length = body === undefined ? {} : { 'content-length': body.length };
    const sent: ClientRequest = request(url, { method, agent, headers: { ...headers, ...length } }, (response) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(received + (body?.length ?? 0));
        else reject(new Error(`${method} answered ${response.statusCode}`));
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    if (body === undefined || body.length < 1024 * 1024) sent.end(body);
    else Readable.from(blocksOf(body)).pipe(sent);
  });
}

function* blocksOf(body: Buffer): Generator<Buffer> {
  const BLOCK = 1024 * 1024;
  for (let offset = 0; offset < body.length; offset += BLOCK) yield body.subarray(offset, offset + BLOCK);
}
