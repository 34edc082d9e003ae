import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CofferHome } from '../harness/coffer-home.ts';

const run = promisify(execFile);
const BUCKET = 'filled-by-the-test';
const MIB = 1024 * 1024;

/** Mounts a small disk in memory; `false` where this user may not. */
async function mountSmallDisk(folder: string): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  return run('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'coffer-test', folder]).then(
    () => true,
    () => false,
  );
}

async function failureOf(work: Promise<unknown>): Promise<{ name: string; status: number | undefined }> {
  return work.then(
    () => ({ name: 'none', status: 200 }),
    (error: unknown) => {
      const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
      return { name, status: $metadata?.httpStatusCode };
    },
  );
}

it('refuses writes while the disk is full, serves reads, and writes again when there is room', async (test) => {
  await using home = await CofferHome.make();
  const disk = join(home.folder, 'disk');
  await mkdir(disk);
  if (!(await mountSmallDisk(disk))) {
    test.skip('only root can mount a small disk');
    return;
  }
  const settings = { COFFER_DATA: join(disk, 'data') };
  try {
    const server = await home.start([], settings);
    const config = await home.rootClientConfig(settings);
    const s3 = new S3Client(config);
    const iam = new IAMClient(config);
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const put = (Key: string, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    const get = async (Key: string) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    };
    const [small, large] = [randomBytes(2000), randomBytes(2 * MIB)];
    await put('small', small);
    await put('large', large);

    // An object that does not fit is refused, and its room given back.
    assert.deepEqual(await failureOf(put('too-large', randomBytes(40 * MIB))), {
      name: 'InsufficientStorage',
      status: 507,
    });
    await put('fits', large);

    // A disk that is full to the last byte refuses even the smallest record.
    const filler = join(disk, 'filler');
    await writeFile(filler, randomBytes(64 * MIB)).catch(() => {});
    const failures = await Promise.all(
      Array.from({ length: 40 }, (_, index) => failureOf(put(`small/${index}`, randomBytes(60_000)))),
    );
    const refused = failures.filter(({ name }) => name !== 'none');
    assert.ok(refused.length > 0, 'the log of records has a little room, but no more');
    for (const failure of refused) assert.deepEqual(failure, { name: 'InsufficientStorage', status: 507 });
    const { status = 0 } = await failureOf(
      Promise.all(Array.from({ length: 400 }, (_, i) => iam.send(new CreateUserCommand({ UserName: `user-${i}` })))),
    );
    assert.ok(status >= 500, `${status}`);

    // Reads go on, of what was there before and of what was acknowledged since.
    assert.equal((await fetch(`${server.endpoint}/health/live`)).status, 200);
    assert.ok((await get('small')).equals(small));
    assert.ok((await get('large')).equals(large));
    for (const [index, { name }] of failures.entries()) {
      if (name === 'none') assert.equal((await get(`small/${index}`)).length, 60_000);
      else assert.equal((await failureOf(get(`small/${index}`))).name, 'NoSuchKey');
    }

    await rm(filler);
    await put('after', large);
    await iam.send(new CreateUserCommand({ UserName: 'after' }));
    assert.ok((await get('after')).equals(large));
    assert.equal((await home.run(['verify'], settings)).code, 0);
    s3.destroy();
    iam.destroy();
    assert.equal((await server.end('SIGTERM')).code, 0);

    // A start finds no room, says so, and finds everything when there is some.
    await writeFile(filler, randomBytes(64 * MIB)).catch(() => {});
    const { code, stderr } = await home.run(['start', '--port', '0', '--data', join(disk, 'other')]);
    assert.equal(code, 1);
    assert.match(stderr, /^coffer: .*(no space|ENOSPC|full)/i);
    await rm(filler);
    await (await home.start([], settings)).end('SIGTERM');
  } finally {
    await run('umount', ['-l', disk]);
  }
});
