import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The peer of the object benchmarks, in a process of its own: `node:http` and nothing else. GET /N answers N bytes from
 * memory, PUT takes whatever comes, POST /N takes a body and then answers N bytes. Prints its port.
 */
const block = Buffer.alloc(1024 * 1024, 0x5a);

const server = createServer((request, response) => {
  if (request.method === 'PUT') {
    request.on('data', () => {});
    request.on('end', () => response.end());
    return;
  }
  if (request.method === 'POST') {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = block.subarray(0, Number((request.url ?? '/0').slice(1)));
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'content-length': answer.length });
      response.end(answer);
    });
    return;
  }
  const size = Number((request.url ?? '/0').slice(1));
  response.writeHead(200, { 'content-length': size });
  let left = size;
  const send = (): void => {
    while (left > 0) {
      const part = left >= block.length ? block : block.subarray(0, left);
      left -= part.length;
      if (!response.write(part)) {
        response.once('drain', send);
        return;
      }
    }
    response.end();
  };
  send();
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
