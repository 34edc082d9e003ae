import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';

/** What a player gets content from: a bucket's objects in the clear web, and beside them pages and keys. */
export class ContentHost {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param bucket whose objects stand below `/content/`
   * @param extra by path, such as `/key`
   */
  static async start(s3: S3Client, bucket: string, extra: ReadonlyMap<string, Buffer>): Promise<ContentHost> {
    const server = createServer((request, response) => {
      void (async () => {
        const { pathname } = new URL(request.url ?? '/', 'http://host');
        const type = pathname.endsWith('.js') ? 'text/javascript' : pathname.endsWith('.html') ? 'text/html' : '';
        const headers = { 'access-control-allow-origin': '*', ...(type !== '' && { 'content-type': type }) };
        try {
          const held = extra.get(pathname);
          const { status, bytes, range } =
            held === undefined
              ? await readObject(s3, bucket, pathname, request.headers.range)
              : { status: 200, bytes: held, range: undefined };
          response.writeHead(status, { ...headers, ...(range !== undefined && { 'content-range': range }) }).end(bytes);
        } catch {
          response.writeHead(404, headers).end();
        }
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ContentHost(server);
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

async function readObject(s3: S3Client, Bucket: string, path: string, Range: string | undefined) {
  const Key = decodeURIComponent(path.replace(/^\/content\//, ''));
  const { Body, ContentRange: range } = await s3.send(new GetObjectCommand({ Bucket, Key, Range }));
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0);
  return { status: range === undefined ? 200 : 206, bytes, range };
}
