import assert from 'node:assert/strict';
import { KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import {
  type GetDASHStreamingSessionURLInput,
  GetDASHStreamingSessionURLCommand,
  GetHLSStreamingSessionURLCommand,
  type GetHLSStreamingSessionURLInput,
  KinesisVideoArchivedMediaClient,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import { putFragments } from './archived-video.ts';
import type { FfmpegMedia } from './ffmpeg-media.ts';
import { cluster, element, header, simpleBlock } from './matroska-builder.ts';
import { MediaProducer } from './media-producer.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from './platform.ts';

/** A platform whose streams real producers fill, and real players read. */
export class MediaSessions {
  readonly platform: TestPlatform;
  readonly control: KinesisVideoClient;
  readonly archived: KinesisVideoArchivedMediaClient;
  readonly #producers: MediaProducer[] = [];

  private constructor(platform: TestPlatform) {
    this.platform = platform;
    this.control = new KinesisVideoClient(platform.clientConfig());
    this.archived = new KinesisVideoArchivedMediaClient(platform.clientConfig());
  }

  static async start(): Promise<MediaSessions> {
    return new MediaSessions(await startTestPlatform());
  }

  async stop(): Promise<void> {
    for (const producer of this.#producers) producer.destroy();
    this.control.destroy();
    this.archived.destroy();
    await this.platform.stop();
  }

  /** Opens a connection that stays open, and sends the film's header. */
  async connect(stream: string, media: FfmpegMedia): Promise<MediaProducer> {
    const { endpoint } = this.platform;
    const { credentials } = this.platform.clientConfig();
    const producer = await MediaProducer.open({ endpoint, credentials, stream });
    this.#producers.push(producer);
    producer.send(media.header.bytes);
    return producer;
  }

  /** Sends a whole film and waits until all of it is durable. @returns the numbers of its fragments */
  produce(stream: string, media: FfmpegMedia, baseMs: number): Promise<string[]> {
    const clusters = media.fragments.map((fragment) => fragment.cluster(baseMs));
    return putFragments(this.platform, stream, media.header.bytes, clusters);
  }

  async hls(input: GetHLSStreamingSessionURLInput, credentials?: ClientConfig['credentials']): Promise<string> {
    const client = this.#as(credentials);
    const { HLSStreamingSessionURL } = await client.send(new GetHLSStreamingSessionURLCommand(input));
    assert.ok(HLSStreamingSessionURL);
    return HLSStreamingSessionURL;
  }

  async dash(input: GetDASHStreamingSessionURLInput, credentials?: ClientConfig['credentials']): Promise<string> {
    const client = this.#as(credentials);
    const { DASHStreamingSessionURL } = await client.send(new GetDASHStreamingSessionURLCommand(input));
    assert.ok(DASHStreamingSessionURL);
    return DASHStreamingSessionURL;
  }

  #as(credentials: ClientConfig['credentials'] | undefined): KinesisVideoArchivedMediaClient {
    if (credentials === undefined) return this.archived;
    return new KinesisVideoArchivedMediaClient(this.platform.clientConfig(credentials));
  }
}

/** x264: 320 × 180. */
const AVC_RECORD = Buffer.from(
  '0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000668ebe3cb22c0fdf8f800',
  'hex',
);

/** What a camera sends that shows nothing: for tests that need no picture, and no ffmpeg. */
export const blindHeader = header({ number: 1, extra: [element(ELEMENT.codecPrivate, AVC_RECORD)] });

export function blindCluster(timeMs: number): Buffer {
  const payload = Buffer.from('0000000465aabbcc', 'hex');
  return cluster(timeMs, { blocks: [0, 500].map((time) => simpleBlock({ time, payload })), size: 8 });
}

/** A range of a film, by the producer's timestamps. */
export function producerRange(baseMs: number, media: FfmpegMedia) {
  const end = (media.fragments.at(-1)?.offsetMs ?? 0) + 1;
  return {
    FragmentSelectorType: 'PRODUCER_TIMESTAMP' as const,
    TimestampRange: { StartTimestamp: new Date(baseMs), EndTimestamp: new Date(baseMs + end) },
  };
}

/** A page of a session that is there. */
export async function fetchText(address: string): Promise<string> {
  const response = await fetch(address);
  const text = await response.text();
  assert.equal(response.status, 200, `${new URL(address).pathname}: ${text}`);
  return text;
}

export async function fetchBytes(address: string): Promise<Buffer> {
  const response = await fetch(address);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200, `${new URL(address).pathname}: ${bytes.toString('latin1', 0, 300)}`);
  return bytes;
}

/** The addresses that a playlist names, whole: those in attributes first. */
export function addressesIn(playlist: string, base: string): string[] {
  const named = [...playlist.matchAll(/URI="([^"]+)"/g)].map(([, uri = '']) => uri);
  const lines = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return [...named, ...lines].map((uri) => new URL(uri, base).href);
}

/** The media playlist of a track. */
export function trackPlaylist(master: string, track = 1): string {
  return master.replace('getHLSMasterPlaylist', 'getHLSMediaPlaylist').concat(`&TrackNumber=${track}`);
}

/** The refusal of a fetch: its status, error type and message. */
export async function refusalOf(address: string): Promise<readonly [status: number, type: string, message: string]> {
  const response = await fetch(address);
  const { Message } = (await response.json()) as { readonly Message: string };
  assert.equal(response.headers.get('access-control-allow-origin'), '*', 'a page of another origin may read it');
  return [response.status, response.headers.get('x-amzn-errortype') ?? '', Message];
}
