import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { CreateJobCommand, type Job, ProbeCommand, PutPolicyCommand } from '@aws-sdk/client-mediaconvert';
import { probeMedia } from '#media/probe-media.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { WebFiles } from '#test/harness/web-files.ts';

describe('inputs from web servers', () => {
  let web: WebFiles;
  let account: MediaAccount;
  let film: Buffer;
  /** Ports that nobody allowed: a server, and one that is gone. */
  let stranger: WebFiles;
  let closed: string;

  before(async () => {
    web = await WebFiles.start();
    stranger = await WebFiles.start();
    closed = await closedHost();
    account = await MediaAccount.start(1, { COFFER_HTTP_INPUT_HOSTS: `${web.host},${closed}` });
    film = await makeTestVideo({ seconds: 1, width: 320, height: 180, moov: 'end' });
    web.files.set('/films/my%20film.mp4', { bytes: film, etag: '"1"' });
    stranger.files.set('/films/secret.mp4', { bytes: film });
  });
  after(async () => {
    await account.stop();
    web.stop();
    stranger.stop();
  });

  async function run(input: string): Promise<Job> {
    const command = new CreateJobCommand(jobOf(account.role, input, [mp4Group({ destination: 's3://outputs/web/' })]));
    const { Job: job } = await account.media.send(command);
    return jobEnd(account.media, job?.Id);
  }

  async function failure(input: string): Promise<string> {
    const { Status, ErrorCode, ErrorMessage } = await run(input);
    assert.equal(Status, 'ERROR');
    return `${ErrorCode} ${ErrorMessage}`;
  }

  it('are read in ranges, and outputs are named after them', async () => {
    const job = await run(`http://${web.host}/films/my%20film.mp4?token=sesame`);
    assert.equal(job.Status, 'COMPLETE', String(job.ErrorMessage));
    const output = await account.download('web/my film-180p.mp4');
    const { streams, durationSeconds } = await probeMedia(output);
    assert.deepEqual(
      streams.map(({ codec }) => codec),
      ['h264', 'aac'],
    );
    assert.ok(Math.abs((durationSeconds ?? 0) - 1) < 0.1);
    assert.ok(web.requests.includes('HEAD /films/my%20film.mp4?token=sesame'));
  });

  it('may be where a server leads, once', async () => {
    web.answers.set('/moved.mp4', { location: '/films/my%20film.mp4' });
    web.answers.set('/moved-twice.mp4', { location: '/moved.mp4' });
    web.answers.set('/file.mp4', { location: 'file:///etc/passwd' });
    assert.equal((await run(`http://${web.host}/moved.mp4`)).Status, 'COMPLETE');
    assert.match(await failure(`http://${web.host}/moved-twice.mp4`), /^3408 .*Too many redirects/);
    assert.match(await failure(`http://${web.host}/file.mp4`), /^3408 .*no web address/);
  });

  it('are not read from private addresses that the operator has not named, however one gets there', async () => {
    web.answers.set('/inside.mp4', { location: `http://${stranger.host}/films/secret.mp4` });
    const port = stranger.host.split(':')[1];
    for (const url of [
      `http://${stranger.host}/films/secret.mp4`,
      `http://localhost:${port}/films/secret.mp4`,
      `http://[::ffff:127.0.0.1]:${port}/films/secret.mp4`,
      `http://2130706433:${port}/films/secret.mp4`,
      `http://0:${port}/films/secret.mp4`,
      `http://${web.host}/inside.mp4`,
    ]) {
      assert.match(await failure(url), /^3457 .*private address.*COFFER_HTTP_INPUT_HOSTS/, url);
    }
    assert.deepEqual(stranger.requests, []);
  });

  it('that cannot be had end the job with the code that says why', async () => {
    web.answers.set('/login.mp4', 401).set('/forbidden.mp4', 403).set('/broken.mp4', 503).set('/odd.mp4', 418);
    web.files.set('/whole.mp4', { bytes: Buffer.concat([film, Buffer.alloc(8 * 1024 ** 2)]), hasRanges: false });
    web.files.set('/text.mp4', { bytes: Buffer.from('<html>Not a film</html>') });
    web.files.set('/empty.mp4', { bytes: Buffer.alloc(0) });
    const expected = {
      '/login.mp4': /^3401 /,
      '/forbidden.mp4': /^3403 /,
      '/missing.mp4': /^3404 /,
      '/odd.mp4': /^3408 .*status 418/,
      '/broken.mp4': /^3450 /,
      '/whole.mp4': /^3408 .*ranges/,
      '/text.mp4': /^1010 /,
      '/empty.mp4': /^1010 /,
    };
    for (const [path, pattern] of Object.entries(expected)) {
      assert.match(await failure(`http://${web.host}${path}?token=sesame`), pattern);
    }
    assert.match(await failure(`http://${closed}/film.mp4`), /^3451 .*ECONNREFUSED/);
    assert.doesNotMatch(await failure(`http://${web.host}/missing.mp4?token=sesame`), /sesame/);
  });

  it('that change while they are read are not mixed', async () => {
    web.files.set('/changing.mp4', { bytes: film, etag: '"1"' });
    const change = (): void => {
      if (web.requests.at(-1) === 'HEAD /changing.mp4') web.files.set('/changing.mp4', { bytes: film, etag: '"2"' });
    };
    const timer = setInterval(change, 1);
    try {
      assert.match(await failure(`http://${web.host}/changing.mp4`), /^3408 .*changed/);
    } finally {
      clearInterval(timer);
    }
  });

  it('with a name and password, or without a file, are refused at once', async () => {
    for (const url of [`http://me:secret@${web.host}/film.mp4`, `http://${web.host}/films/`]) {
      await assert.rejects(run(url), /\/inputs\/0\/fileInput: Should/);
    }
  });

  it('are probed, too', async () => {
    const probe = async (FileUrl: string) =>
      (await account.media.send(new ProbeCommand({ InputFiles: [{ FileUrl }] }))).ProbeResults?.[0];
    const found = await probe(`http://${web.host}/films/my%20film.mp4`);
    assert.equal(found?.Container?.Format, 'mp4');
    assert.equal(found?.Metadata?.FileSize, film.length);
    await assert.rejects(probe(`http://${stranger.host}/films/secret.mp4`), /private address/);
    await assert.rejects(probe(`http://${web.host}/missing.mp4`), { name: 'NotFoundException' });
  });

  it('are refused where the account disallows them', async () => {
    await account.media.send(new PutPolicyCommand({ Policy: { HttpInputs: 'DISALLOWED' } }));
    await assert.rejects(run(`http://${web.host}/films/my%20film.mp4`), /your policy disallows/);
    await assert.rejects(
      account.media.send(new ProbeCommand({ InputFiles: [{ FileUrl: `http://${web.host}/films/my%20film.mp4` }] })),
      /disallows inputs of http/,
    );
  });
});

/** A host at which nothing listens. */
async function closedHost(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}
