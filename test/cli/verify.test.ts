import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateBucketCommand, PutObjectCommand, RenameObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CofferHome } from '../harness/coffer-home.ts';
import { filesUnder } from '../harness/files-under.ts';

const run = promisify(execFile);
const COFFER = fileURLToPath(new URL('../../bin/main.mjs', import.meta.url));

const hasScript = await run('script', ['--version']).then(
  () => true,
  () => false,
);

describe('coffer verify', () => {
  it('counts what it has read, and names what is damaged, by its output and its exit status', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const s3 = new S3Client(await home.rootClientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'verified' }));
    for (const Key of ['large', 'small']) {
      await s3.send(
        new PutObjectCommand({ Bucket: 'verified', Key, Body: randomBytes(Key === 'large' ? 300_000 : 9) }),
      );
    }
    // What was renamed is as sound as what was not.
    for (const Key of ['large', 'small']) {
      await s3.send(
        new RenameObjectCommand({ Bucket: 'verified', Key: `${Key}.new`, RenameSource: `verified/${Key}` }),
      );
    }
    s3.destroy();

    const sound = await home.run(['verify']);
    assert.equal(sound.code, 0);
    assert.match(sound.stdout, /^ +1 {2}access keys$/m);
    assert.match(sound.stdout, /^ +3 {2}S3 objects$/m);
    assert.match(sound.stdout, /^No damage was found\.$/m);
    assert.equal(sound.stderr, '');

    const [blob] = await filesUnder(join(home.dataFolder, 'blobs'));
    assert.ok(blob);
    await truncate(blob, 200_000);
    for (const isRunning of [true, false]) {
      if (!isRunning) await server.end('SIGTERM');
      const text = await home.run(['verify']);
      assert.equal(text.code, 1);
      assert.match(text.stdout, /^DAMAGED {2}s3:\/\/verified\/large\.new: /m);
      assert.match(text.stdout, /^1 damaged\.$/m);
      const json = await home.run(['verify', '--json']);
      assert.equal(json.code, 1);
      const report = JSON.parse(json.stdout) as Record<string, unknown>;
      assert.equal(report['damaged'], 1);
      assert.equal((report['checked'] as Record<string, number>)['S3 objects'], 3);
      const [damage] = report['damages'] as { what: string; damage: string }[];
      assert.equal(damage?.what, 's3://verified/large.new');
    }
  });
});

describe('progress', () => {
  it('is shown on a terminal, and wiped', { skip: !hasScript && 'script(1) is not installed' }, async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const command = `'${process.execPath}' '${COFFER}' account create --count 2000 >/dev/null`;
    const { stdout } = await run('script', ['-qec', command, '/dev/null'], { env: home.environment() });
    assert.match(stdout, /accounts created: \d+ of 2000/);
    assert.ok(stdout.endsWith('\r\x1b[K'), JSON.stringify(stdout.slice(-40)));
    await server.end('SIGTERM');
  });
});
