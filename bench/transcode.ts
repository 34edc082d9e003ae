import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateJobCommand,
  type CreateJobRequest,
  GetJobCommand,
  MediaConvertClient,
  type VideoCodecSettings,
} from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, PutBucketEncryptionCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { makeTestVideo } from '#media/test-video.ts';
import { type BenchServer, startCoffer } from './processes.ts';

/**
 * A transcode (1080p30 → three H.264 renditions and AAC, veryfast): a MediaConvert job from CreateJob to COMPLETE, with
 * its input and outputs encrypted under a KMS key, against the `ffmpeg` command with the same settings on plain files
 * in memory. The wall times of both are taken in turn.
 */
export interface TranscodeBench {
  readonly name: 'transcode';
  /** The job's wall time over the command's: the median of the rounds. */
  readonly ratio: number;
  readonly workerSeconds: readonly number[];
  readonly commandSeconds: readonly number[];
}

const RENDITIONS = [
  { width: 1920, height: 1080, bitrate: 5_000_000 },
  { width: 1280, height: 720, bitrate: 3_000_000 },
  { width: 640, height: 360, bitrate: 1_000_000 },
];

/** @returns `undefined` where the `ffmpeg` command is missing */
export async function benchTranscode(seconds = 20, rounds = 3): Promise<TranscodeBench | undefined> {
  if ((await run('ffmpeg', ['-version'])) === undefined) return undefined;
  const film = await makeTestVideo({ seconds, width: 1920, height: 1080, bitrate: 8_000_000 });
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = await mkdtemp(join(memory, 'coffer-bench-'));
  const server = await startCoffer();
  const workerSeconds: number[] = [];
  const commandSeconds: number[] = [];
  try {
    const path = join(folder, 'in.mp4');
    await writeFile(path, film);
    const { client, roleArn } = await prepare(server, film);
    for (let round = 0; round < rounds; round++) {
      commandSeconds.push((await run('ffmpeg', commandArguments(path, folder))) ?? Number.NaN);
      workerSeconds.push(await timeJob(client, roleArn));
    }
    client.destroy();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
  const ratios = workerSeconds.map((time, index) => time / (commandSeconds[index] ?? Number.NaN)).sort((a, b) => a - b);
  return {
    name: 'transcode',
    ratio: ratios[Math.floor(ratios.length / 2)] ?? Number.NaN,
    workerSeconds,
    commandSeconds,
  };
}

function commandArguments(input: string, folder: string): string[] {
  const outputs = RENDITIONS.flatMap(({ width, height, bitrate }) =>
    [
      `-map 0:v -map 0:a -s ${width}x${height} -c:v libx264 -preset veryfast -profile:v high`,
      `-b:v ${bitrate} -maxrate ${bitrate * 1.5} -bufsize ${bitrate * 3} -g 60 -pix_fmt yuv420p -c:a aac -b:a 128k`,
    ]
      .join(' ')
      .split(' ')
      .concat(join(folder, `out-${height}.mp4`)),
  );
  return ['-v', 'quiet', '-nostdin', '-y', '-i', input, ...outputs];
}

/** A running platform with an encrypted bucket, the film in it, and a role for jobs. */
async function prepare(server: BenchServer, film: Buffer) {
  const { endpoint, credentials } = server;
  const config = { endpoint, credentials, region: 'us-east-1', forcePathStyle: true };
  const [s3, kms, iam] = [new S3Client(config), new KMSClient(config), new IAMClient(config)];
  const key = await kms.send(new CreateKeyCommand({}));
  const encryption = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: key.KeyMetadata?.Arn };
  const rules = { Rules: [{ ApplyServerSideEncryptionByDefault: encryption, BucketKeyEnabled: true }] };
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: rules }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'in.mp4', Body: film }));
  const trust = { Effect: 'Allow', Principal: { Service: 'mediaconvert.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const allow = { Effect: 'Allow', Action: ['s3:*', 'kms:*'], Resource: '*' };
  const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const RoleName = 'Bench';
  const role = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust) }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'all', PolicyDocument: policy(allow) }));
  for (const client of [s3, kms, iam]) client.destroy();
  return { client: new MediaConvertClient(config), roleArn: role.Role?.Arn ?? '' };
}

const Bucket = 'bench';
const POLL_MS = 100;

/** From CreateJob to COMPLETE, as a client sees it. */
async function timeJob(client: MediaConvertClient, role: string): Promise<number> {
  const begin = performance.now();
  const { Job: created } = await client.send(new CreateJobCommand(jobRequest(role)));
  for (;;) {
    const { Job: job } = await client.send(new GetJobCommand({ Id: created?.Id }));
    if (job?.Status === 'COMPLETE') return (performance.now() - begin) / 1000;
    if (job?.Status === 'ERROR') throw new Error(job.ErrorMessage);
    await sleep(POLL_MS);
  }
}

function jobRequest(role: string): CreateJobRequest {
  const aac = { Bitrate: 128_000, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000 } as const;
  return {
    Role: role,
    Settings: {
      Inputs: [{ FileInput: `s3://${Bucket}/in.mp4` }],
      OutputGroups: [
        {
          OutputGroupSettings: {
            Type: 'FILE_GROUP_SETTINGS',
            FileGroupSettings: { Destination: `s3://${Bucket}/out` },
          },
          Outputs: RENDITIONS.map(({ width, height, bitrate }) => ({
            NameModifier: `-${height}`,
            ContainerSettings: { Container: 'MP4', Mp4Settings: { MoovPlacement: 'NORMAL' } },
            VideoDescription: { Width: width, Height: height, CodecSettings: videoCodec(bitrate) },
            AudioDescriptions: [{ CodecSettings: { Codec: 'AAC', AacSettings: aac } }],
          })),
        },
      ],
    },
  };
}

function videoCodec(bitrate: number): VideoCodecSettings {
  return {
    Codec: 'H_264',
    H264Settings: {
      RateControlMode: 'VBR',
      Bitrate: bitrate,
      MaxBitrate: bitrate * 1.5,
      HrdBufferSize: bitrate * 3,
      QualityTuningLevel: 'SINGLE_PASS',
      GopSize: 60,
      GopSizeUnits: 'FRAMES',
      CodecProfile: 'HIGH',
    },
  };
}

/** Runs a command to its end; returns its wall time in seconds, `undefined` when it cannot be started or fails. */
function run(command: string, args: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve) => {
    const begin = performance.now();
    const child = spawn(command, args, { stdio: 'ignore' });
    child.on('error', () => resolve(undefined));
    child.on('exit', (code) => resolve(code === 0 ? (performance.now() - begin) / 1000 : undefined));
  });
}

if (import.meta.main) {
  const result = await benchTranscode();
  console.log(result === undefined ? 'Skipped: the ffmpeg command is not installed.' : JSON.stringify(result, null, 2));
}
