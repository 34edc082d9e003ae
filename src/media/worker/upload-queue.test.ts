import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createS3, ObjectStore } from './s3-io.ts';
import { CELL } from './shared-state.ts';
import { UploadQueue } from './upload-queue.ts';

/** Answers when it is told to. */
const waiting: ServerResponse[] = [];
const server = createServer((request, response) => {
  request.resume().on('end', () => waiting.push(response));
});

before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
after(() => {
  server.closeAllConnections();
  server.close();
});

test('what is not stored yet counts, be the objects ever so small', async () => {
  const credentials = { accessKeyId: 'ASIATEST', secretAccessKey: 'x', sessionToken: 'y', expiresAt: Date.now() + 1e6 };
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const s3 = createS3({ endpoint, region: 'us-east-1' }, async () => credentials);
  const failures: unknown[] = [];
  const cells = new Int32Array(new SharedArrayBuffer(64));
  const store = new ObjectStore(s3, new AbortController().signal, () => undefined);
  const job = { inputs: [], groups: [], startedAt: 0 };
  const fail = (error: unknown) => failures.push(error);
  const queue = new UploadQueue(job, store, cells, fail, () => undefined);
  for (let object = 0; object < 3; object++) {
    const target = { bucket: 'b', key: `${object}`, contentType: 'video/mp4', group: 0, isManifest: false };
    // As FFmpeg's thread does before it hands them over.
    Atomics.add(cells, CELL.pendingBytes, 100);
    queue.take({ kind: 'object', object, target });
    queue.take({ kind: 'part', object, part: 1, bytes: new Uint8Array(100) });
    queue.take({ kind: 'end', object, parts: 1 });
  }
  while (waiting.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(Atomics.load(cells, CELL.pendingBytes), 300);
  for (const response of waiting) response.writeHead(200, { etag: '"x"' }).end();
  await queue.settle();
  assert.deepEqual(failures, []);
  assert.equal(Atomics.load(cells, CELL.pendingBytes), 0);
  s3.destroy();
});
