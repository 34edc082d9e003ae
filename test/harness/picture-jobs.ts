import assert from 'node:assert/strict';
import { CreateJobCommand, type Input, type Job, type VideoDescription } from '@aws-sdk/client-mediaconvert';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { MediaAccount } from './media-account.ts';
import { h264, jobEnd, jobOf } from './media-job.ts';

/** Jobs that make silent films of 160 × 90 out of small ones, for tests that look at the pictures. */
export class PictureJobs {
  readonly account: MediaAccount;
  #count = 0;

  private constructor(account: MediaAccount) {
    this.account = account;
  }

  static async start(): Promise<PictureJobs> {
    return new PictureJobs(await MediaAccount.start(1));
  }

  async put(key: string, body: Buffer): Promise<void> {
    await this.account.s3.send(new PutObjectCommand({ Bucket: 'source', Key: key, Body: body }));
  }

  /**
   * Runs a job with one output a video description; timecodes count from nought.
   *
   * @param file of the bucket `source`
   * @param settings go over the job's
   */
  async run(
    file: string,
    input: Partial<Input>,
    videos: readonly VideoDescription[],
    settings: object = {},
  ): Promise<Job> {
    this.#count += 1;
    const destination = `s3://outputs/${this.#count}/film`;
    const request = jobOf(this.account.role, `s3://source/${file}`, [
      {
        OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS', FileGroupSettings: { Destination: destination } },
        Outputs: videos.map((video, index) => ({
          NameModifier: `_${index}`,
          ContainerSettings: { Container: 'MP4', Mp4Settings: { MoovPlacement: 'PROGRESSIVE_DOWNLOAD' } },
          VideoDescription: { Width: 160, Height: 90, CodecSettings: h264(2_000_000), ...video },
        })),
      },
    ]);
    Object.assign(request.Settings?.Inputs?.[0] ?? {}, { TimecodeSource: 'ZEROBASED' }, input);
    Object.assign(request.Settings ?? {}, { TimecodeConfig: { Source: 'ZEROBASED' } }, settings);
    const { Job: created } = await this.account.media.send(new CreateJobCommand(request));
    return jobEnd(this.account.media, created?.Id);
  }

  /** As `run`; returns the films. */
  async films(
    file: string,
    input: Partial<Input>,
    videos: readonly VideoDescription[],
    settings: object = {},
  ): Promise<Buffer[]> {
    const job = await this.run(file, input, videos, settings);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    return Promise.all(videos.map((_, index) => this.account.download(`${this.#count}/film_${index}.mp4`)));
  }

  /** As `films`, of one output. */
  async film(file: string, input: Partial<Input>, video: VideoDescription, settings: object = {}): Promise<Buffer> {
    const [film = Buffer.alloc(0)] = await this.films(file, input, [video], settings);
    return film;
  }

  stop(): Promise<void> {
    return this.account.stop();
  }
}

/** The small area around a point. */
export function at(x: number, y: number) {
  return { x: x - 2, y: y - 2, width: 4, height: 4 };
}
