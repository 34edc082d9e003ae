import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { CofferHome } from '../harness/coffer-home.ts';

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function refusesConnections(endpoint: string): Promise<boolean> {
  const { hostname, port } = new URL(endpoint);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

describe('a running server', { concurrency: 2 }, () => {
  it('says that it is live and ready', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    for (const check of ['live', 'ready']) {
      const answer = await fetch(`${server.endpoint}/health/${check}`);
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), { status: 'ok' });
    }
    assert.equal((await server.end('SIGINT')).code, 0);
  });

  it('finishes the upload under way when it is told to end, takes no other, and leaves no control file', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const config = await home.rootClientConfig();
    const s3 = new S3Client(config);
    await s3.send(new CreateBucketCommand({ Bucket: 'slow-uploads' }));
    const sts = new STSClient(config);
    await sts.send(new GetCallerIdentityCommand({}));

    const content = randomBytes(400_000);
    const body = new PassThrough();
    body.write(content.subarray(0, 100_000));
    const upload = s3.send(
      new PutObjectCommand({ Bucket: 'slow-uploads', Key: 'a', Body: body, ContentLength: content.length }),
    );
    await delay(300);
    const control = join(home.dataFolder, 'control.json');
    const { socket } = JSON.parse(await readFile(control, 'utf8')) as { socket: string };
    const ended = server.end('SIGTERM');
    while (!(await refusesConnections(server.endpoint))) await delay(20);
    body.write(content.subarray(100_000, 200_000));
    await delay(300);
    body.end(content.subarray(200_000));
    assert.ok((await upload).ETag, 'the upload is acknowledged');
    const finishedAt = Date.now();
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
    // Idle connections, which the clients keep open, are not waited for.
    assert.ok(Date.now() - finishedAt < 3000, `${Date.now() - finishedAt} ms from the last answer to the end`);
    assert.deepEqual((await readdir(home.dataFolder)).toSorted(), ['blobs', 'installation.json', 'lock', 'records.db']);
    assert.equal(await isThere(dirname(socket)), false, 'the socket’s folder is gone');
    s3.destroy();
    sts.destroy();

    const again = await home.start();
    const reader = new S3Client(await home.rootClientConfig());
    const read = await reader.send(new GetObjectCommand({ Bucket: 'slow-uploads', Key: 'a' }));
    assert.ok(Buffer.from((await read.Body?.transformToByteArray()) ?? []).equals(content));
    reader.destroy();
    await again.end('SIGTERM');
  });

  it('stops by itself when its launcher is killed', { timeout: 60_000 }, async () => {
    await using home = await CofferHome.make();
    const launcher = fileURLToPath(new URL('../../bin/coffer.mjs', import.meta.url));
    const environment = home.environment();
    const child = spawn(process.execPath, [launcher, 'start', '--port', '0'], { env: environment });
    let output = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    let endpoint: string | undefined;
    while (endpoint === undefined) {
      endpoint = /ready at (http:\S+)/.exec(output)?.[1];
      await delay(20);
    }
    await delay(200);
    assert.equal(await refusesConnections(endpoint), false, 'it stays while its launcher is there');
    child.kill('SIGKILL');
    while (!(await refusesConnections(endpoint))) await delay(20);
    // Its end, not only that of its socket: the next server finds nobody in the data folder.
    while (await isThere(join(home.dataFolder, 'control.json'))) await delay(20);
    const next = await home.start();
    assert.equal((await next.end('SIGTERM')).code, 0);
  });

  it('takes Ctrl-C, which comes to it and through its launcher too, for one signal', async () => {
    await using home = await CofferHome.make();
    const launcher = fileURLToPath(new URL('../../bin/coffer.mjs', import.meta.url));
    const child = spawn(process.execPath, [launcher, 'start', '--port', '0', '--log-level', 'info'], {
      env: home.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid } = child;
    assert.ok(pid);
    try {
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      }
      while (!output.includes('ready at')) {
        assert.equal(child.exitCode, null, output);
        await delay(20);
      }
      const s3 = new S3Client(await home.rootClientConfig());
      await s3.send(new CreateBucketCommand({ Bucket: 'by-the-launcher' }));
      const body = new PassThrough();
      body.write(Buffer.alloc(100));
      const upload = s3.send(
        new PutObjectCommand({ Bucket: 'by-the-launcher', Key: 'a', Body: body, ContentLength: 200 }),
      );
      await delay(300);
      // As a terminal does: to the whole group.
      process.kill(-pid, 'SIGINT');
      await delay(500);
      body.end(Buffer.alloc(100));
      assert.ok((await upload).ETag);
      s3.destroy();
      if (child.exitCode === null) await once(child, 'exit');
      assert.equal(child.exitCode, 0, output);
    } finally {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // The group has ended, as it should.
      }
    }
  });

  it('ends at once at the second signal', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const s3 = new S3Client(await home.rootClientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'never-ending' }));
    const body = new PassThrough();
    body.write(randomBytes(1000));
    const upload = s3.send(
      new PutObjectCommand({ Bucket: 'never-ending', Key: 'a', Body: body, ContentLength: 1_000_000 }),
    );
    upload.catch(() => {});
    await delay(300);
    const ended = server.end('SIGTERM');
    await delay(500);
    const signalledAt = Date.now();
    await server.end('SIGINT');
    const { code } = await ended;
    assert.equal(code, 1);
    assert.ok(Date.now() - signalledAt < 2000);
    body.destroy();
    await assert.rejects(upload);
    s3.destroy();
  });

  it('starts again after it was killed, whatever it left', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const { AWS_ACCESS_KEY_ID } = await home.rootEnvironment();
    const { socket } = JSON.parse(await readFile(join(home.dataFolder, 'control.json'), 'utf8')) as { socket: string };
    assert.equal((await server.end('SIGKILL')).signal, 'SIGKILL');
    assert.ok(await isThere(join(home.dataFolder, 'control.json')), 'the killed server could not remove it');

    // Commands do not take what is left for a server.
    const { code, stdout } = await home.run(['account', 'list']);
    assert.equal(code, 0);
    assert.match(stdout, /"accountId":"123456789012"/);

    const again = await home.start();
    assert.equal(await isThere(dirname(socket)), false, 'the old socket’s folder is gone');
    assert.equal((await home.rootEnvironment()).AWS_ACCESS_KEY_ID, AWS_ACCESS_KEY_ID);
    assert.equal((await home.rootEnvironment()).AWS_ENDPOINT_URL, again.endpoint);
    assert.equal((await again.end('SIGTERM')).code, 0);
  });
});
