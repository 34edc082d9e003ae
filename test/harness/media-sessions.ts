import assert from 'node:assert/strict';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { KinesisVideoArchivedMediaClient } from '@aws-sdk/client-kinesis-video-archived-media';
import type { FfmpegMedia } from './ffmpeg-media.ts';
import { MediaProducer } from './media-producer.ts';
import type { TestPlatform } from './platform.ts';

/** A platform with streams that are filled by a real producer connection. */
export class MediaSessions {
  readonly platform: TestPlatform;
  readonly control: KinesisVideoClient;
  readonly archived: KinesisVideoArchivedMediaClient;
  readonly #producers: MediaProducer[] = [];

  constructor(platform: TestPlatform) {
    this.platform = platform;
    this.control = new KinesisVideoClient(platform.clientConfig());
    this.archived = new KinesisVideoArchivedMediaClient(platform.clientConfig());
  }

  async stream(StreamName: string, facts: { DataRetentionInHours?: number; KmsKeyId?: string } = {}): Promise<string> {
    const { StreamARN } = await this.control.send(
      new CreateStreamCommand({ StreamName, DataRetentionInHours: 1, ...facts }),
    );
    assert.ok(StreamARN);
    return StreamARN;
  }

  /** Opens a producer's connection and sends the film's header. */
  async connect(stream: string, header: Buffer): Promise<MediaProducer> {
    const { endpoint } = this.platform;
    const producer = await MediaProducer.open({ endpoint, credentials: this.platform.clientConfig().credentials, stream });
    this.#producers.push(producer);
    producer.send(header);
    assert.equal(await producer.status(), 200);
    return producer;
  }

  /** Sends a whole film and waits until all of it is durable. @returns the numbers of its fragments */
  async produce(stream: string, media: FfmpegMedia, baseMs: number): Promise<string[]> {
    const producer = await this.connect(stream, media.header.bytes);
    producer.send(...media.fragments.map((fragment) => fragment.cluster(baseMs)));
    producer.end();
    const acks = await producer.ended();
    const persisted = acks.filter(({ EventType }) => EventType === 'PERSISTED');
    assert.equal(persisted.length, media.fragments.length, JSON.stringify(acks));
    return persisted.map(({ FragmentNumber = '' }) => FragmentNumber);
  }

  async stop(): Promise<void> {
    for (const producer of this.#producers) producer.destroy();
    this.control.destroy();
    this.archived.destroy();
    await this.platform.stop();
  }
}

/** The addresses that a playlist names, in order, whole. */
export function addressesIn(playlist: string, base: string): string[] {
  const named = [...playlist.matchAll(/URI="([^"]+)"/g)].map(([, uri = '']) => uri);
  const lines = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return [...named, ...lines].map((uri) => new URL(uri, base).href);
}
