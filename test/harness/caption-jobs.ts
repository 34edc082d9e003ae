import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CaptionDescription,
  type CaptionSelector,
  CreateJobCommand,
  type Input,
  type Job,
  MediaConvertClient,
  type Output,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type Cue, plainLines } from '#media/captions/cue.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { jobEnd, jobOf, mp4Group } from './media-job.ts';
import { makeMediaRole, OBJECTS } from './media-role.ts';
import { startTestPlatform, type TestPlatform } from './platform.ts';

/** Jobs with captions: what they are made of, and a platform with a film and a file of captions for it. */

const SRT =
  '1\n00:00:00,500 --> 00:00:01,500\n<i>First</i> line\nsecond line\n\n2\n00:00:02,500 --> 00:00:03,500\nLater & <b>on</b>\n';

export function file(
  name: string,
  SourceType: 'SRT' | 'SCC' | 'TTML' | 'WEBVTT' | 'SMI',
  extra: object = {},
): CaptionSelector {
  return { SourceSettings: { SourceType, FileSourceSettings: { SourceFile: `s3://source/${name}`, ...extra } } };
}

export const EMBEDDED: CaptionSelector = {
  SourceSettings: { SourceType: 'EMBEDDED', EmbeddedSourceSettings: { Source608ChannelNumber: 1 } },
};

export function inputOf(name: string, selector: CaptionSelector, extra: Partial<Input> = {}): Input {
  const AudioSelectors = { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' as const } };
  return {
    FileInput: `s3://source/${name}`,
    AudioSelectors,
    CaptionSelectors: { 'Captions Selector 1': selector },
    TimecodeSource: 'ZEROBASED',
    ...extra,
  };
}

export function caption(
  settings: CaptionDescription['DestinationSettings'],
  extra: Partial<CaptionDescription> = {},
): CaptionDescription {
  return {
    CaptionSelectorName: 'Captions Selector 1',
    LanguageCode: 'ENG',
    LanguageDescription: 'English',
    DestinationSettings: settings,
    ...extra,
  };
}

export function textOutput(
  Container: 'RAW' | 'M3U8' | 'MPD' | 'CMFC',
  NameModifier: string,
  description: CaptionDescription,
): Output {
  return { NameModifier, ContainerSettings: { Container }, CaptionDescriptions: [description] };
}

/** A film beside which captions are written, of which nobody looks. */
export function film(name: string, ...captions: CaptionDescription[]): OutputGroup {
  const group = mp4Group({ destination: `s3://outputs/${name}` });
  return { ...group, Outputs: group.Outputs?.map((output) => ({ ...output, CaptionDescriptions: captions })) ?? [] };
}

export function withText(group: OutputGroup, ...texts: Output[]): OutputGroup {
  return { ...group, Outputs: [...(group.Outputs ?? []), ...texts] };
}

export const texts = (cues: readonly Cue[]) =>
  cues.map((cue) => ({ from: cue.startMs, to: cue.endMs, text: plainLines(cue).join('|') }));
/** What comes of the stored `a.srt`. */
export const EXPECTED = [
  { from: 500, to: 1500, text: 'First line|second line' },
  { from: 2500, to: 3500, text: 'Later & on' },
];

export class CaptionPlatform {
  readonly platform: TestPlatform;
  readonly folder: string;
  readonly mediaconvert: MediaConvertClient;
  readonly role: string;
  readonly #s3: S3Client;

  private constructor(platform: TestPlatform, folder: string, role: string) {
    const config = platform.clientConfig();
    this.platform = platform;
    this.folder = folder;
    this.role = role;
    this.#s3 = new S3Client(config);
    this.mediaconvert = new MediaConvertClient(config);
  }

  /** With `film.mp4`, four seconds of 320x180 at 25 pictures a second, and `a.srt`, in the bucket `source`. */
  static async start(): Promise<CaptionPlatform> {
    const folder = await mkdtemp(join(tmpdir(), 'coffer-captions-'));
    const platform = await startTestPlatform();
    const role = await makeMediaRole(platform.clientConfig(), 'Media', [OBJECTS]);
    const made = new CaptionPlatform(platform, folder, role);
    for (const Bucket of ['source', 'outputs']) await made.#s3.send(new CreateBucketCommand({ Bucket }));
    await made.store('film.mp4', await makeTestVideo({ seconds: 4, width: 320, height: 180, framesPerSecond: 25 }));
    await made.store('a.srt', SRT);
    return made;
  }

  async stop(): Promise<void> {
    for (const client of [this.#s3, this.mediaconvert]) client.destroy();
    await this.platform.stop();
    await rm(this.folder, { recursive: true });
  }

  async store(Key: string, Body: string | Buffer): Promise<void> {
    await this.#s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body }));
  }

  async read(Key: string): Promise<Buffer> {
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: 'outputs', Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async listed(Prefix: string): Promise<string[]> {
    const { Contents = [] } = await this.#s3.send(new ListObjectsV2Command({ Bucket: 'outputs', Prefix }));
    return Contents.flatMap(({ Key }) => Key ?? []);
  }

  async run(inputs: Input[], groups: OutputGroup[], role = this.role): Promise<Job> {
    const { Settings, ...request } = jobOf(role, '', groups);
    const settings = { ...Settings, Inputs: inputs };
    const { Job: job } = await this.mediaconvert.send(new CreateJobCommand({ ...request, Settings: settings }));
    return jobEnd(this.mediaconvert, job?.Id);
  }

  async complete(inputs: Input[], groups: OutputGroup[]): Promise<void> {
    const job = await this.run(inputs, groups);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  }
}
