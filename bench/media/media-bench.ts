import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateJobCommand, GetJobCommand, type JobSettings, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, GetObjectCommand, PutBucketEncryptionCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { type BenchServer, startCoffer } from '../processes.ts';
import { median } from '../result.ts';

export const BUCKET = 'bench';
const POLL_MS = 25;

/** A server in a process of its own with an encrypted bucket, a role for jobs, and a folder in memory for the peer's files. */
export class MediaBench {
  readonly folder: string;
  readonly #server: BenchServer;
  readonly #s3: S3Client;
  readonly #client: MediaConvertClient;
  readonly #role: string;

  private constructor(server: BenchServer, s3: S3Client, role: string, folder: string) {
    this.folder = folder;
    this.#server = server;
    this.#s3 = s3;
    this.#client = new MediaConvertClient({ ...configOf(server) });
    this.#role = role;
  }

  static async start(): Promise<MediaBench> {
    const server = await startCoffer();
    const config = configOf(server);
    const [s3, kms, iam] = [new S3Client(config), new KMSClient(config), new IAMClient(config)];
    const key = await kms.send(new CreateKeyCommand({}));
    const encryption = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: key.KeyMetadata?.Arn };
    const rules = { Rules: [{ ApplyServerSideEncryptionByDefault: encryption, BucketKeyEnabled: true }] };
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await s3.send(new PutBucketEncryptionCommand({ Bucket: BUCKET, ServerSideEncryptionConfiguration: rules }));
    const trust = { Effect: 'Allow', Principal: { Service: 'mediaconvert.amazonaws.com' }, Action: 'sts:AssumeRole' };
    const allow = { Effect: 'Allow', Action: ['s3:*', 'kms:*'], Resource: '*' };
    const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    const RoleName = 'Bench';
    const role = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust) }));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'all', PolicyDocument: policy(allow) }));
    for (const client of [kms, iam]) client.destroy();
    const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    return new MediaBench(server, s3, role.Role?.Arn ?? '', await mkdtemp(join(memory, 'coffer-bench-')));
  }

  async put(Key: string, Body: Buffer): Promise<void> {
    await new Upload({ client: this.#s3, params: { Bucket: BUCKET, Key, Body } }).done();
  }

  async get(Key: string): Promise<Uint8Array> {
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return (await Body?.transformToByteArray()) ?? new Uint8Array(0);
  }

  /** @returns seconds from the first CreateJob until all are COMPLETE, as a client sees it */
  async time(...jobs: readonly JobSettings[]): Promise<number> {
    const begin = performance.now();
    const made = await Promise.all(
      jobs.map(async (Settings) => this.#client.send(new CreateJobCommand({ Role: this.#role, Settings }))),
    );
    for (const { Job } of made) await this.#finish(Job?.Id);
    return (performance.now() - begin) / 1000;
  }

  /** Lets the `ffmpeg` command and a job take turns. */
  async race(rounds: number, command: readonly string[], job: JobSettings): Promise<Race> {
    const race = { commands: [] as number[], jobs: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      race.commands.push((await runCommand(command)) ?? Number.NaN);
      race.jobs.push(await this.time(job));
    }
    return race;
  }

  /** @returns the most resident bytes that a worker process had meanwhile */
  async peakWhile(work: Promise<unknown>): Promise<number> {
    let peak = 0;
    let isOver = false;
    void work.catch(() => undefined).finally(() => (isOver = true));
    while (!isOver) {
      peak = Math.max(peak, await this.#workerBytes());
      await sleep(50);
    }
    await work;
    return peak;
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    this.#s3.destroy();
    await this.#server.stop();
    await rm(this.folder, { recursive: true });
  }

  async #finish(Id: string | undefined): Promise<void> {
    for (;;) {
      const { Job: job } = await this.#client.send(new GetJobCommand({ Id }));
      if (job?.Status === 'COMPLETE') return;
      if (job?.Status === 'ERROR') throw new Error(job.ErrorMessage);
      await sleep(POLL_MS);
    }
  }

  async #workerBytes(): Promise<number> {
    let most = 0;
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
      if (!new RegExp(`^PPid:\\s${this.#server.pid}$`, 'm').test(status)) continue;
      most = Math.max(most, Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
    }
    return most;
  }
}

function configOf({ endpoint, credentials }: BenchServer) {
  return { endpoint, credentials, region: 'us-east-1', forcePathStyle: true } as const;
}

/** Whether the `ffmpeg` command is installed; says so where it is not. */
export async function hasCommand(bench: string): Promise<boolean> {
  if ((await runCommand(['-version'])) !== undefined) return true;
  console.error(`${bench}: skipped, there is no ffmpeg command on this machine`);
  return false;
}

/** Runs `ffmpeg`; returns its wall time in seconds, `undefined` when it cannot be started or fails. */
function runCommand(args: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve) => {
    const begin = performance.now();
    const child = spawn('ffmpeg', args, { stdio: 'ignore' });
    child.on('error', () => resolve(undefined));
    child.on('exit', (code) => resolve(code === 0 ? (performance.now() - begin) / 1000 : undefined));
  });
}

/** Runs `ffmpeg` and returns what it says. */
export function readCommand(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (data: Buffer) => (text += data.toString()));
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve(text) : reject(new Error(text))));
  });
}

/** Seconds of the command and of the job, round by round. */
export interface Race {
  readonly commands: readonly number[];
  readonly jobs: readonly number[];
}

/** The median of the rounds' ratios: the job's time over the command's. */
export function timeRatio({ commands, jobs }: Race): number {
  return median(jobs.map((time, index) => time / (commands[index] ?? Number.NaN)));
}

/** Both lists of seconds, for the table. */
export function raceText({ commands, jobs }: Race): string {
  return `${secondsText(jobs)} s against ${secondsText(commands)} s`;
}

/** A list of seconds, for the table. */
export function secondsText(seconds: readonly number[]): string {
  return seconds.map((value) => value.toFixed(1)).join(' ');
}
