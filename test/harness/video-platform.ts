import {
  CreateStreamCommand,
  DescribeStreamCommand,
  type CreateStreamCommandInput,
  KinesisVideoClient,
} from '@aws-sdk/client-kinesis-video';
import { KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { KMSClient } from '@aws-sdk/client-kms';
import { MediaConsumer } from './media-consumer.ts';
import { MediaProducer, type ProducerOptions } from './media-producer.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from './platform.ts';

/** The real server, with root's clients for video, and producers and consumers on it. */
export class VideoPlatform {
  readonly platform: TestPlatform;
  readonly control: KinesisVideoClient;
  readonly media: KinesisVideoMediaClient;
  readonly kms: KMSClient;
  readonly #producers: MediaProducer[] = [];
  readonly #consumers: MediaConsumer[] = [];

  private constructor(platform: TestPlatform) {
    this.platform = platform;
    this.control = new KinesisVideoClient(platform.clientConfig());
    this.media = new KinesisVideoMediaClient(platform.clientConfig());
    this.kms = new KMSClient(platform.clientConfig());
  }

  static async start(extra?: NodeJS.ProcessEnv): Promise<VideoPlatform> {
    return new VideoPlatform(await startTestPlatform(extra));
  }

  get credentials(): ClientConfig['credentials'] {
    return this.platform.clientConfig().credentials;
  }

  /** @returns the stream's ARN */
  async createStream(StreamName: string, input: Partial<CreateStreamCommandInput> = {}): Promise<string> {
    const { StreamARN } = await this.control.send(
      new CreateStreamCommand({ StreamName, DataRetentionInHours: 24, ...input }),
    );
    return StreamARN ?? '';
  }

  async arnOf(StreamName: string): Promise<string> {
    const { StreamInfo } = await this.control.send(new DescribeStreamCommand({ StreamName }));
    return StreamInfo?.StreamARN ?? '';
  }

  async producer(stream: string, options: Partial<ProducerOptions> = {}): Promise<MediaProducer> {
    const { endpoint } = this.platform;
    const producer = await MediaProducer.open({ endpoint, credentials: this.credentials, stream, ...options });
    this.#producers.push(producer);
    return producer;
  }

  async consumer(
    stream: string,
    start: Parameters<typeof MediaConsumer.open>[2],
    client: KinesisVideoMediaClient = this.media,
  ): Promise<MediaConsumer> {
    const consumer = await MediaConsumer.open(client, stream, start);
    this.#consumers.push(consumer);
    return consumer;
  }

  async stop(): Promise<void> {
    for (const producer of this.#producers) producer.destroy();
    for (const consumer of this.#consumers) consumer.close();
    for (const client of [this.control, this.media, this.kms]) client.destroy();
    await this.platform.stop();
  }
}
