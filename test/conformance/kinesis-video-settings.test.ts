import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateStreamCommand,
  type CreateStreamCommandInput,
  DescribeImageGenerationConfigurationCommand,
  DescribeNotificationConfigurationCommand,
  DescribeStreamCommand,
  GetDataEndpointCommand,
  type ImageGenerationConfiguration,
  KinesisVideoClient,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  type StreamInfo,
  TagResourceCommand,
  TagStreamCommand,
  UntagResourceCommand,
  UntagStreamCommand,
  UpdateImageGenerationConfigurationCommand,
  UpdateNotificationConfigurationCommand,
} from '@aws-sdk/client-kinesis-video';
import { failsWith } from '../harness/kinesis-video.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { sendRaw } from '../harness/raw-connection.ts';
import { signHeader } from '../harness/sigv4-signer.ts';

describe('A Kinesis video stream’s settings', () => {
  let platform: TestPlatform;
  let kvs: KinesisVideoClient;

  before(async () => {
    platform = await startTestPlatform();
    kvs = new KinesisVideoClient(platform.clientConfig());
  });
  after(async () => {
    kvs.destroy();
    await platform.stop();
  });

  async function create(input: CreateStreamCommandInput): Promise<string> {
    const { StreamARN } = await kvs.send(new CreateStreamCommand(input));
    assert.ok(StreamARN);
    return StreamARN;
  }

  async function describeStream(StreamARN: string): Promise<StreamInfo & { readonly Version: string }> {
    const { StreamInfo } = await kvs.send(new DescribeStreamCommand({ StreamARN }));
    const { Version } = StreamInfo ?? {};
    assert.ok(StreamInfo && Version);
    return { ...StreamInfo, Version };
  }

  describe('tags', () => {
    it('are added, replaced and removed by either family of operations', async () => {
      const StreamARN = await create({ StreamName: 'tagged', Tags: { a: '1' } });
      const { Version } = await describeStream(StreamARN);
      await kvs.send(new TagStreamCommand({ StreamName: 'tagged', Tags: { a: '2', 'b c': 'ü' } }));
      await kvs.send(new TagResourceCommand({ ResourceARN: StreamARN, Tags: [{ Key: 'c', Value: '' }] }));
      const all = { a: '2', 'b c': 'ü', c: '' };
      assert.deepEqual((await kvs.send(new ListTagsForStreamCommand({ StreamName: 'tagged' }))).Tags, all);
      assert.deepEqual((await kvs.send(new ListTagsForResourceCommand({ ResourceARN: StreamARN }))).Tags, all);
      await kvs.send(new UntagStreamCommand({ StreamARN, TagKeyList: ['a', 'never there'] }));
      await kvs.send(new UntagResourceCommand({ ResourceARN: StreamARN, TagKeyList: ['b c'] }));
      assert.deepEqual((await kvs.send(new ListTagsForStreamCommand({ StreamARN }))).Tags, { c: '' });
      assert.equal((await describeStream(StreamARN)).Version, Version, 'tags are no part of the versioned metadata');
    });

    it('are at most fifty', async () => {
      const StreamARN = await create({ StreamName: 'many-tags' });
      const Tags = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`key-${index}`, 'x']));
      await kvs.send(new TagStreamCommand({ StreamARN, Tags }));
      await kvs.send(new TagStreamCommand({ StreamARN, Tags: { 'key-7': 'changed' } }));
      const tooMany = failsWith('TagsPerResourceExceededLimitException', 400, /50/);
      await assert.rejects(kvs.send(new TagStreamCommand({ StreamARN, Tags: { more: 'x' } })), tooMany);
      const asList = [{ Key: 'more', Value: 'x' }];
      await assert.rejects(kvs.send(new TagResourceCommand({ ResourceARN: StreamARN, Tags: asList })), tooMany);
      const { Tags: kept = {} } = await kvs.send(new ListTagsForStreamCommand({ StreamARN }));
      assert.deepEqual(kept, { ...Tags, 'key-7': 'changed' });
    });
  });

  describe('GetDataEndpoint', () => {
    before(() => create({ StreamName: 'endpoint' }));

    it('answers the address of the request, whatever the API', async () => {
      for (const APIName of [
        'PUT_MEDIA',
        'GET_MEDIA',
        'LIST_FRAGMENTS',
        'GET_MEDIA_FOR_FRAGMENT_LIST',
        'GET_HLS_STREAMING_SESSION_URL',
        'GET_DASH_STREAMING_SESSION_URL',
        'GET_CLIP',
        'GET_IMAGES',
      ] as const) {
        const answer = await kvs.send(new GetDataEndpointCommand({ StreamName: 'endpoint', APIName }));
        assert.equal(answer.DataEndpoint, platform.endpoint, APIName);
      }
    });

    it('refuses the APIs of signalling, and streams that do not exist', async () => {
      for (const APIName of ['CONNECT_AS_MASTER', 'JOIN_STORAGE_SESSION'] as readonly string[] as 'GET_CLIP'[]) {
        const failure = failsWith('InvalidArgumentException', 400, /PUT_MEDIA, GET_MEDIA/);
        await assert.rejects(kvs.send(new GetDataEndpointCommand({ StreamName: 'endpoint', APIName })), failure);
      }
      await assert.rejects(
        kvs.send(new GetDataEndpointCommand({ StreamName: 'nowhere', APIName: 'GET_CLIP' })),
        failsWith('ResourceNotFoundException', 404),
      );
    });

    it('says what the client sees: behind a proxy, and where Host lacks the port', async () => {
      const ask = async (host: string, extra: readonly (readonly [string, string])[]): Promise<string> => {
        const unsigned = {
          method: 'POST',
          path: '/getDataEndpoint',
          headers: [['Content-Type', 'application/json'] as const, ...extra],
          body: Buffer.from(JSON.stringify({ StreamName: 'endpoint', APIName: 'PUT_MEDIA' })),
        };
        const { credentials } = platform.clientConfig();
        const response = await sendRaw(
          platform.endpoint,
          signHeader(unsigned, { credentials, service: 'kinesisvideo', host }),
        );
        assert.equal(response.status, 200, response.text);
        return String((JSON.parse(response.text) as Record<string, unknown>)['DataEndpoint']);
      };
      const { port } = new URL(platform.endpoint);
      assert.equal(await ask('127.0.0.1', []), `http://127.0.0.1:${port}`);
      assert.equal(await ask(`localhost:${port}`, []), `http://localhost:${port}`);
      assert.equal(await ask('video.example.com', [['X-Forwarded-Proto', 'https']]), 'https://video.example.com');
      assert.equal(
        await ask('video.example.com:8443', [['X-Forwarded-Proto', 'https']]),
        'https://video.example.com:8443',
      );
      assert.equal(await ask('video.example.com', [['X-Forwarded-For', '10.0.0.1']]), 'http://video.example.com');
    });
  });

  describe('image generation and notifications', () => {
    const images: ImageGenerationConfiguration = {
      Status: 'DISABLED',
      ImageSelectorType: 'SERVER_TIMESTAMP',
      DestinationConfig: { Uri: 's3://pictures/of-the-door', DestinationRegion: 'us-east-1' },
      SamplingInterval: 200,
      Format: 'JPEG',
      FormatConfig: { JPEGQuality: '80' },
      WidthPixels: 320,
    };
    const notifications = {
      Status: 'DISABLED',
      DestinationConfig: { Uri: 'arn:aws:sns:us-east-1:123456789012:topic' },
    } as const;
    let StreamARN: string;
    before(async () => {
      StreamARN = await create({ StreamName: 'pictured', DataRetentionInHours: 1 });
    });

    const updateImages = (configuration: ImageGenerationConfiguration | undefined) =>
      kvs.send(
        new UpdateImageGenerationConfigurationCommand({ StreamARN, ImageGenerationConfiguration: configuration }),
      );

    it('are kept while they are disabled, told, and removed by nothing', async () => {
      const describeImages = () => kvs.send(new DescribeImageGenerationConfigurationCommand({ StreamARN }));
      const describeNotifications = () => kvs.send(new DescribeNotificationConfigurationCommand({ StreamARN }));
      assert.equal((await describeImages()).ImageGenerationConfiguration, undefined);
      assert.equal((await describeNotifications()).NotificationConfiguration, undefined);
      const { Version } = await describeStream(StreamARN);
      await updateImages(images);
      assert.notEqual((await describeStream(StreamARN)).Version, Version);
      await kvs.send(
        new UpdateNotificationConfigurationCommand({ StreamARN, NotificationConfiguration: notifications }),
      );
      assert.deepEqual((await describeImages()).ImageGenerationConfiguration, images);
      assert.deepEqual((await describeNotifications()).NotificationConfiguration, notifications);
      await updateImages(undefined);
      await kvs.send(new UpdateNotificationConfigurationCommand({ StreamARN }));
      assert.equal((await describeImages()).ImageGenerationConfiguration, undefined);
      assert.equal((await describeNotifications()).NotificationConfiguration, undefined);
    });

    it('are refused by name where they would have to be carried out', async () => {
      await assert.rejects(
        updateImages({ ...images, Status: 'ENABLED' }),
        failsWith('InvalidArgumentException', 400, /ImageGenerationConfiguration\.Status ENABLED is not implemented/),
      );
      const NotificationConfiguration = { ...notifications, Status: 'ENABLED' } as const;
      await assert.rejects(
        kvs.send(new UpdateNotificationConfigurationCommand({ StreamARN, NotificationConfiguration })),
        failsWith('InvalidArgumentException', 400, /NotificationConfiguration\.Status ENABLED is not implemented/),
      );
    });

    it('are checked as AWS checks them', async () => {
      const wrong: [Partial<ImageGenerationConfiguration>, RegExp][] = [
        [{ SamplingInterval: 199 }, /SamplingInterval/],
        [{ WidthPixels: 3841 }, /widthPixels/],
        [{ HeightPixels: 2161 }, /heightPixels/],
        [{ FormatConfig: { JPEGQuality: '101' } }, /JPEGQuality/],
        [{ FormatConfig: { JPEGQuality: '0' } }, /JPEGQuality/],
        [{ Format: 'GIF' as 'PNG' }, /JPEG, PNG/],
        [{ DestinationConfig: { Uri: 's3://x', DestinationRegion: 'eu-west-1' } }, /us-east-1/],
      ];
      for (const [change, message] of wrong) {
        const failure = failsWith('InvalidArgumentException', 400, message);
        await assert.rejects(updateImages({ ...images, ...change }), failure);
      }
      const bare = await create({ StreamName: 'nothing-kept' });
      const noRetention = failsWith('NoDataRetentionException', 400);
      await assert.rejects(
        kvs.send(
          new UpdateImageGenerationConfigurationCommand({ StreamARN: bare, ImageGenerationConfiguration: images }),
        ),
        noRetention,
      );
      await assert.rejects(
        kvs.send(
          new UpdateNotificationConfigurationCommand({ StreamARN: bare, NotificationConfiguration: notifications }),
        ),
        noRetention,
      );
    });
  });
});
