import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CofferHome } from '../harness/coffer-home.ts';
import { filesUnder } from '../harness/files-under.ts';

async function until(isSo: () => boolean, what: () => string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!isSo()) {
    assert.ok(Date.now() < deadline, what());
    await delay(20);
  }
}

it('everything is read again at a bounded rate; damage stands in the log, the metrics and the events', async () => {
  await using home = await CofferHome.make();
  let server = await home.start();
  const s3 = new S3Client({ ...(await home.rootClientConfig()), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'scrubbed' }));
  for (const [Key, size] of [
    ['large', 3_000_000],
    ['small', 9],
  ] as const) {
    await s3.send(new PutObjectCommand({ Bucket: 'scrubbed', Key, Body: randomBytes(size) }));
  }
  s3.destroy();
  await server.end('SIGTERM');
  const [blob] = await filesUnder(join(home.dataFolder, 'blobs'));
  assert.ok(blob);
  const file = await open(blob, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 2_500_000);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, 2_500_000);
  await file.close();

  // At this rate the object takes half a minute: what was begun is given up at once.
  server = await home.start([], { COFFER_SCRUB_RATE: '0.1' });
  await delay(300);
  const stoppedAt = Date.now();
  assert.equal((await server.end('SIGTERM')).code, 0);
  assert.ok(Date.now() - stoppedAt < 3000);
  assert.doesNotMatch(server.output(), /damage was found/);

  const rated = { COFFER_SCRUB_RATE: '50', COFFER_METRICS_PORT: '0' };
  server = await home.start([], rated);
  await until(
    () => server.output().includes('was read again'),
    () => server.output(),
  );
  assert.match(server.output(), /"what":"s3:\/\/scrubbed\/large".*damage was found in S3/);
  const address = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(server.output())?.[0];
  assert.ok(address, server.output());
  const metrics = await (await fetch(address)).text();
  assert.match(metrics, /^coffer_s3_scrub_checked_total 2$/m);
  assert.match(metrics, /^coffer_s3_scrub_damaged_total 1$/m);
  await delay(200);
  const events = await home.run(['events', '--source', 'coffer.s3']);
  assert.match(events.stdout, /"detail-type":"Object Damage".*arn:aws:s3:::scrubbed\/large/);
  await server.end('SIGTERM');

  // The next reading is due a day after this one began, over restarts.
  server = await home.start([], rated);
  await delay(500);
  assert.doesNotMatch(server.output(), /was read again/);
  await server.end('SIGTERM');
  const refused = await home.run(['start', '--port', '0'], { COFFER_SCRUB_RATE: 'fast' });
  assert.match(refused.stderr, /COFFER_SCRUB_RATE/);
});
