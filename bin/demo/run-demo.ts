import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { probeMedia } from '#media/probe-media.ts';
import { ladderSettings, runJob, singleSettings } from './jobs.ts';
import { Narrator } from './narrator.ts';
import { needlesOf, scanForPlaintext } from './plaintext-scan.ts';
import { prepare } from './prepare.ts';
import { showRefusals } from './refusals.ts';
import type { Stage } from './stage.ts';
import { showTrail } from './trail.ts';

export interface DemoSource {
  /** The file's name. */
  readonly name: string;
  readonly bytes: Buffer;
  /** True for the user's own video. */
  readonly isOwn: boolean;
  readonly dataFolder: string;
  /** Must not be found in the data folder either. */
  readonly secrets: readonly string[];
}

/** The procedures of AWS's guides, one after another, each with the proof that it did what it says. */
export async function runDemo(stage: Stage, source: DemoSource): Promise<boolean> {
  const narrator = new Narrator();
  narrator.chapter('A key, a role and two buckets');
  const { keyArn, reader } = await prepare(stage, narrator);

  narrator.chapter(`Upload ${source.isOwn ? 'your video' : 'a test video'} (${megabytes(source.bytes.length)})`);
  const input = { Bucket: stage.inputBucket, Key: source.name };
  const uploaded = await stage.s3.send(new PutObjectCommand({ ...input, Body: source.bytes }));
  narrator.claim(
    'The bucket encrypted it under the key, though the upload did not ask for it',
    uploaded.ServerSideEncryption === 'aws:kms' && uploaded.SSEKMSKeyId === keyArn,
    `x-amz-server-side-encryption: ${uploaded.ServerSideEncryption}, bucket key: ${uploaded.BucketKeyEnabled}`,
  );

  narrator.chapter('Transcode it: MP4 and an HLS ladder, as the role, encrypted under the key');
  const inputUri = `s3://${stage.inputBucket}/${source.name}`;
  const job = await runJob(stage, narrator, ladderSettings(stage, keyArn, inputUri, 'first'));
  narrator.claim('The job is COMPLETE', job.Status === 'COMPLETE', describeEnd(job));
  const outputs = await checkOutputs(stage, narrator, keyArn, 'first/');

  narrator.chapter('Use an output as the input of a second job');
  const mp4 = outputs.find((output) => output.key.endsWith('.mp4'));
  if (mp4 !== undefined) {
    const uri = `s3://${stage.outputBucket}/${mp4.key}`;
    const second = await runJob(stage, narrator, singleSettings(stage, keyArn, uri, 'second'));
    narrator.claim('The second job is COMPLETE', second.Status === 'COMPLETE', describeEnd(second));
    await checkOutputs(stage, narrator, keyArn, 'second/');
  }

  narrator.chapter('What is refused');
  await showRefusals(stage, narrator, { keyArn, reader, inputUri, outputKey: mp4?.key ?? '' });

  narrator.chapter('Who used the key');
  await showTrail(stage, narrator, keyArn);

  narrator.chapter('The disk');
  const needles = new Map(needlesOf('the input', source.bytes, 40));
  for (const output of outputs) for (const entry of needlesOf(output.key, output.bytes, 12)) needles.set(...entry);
  for (const secret of [...source.secrets, reader.secretAccessKey])
    needles.set('a secret access key', Buffer.from(secret));
  const scan = await scanForPlaintext(source.dataFolder, needles);
  narrator.claim(
    `None of ${needles.size} pieces of the plaintext and of the secrets is in the data folder`,
    scan.found.length === 0 && scan.bytes > source.bytes.length,
    scan.found[0] ?? `${scan.files} files, ${megabytes(scan.bytes)} searched`,
  );

  const hasHeld = narrator.conclude();
  console.log(NEXT);
  return hasHeld;
}

interface DownloadedOutput {
  readonly key: string;
  readonly bytes: Buffer;
}

async function checkOutputs(
  stage: Stage,
  narrator: Narrator,
  keyArn: string,
  prefix: string,
): Promise<DownloadedOutput[]> {
  const { Contents = [] } = await stage.s3.send(
    new ListObjectsV2Command({ Bucket: stage.outputBucket, Prefix: prefix }),
  );
  const outputs: DownloadedOutput[] = [];
  let encrypted = 0;
  for (const { Key = '' } of Contents) {
    const object = { Bucket: stage.outputBucket, Key };
    const head = await stage.s3.send(new HeadObjectCommand(object));
    if (head.ServerSideEncryption === 'aws:kms' && head.SSEKMSKeyId === keyArn) encrypted += 1;
    const { Body } = await stage.s3.send(new GetObjectCommand(object));
    outputs.push({ key: Key, bytes: Buffer.from((await Body?.transformToByteArray()) ?? []) });
  }
  narrator.claim(
    `All ${outputs.length} objects that it wrote are encrypted under the key`,
    outputs.length > 0 && encrypted === outputs.length,
    outputs.map((output) => output.key).join('  '),
  );
  for (const output of outputs.filter(({ key }) => /(\.mp4|_00001\.ts)$/.test(key))) {
    const { streams } = await probeMedia(output.bytes, output.key);
    const video = streams.find((stream) => stream.kind === 'video');
    const audio = streams.find((stream) => stream.kind === 'audio');
    narrator.claim(
      `${output.key} plays: a decoder finds its streams`,
      video !== undefined && (video.width ?? 0) > 0,
      `${video?.codec} ${video?.width}×${video?.height}${audio === undefined ? '' : `, ${audio.codec} ${audio.sampleRate} Hz`}`,
    );
  }
  return outputs;
}

function describeEnd(job: {
  readonly ErrorCode?: number | undefined;
  readonly ErrorMessage?: string | undefined;
  readonly Id?: string | undefined;
}): string {
  return job.ErrorMessage === undefined ? `job ${job.Id}` : `error ${job.ErrorCode}: ${job.ErrorMessage}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const NEXT = `
What to try next
   npm start                          run the platform for yourself
   eval "$(npx coffer env)"           point any AWS tool at it, then: aws s3 mb s3://mine
   npm run demo -- my-video.mp4       the same with a video of yours
   npm run coffer -- verify           check every stored byte
   README.md                          a tour with the AWS CLI; docs/compatibility.md: what works`;
