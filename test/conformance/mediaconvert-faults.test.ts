import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateJobCommand, GetJobCommand, type Job, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, ListMultipartUploadsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { silentLogger } from '#kernel/logger.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '#test/harness/platform.ts';
import { readConfig } from '../../bin/config.ts';
import { Server } from '../../bin/server.ts';

const MARKER = 'a_word_that_only_this_job_says';

let platform: TestPlatform;
let s3: S3Client;
let mediaconvert: MediaConvertClient;
let role: string;
/** The server that runs now: the platform's, or the one after the restart. */
let server: Server | undefined;

/** One worker at a time, so that the queue has an order that can be seen. */
before(async () => {
  platform = await startTestPlatform({ COFFER_MEDIA_WORKERS: '1' });
  server = platform.server;
  const config = platform.clientConfig();
  s3 = new S3Client(config);
  mediaconvert = new MediaConvertClient(config);
  for (const Bucket of ['source', 'outputs']) await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(
    new PutObjectCommand({
      Bucket: 'source',
      Key: 'short.mp4',
      Body: await makeTestVideo({ seconds: 1, width: 160, height: 90 }),
    }),
  );
  await s3.send(
    new PutObjectCommand({
      Bucket: 'source',
      Key: 'long.mp4',
      Body: await makeTestVideo({ seconds: 30, width: 640, height: 360 }),
    }),
  );
  role = await makeRole(config);
});

after(async () => {
  s3.destroy();
  mediaconvert.destroy();
  await server?.stop();
  await rm(dirname(platform.dataFolder), { recursive: true });
});

async function makeRole(config: ClientConfig): Promise<string> {
  const iam = new IAMClient(config);
  const trust = { Effect: 'Allow', Principal: { Service: 'mediaconvert.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const document = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const made = await iam.send(new CreateRoleCommand({ RoleName: 'Media', AssumeRolePolicyDocument: document(trust) }));
  const all = document({ Effect: 'Allow', Action: 's3:*', Resource: '*' });
  await iam.send(new PutRolePolicyCommand({ RoleName: 'Media', PolicyName: 'media', PolicyDocument: all }));
  iam.destroy();
  return made.Role?.Arn ?? '';
}

async function submit(input: string, priority = 0): Promise<string> {
  const group = mp4Group({ destination: 's3://outputs/film' });
  const [output] = group.Outputs ?? [];
  const described = { ...output, AudioDescriptions: [{ ...output?.AudioDescriptions?.[0], StreamName: MARKER }] };
  const request = jobOf(role, `s3://source/${input}`, [{ ...group, Outputs: [described] }]);
  const { Job: job } = await mediaconvert.send(new CreateJobCommand({ ...request, Priority: priority }));
  return job?.Id ?? '';
}

async function untilTranscoding(id: string): Promise<Job> {
  for (;;) {
    const { Job: job } = await mediaconvert.send(new GetJobCommand({ Id: id }));
    assert.ok(job?.Status === 'SUBMITTED' || job?.Status === 'PROGRESSING', job?.ErrorMessage ?? 'The job is over.');
    if (job.CurrentPhase === 'TRANSCODING') return job;
    await sleep(50);
  }
}

/** The processes that this one has started. */
function workers(): number[] {
  const text = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim();
  const children = text === '' ? [] : text.split(' ').map(Number);
  return children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('media/worker/main.ts'));
}

test('a worker that is killed ends its job with ERROR, and the next job runs', {
  skip: process.platform !== 'linux',
}, async () => {
  const first = await submit('long.mp4');
  const second = await submit('short.mp4');
  await untilTranscoding(first);
  // The next job's process waits beside it.
  const [worker, ...others] = workers();
  assert.ok(worker !== undefined && others.length <= 1);
  process.kill(worker, 'SIGKILL');
  const failed = await jobEnd(mediaconvert, first);
  assert.deepEqual([failed.Status, failed.ErrorCode], ['ERROR', 1999]);
  assert.match(failed.ErrorMessage ?? '', /ended unexpectedly/);
  assert.equal((await jobEnd(mediaconvert, second)).Status, 'COMPLETE');
  const { Uploads: uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'outputs' }));
  assert.deepEqual(uploads, []);
});

test('jobs are taken by priority, and in order among equals', async () => {
  const long = await submit('long.mp4');
  await untilTranscoding(long);
  const ids = [];
  for (const priority of [-5, 3, 3, 10]) ids.push(await submit('short.mp4', priority));
  const done = await Promise.all(ids.map((id) => jobEnd(mediaconvert, id)));
  const starts = done.map((job) => job.Timing?.StartTime?.getTime() ?? 0);
  const order = [0, 1, 2, 3].sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0) || 0);
  assert.equal(order.at(-1), 0);
  assert.ok(starts.every((start) => start >= (starts[3] ?? 0)));
  assert.ok((starts[1] ?? 0) <= (starts[2] ?? 0));
});

test('a job that was running at a restart runs again, from the start and once', async () => {
  const id = await submit('long.mp4');
  await untilTranscoding(id);
  await server?.stop();
  server = undefined;
  assert.deepEqual(process.platform === 'linux' ? workers() : [], []);
  server = await Server.start(readConfig({}, platform.environment), platform.environment, silentLogger);
  const again = new MediaConvertClient({ ...platform.clientConfig(), endpoint: server.endpoint });
  try {
    const job = await jobEnd(again, id);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    assert.equal(job.RetryCount, 1);
  } finally {
    again.destroy();
  }
});

test('what a job was asked to do lies nowhere in the clear', () => {
  const names = readdirSync(platform.dataFolder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  assert.ok(files.length > 0);
  for (const file of files) assert.ok(!readFileSync(file).includes(MARKER), file);
});
