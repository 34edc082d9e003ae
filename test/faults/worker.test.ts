import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateJobCommand, type Job, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, ListMultipartUploadsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { makeTestVideo } from '#media/test-video.ts';
import { CofferHome } from '../harness/coffer-home.ts';
import { filesUnder } from '../harness/files-under.ts';
import { jobEnd, jobOf, mp4Group } from '../harness/media-job.ts';
import type { ClientConfig } from '../harness/platform.ts';

const BUCKET = 'worker-of-the-test';

/** The media workers that a server has started, by their process ids. */
async function workersOf(serverPid: number): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = await readFile(`/proc/${name}/status`, 'utf8');
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8');
      const isChild = new RegExp(`^PPid:\\s${serverPid}$`, 'm').test(status);
      if (isChild && command.includes('worker/main.ts')) pids.push(Number(name));
    } catch {
      // It has ended since it was listed.
    }
  }
  return pids;
}

async function workerOf(serverPid: number): Promise<number> {
  for (let wait = 0; wait < 500; wait++) {
    const [pid] = await workersOf(serverPid);
    if (pid !== undefined) return pid;
    await delay(20);
  }
  throw new Error('No worker was started.');
}

async function isAlive(pid: number): Promise<boolean> {
  return readFile(`/proc/${pid}/status`, 'utf8').then(
    (status) => !/^State:\sZ/m.test(status),
    () => false,
  );
}

async function furnish(config: ClientConfig, video: Buffer): Promise<string> {
  const iam = new IAMClient(config);
  const s3 = new S3Client(config);
  const trust = { Effect: 'Allow', Principal: { Service: 'mediaconvert.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument }));
  const allow = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [allow] });
  await iam.send(new PutRolePolicyCommand({ RoleName: 'worker', PolicyName: 'p', PolicyDocument }));
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'in.mp4', Body: video }));
  iam.destroy();
  s3.destroy();
  return Role?.Arn ?? '';
}

async function createJob(jobs: MediaConvertClient, role: string): Promise<string> {
  const groups = [mp4Group({ destination: `s3://${BUCKET}/out/` })];
  const { Job } = await jobs.send(new CreateJobCommand(jobOf(role, `s3://${BUCKET}/in.mp4`, groups)));
  return Job?.Id ?? '';
}

it('ends the job of a worker that dies, runs the next, and outlives its own death amid a job', {
  skip: process.platform !== 'linux' && 'finds workers in /proc',
}, async () => {
  await using home = await CofferHome.make();
  const video = await makeTestVideo({ seconds: 10, width: 640, height: 360 });
  const server = await home.start();
  const config = await home.rootClientConfig();
  const role = await furnish(config, video);
  const jobs = new MediaConvertClient(config);

  const doomed = await createJob(jobs, role);
  const next = await createJob(jobs, role);
  process.kill(await workerOf(server.pid), 'SIGKILL');
  const failed = await jobEnd(jobs, doomed);
  assert.equal(failed.Status, 'ERROR');
  assert.match(failed.ErrorMessage ?? '', /ended unexpectedly \(SIGKILL\)/);
  assert.ok(failed.ErrorCode);
  assert.equal((await jobEnd(jobs, next)).Status, 'COMPLETE');

  // The server dies: its worker does not go on alone, and the job ends after the next start.
  const orphaned = await createJob(jobs, role);
  const worker = await workerOf(server.pid);
  await server.end('SIGKILL');
  jobs.destroy();
  for (let wait = 0; wait < 250 && (await isAlive(worker)); wait++) await delay(20);
  assert.equal(await isAlive(worker), false, 'the worker has ended too');

  const again = await home.start();
  const clientAgain = await home.rootClientConfig();
  const jobsAgain = new MediaConvertClient(clientAgain);
  const ended: Job = await jobEnd(jobsAgain, orphaned, 90_000);
  assert.ok(ended.Status === 'COMPLETE' || ended.Status === 'ERROR', String(ended.Status));
  assert.equal((await jobEnd(jobsAgain, await createJob(jobsAgain, role))).Status, 'COMPLETE');

  // A server that is told to end takes its worker with it.
  await createJob(jobsAgain, role);
  const last = await workerOf(again.pid);
  const { code } = await again.end('SIGTERM');
  assert.equal(code, 0);
  assert.equal(await isAlive(last), false);
  jobsAgain.destroy();

  const third = await home.start();
  const s3 = new S3Client(await home.rootClientConfig());
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  assert.ok(Uploads.length <= 2, 'at most what the killed server could not abort');
  s3.destroy();
  await third.end('SIGTERM');
  assert.ok((await filesUnder(home.dataFolder)).every((path) => !path.endsWith('.mp4')));
});
