import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateStreamCommand,
  type CreateStreamCommandInput,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamStorageConfigurationCommand,
  GetDataEndpointCommand,
  KinesisVideoClient,
  ListStreamsCommand,
  type ListStreamsCommandInput,
  ListTagsForStreamCommand,
  paginateListStreams,
  type StreamInfo,
  TagStreamCommand,
  type UpdateDataRetentionOperation,
  UpdateDataRetentionCommand,
  UpdateStreamCommand,
  UpdateStreamStorageConfigurationCommand,
} from '@aws-sdk/client-kinesis-video';
import { KMSClient, ListAliasesCommand } from '@aws-sdk/client-kms';
import { createAccount } from '../harness/accounts.ts';
import { failsWith } from '../harness/kinesis-video.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('Kinesis Video Streams’ control plane', () => {
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

  describe('CreateStream', () => {
    it('makes a stream that is ready, with the AWS managed key, which is not made yet', async () => {
      const began = Date.now();
      const StreamARN = await create({ StreamName: 'plain' });
      const info = await describeStream(StreamARN);
      const createdAt = info.CreationTime?.getTime() ?? 0;
      assert.ok(createdAt >= began && createdAt <= Date.now());
      assert.equal(StreamARN, `arn:aws:kinesisvideo:us-east-1:${platform.accountId}:stream/plain/${createdAt}`);
      assert.match(info.Version, /^[a-zA-Z0-9]{20}$/);
      const { Version: _, CreationTime: __, ...rest } = info;
      assert.deepEqual(rest, {
        StreamName: 'plain',
        StreamARN,
        KmsKeyId: `arn:aws:kms:us-east-1:${platform.accountId}:alias/aws/kinesisvideo`,
        Status: 'ACTIVE',
        DataRetentionInHours: 0,
      });
      const kms = new KMSClient(platform.clientConfig());
      const { Aliases } = await kms.send(new ListAliasesCommand({}));
      assert.deepEqual(Aliases, []);
      kms.destroy();
    });

    it('keeps all that it is given, and any key, unchecked', async () => {
      for (const KmsKeyId of [
        'arn:aws:kms:eu-west-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab',
        'alias/no-such-key',
        'not even a key: ünïcode',
      ]) {
        const given = {
          DeviceName: 'door.cam-1',
          MediaType: 'video/h264,audio/aac',
          KmsKeyId,
          DataRetentionInHours: 87_600,
        };
        const StreamARN = await create({
          StreamName: `full-${KmsKeyId.length}`,
          ...given,
          Tags: { team: 'doors', empty: '' },
          StreamStorageConfiguration: { DefaultStorageTier: 'WARM' },
        });
        const { DeviceName, MediaType, DataRetentionInHours, ...rest } = await describeStream(StreamARN);
        assert.deepEqual({ DeviceName, MediaType, KmsKeyId: rest.KmsKeyId, DataRetentionInHours }, given);
        const { Tags } = await kvs.send(new ListTagsForStreamCommand({ StreamARN }));
        assert.deepEqual(Tags, { team: 'doors', empty: '' });
        const { StreamStorageConfiguration } = await kvs.send(
          new DescribeStreamStorageConfigurationCommand({ StreamARN }),
        );
        assert.deepEqual(StreamStorageConfiguration, { DefaultStorageTier: 'WARM' });
      }
    });

    it('refuses a name that is taken in the account and region, and only there', async () => {
      await create({ StreamName: 'twice' });
      const again = new CreateStreamCommand({ StreamName: 'twice', DataRetentionInHours: 1 });
      await assert.rejects(kvs.send(again), failsWith('ResourceInUseException', 400, /twice/));
      const elsewhere = new KinesisVideoClient(platform.clientConfig(undefined, 'eu-west-1'));
      await elsewhere.send(again);
      elsewhere.destroy();
      const other = await createAccount(platform);
      const stranger = new KinesisVideoClient(platform.clientConfig(other));
      await stranger.send(again);
      stranger.destroy();
    });

    it('lets one of many at once have a name', async () => {
      const tries = Array.from({ length: 20 }, () => kvs.send(new CreateStreamCommand({ StreamName: 'raced' })));
      const settled = await Promise.allSettled(tries);
      assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of settled) {
        if (result.status === 'rejected') failsWith('ResourceInUseException', 400)(result.reason);
      }
    });

    it('refuses what AWS’s model refuses, and a retention of more than ten years', async () => {
      const wrong: [CreateStreamCommandInput, RegExp][] = [
        [{ StreamName: '' }, /streamName/],
        [{ StreamName: 'a'.repeat(257) }, /streamName/],
        [{ StreamName: 'with space' }, /streamName/],
        [{ StreamName: undefined }, /streamName/],
        [{ StreamName: 'x', DeviceName: 'a/b' }, /deviceName/],
        [{ StreamName: 'x', MediaType: 'h264' }, /mediaType/],
        [{ StreamName: 'x', KmsKeyId: 'k'.repeat(2049) }, /kmsKeyId/],
        [{ StreamName: 'x', DataRetentionInHours: -1 }, /dataRetentionInHours/],
        [{ StreamName: 'x', DataRetentionInHours: 87_601 }, /87600/],
        [{ StreamName: 'x', Tags: { 'aws:mine': 'x' } }, /aws:/],
        [{ StreamName: 'x', StreamStorageConfiguration: { DefaultStorageTier: 'COLD' as 'HOT' } }, /HOT, WARM/],
      ];
      for (const [input, message] of wrong) {
        const failure = failsWith('InvalidArgumentException', 400, message);
        await assert.rejects(kvs.send(new CreateStreamCommand(input)), failure);
      }
      await assert.rejects(
        kvs.send(new DescribeStreamCommand({ StreamName: 'x' })),
        failsWith('ResourceNotFoundException', 404),
      );
    });
  });

  it('names a stream by its name or its ARN', async () => {
    const StreamARN = await create({ StreamName: 'named' });
    const notFound = failsWith('ResourceNotFoundException', 404, /not found/);
    for (const target of [{ StreamName: 'named' }, { StreamARN }, { StreamName: 'named', StreamARN }]) {
      const { StreamInfo } = await kvs.send(new DescribeStreamCommand(target));
      assert.equal(StreamInfo?.StreamARN, StreamARN);
    }
    for (const target of [
      { StreamName: 'Named' },
      { StreamARN: StreamARN.replace(/\d+$/, '1') },
      { StreamARN: StreamARN.replace('us-east-1', 'eu-west-1') },
    ]) {
      await assert.rejects(kvs.send(new DescribeStreamCommand(target)), notFound, JSON.stringify(target));
    }
    const elsewhere = new KinesisVideoClient(platform.clientConfig(undefined, 'eu-west-1'));
    const far = await elsewhere.send(new CreateStreamCommand({ StreamName: 'named' }));
    await elsewhere.send(new DescribeStreamCommand({ StreamARN: far.StreamARN }));
    elsewhere.destroy();
    await assert.rejects(kvs.send(new DescribeStreamCommand({ StreamARN: far.StreamARN })), notFound);
    for (const target of [
      {},
      { StreamName: 'other', StreamARN },
      { StreamARN: StreamARN.replace(':stream/', ':channel/') },
      { StreamARN: 'arn:aws:kinesis:us-east-1:123456789012:stream/named' },
    ]) {
      const failure = failsWith('InvalidArgumentException', 400, /Stream(Name|ARN)|streamARN|ARN of a stream/);
      await assert.rejects(kvs.send(new DescribeStreamCommand(target)), failure, JSON.stringify(target));
    }
  });

  describe('ListStreams', () => {
    let lister: KinesisVideoClient;
    before(async () => {
      lister = new KinesisVideoClient(platform.clientConfig(undefined, 'ap-south-1'));
      for (const name of ['cam', 'cam-2', 'cam.3', 'cam_4', 'Cam', 'dam', 'ca', 'cb']) {
        await lister.send(new CreateStreamCommand({ StreamName: name }));
      }
    });
    after(() => lister.destroy());

    async function names(input: ListStreamsCommandInput, pageSize?: number): Promise<string[]> {
      const found: string[] = [];
      const paginator = paginateListStreams({ client: lister, ...(pageSize && { pageSize }) }, input);
      for await (const page of paginator) {
        assert.ok((page.StreamInfoList?.length ?? 0) <= (pageSize ?? 10_000));
        found.push(...(page.StreamInfoList ?? []).map(({ StreamName = '' }) => StreamName));
      }
      return found;
    }

    it('tells the streams of an account and region, page by page', async () => {
      const all = ['Cam', 'ca', 'cam', 'cam-2', 'cam.3', 'cam_4', 'cb', 'dam'];
      assert.deepEqual(await names({}), all);
      const whole = await lister.send(new ListStreamsCommand({ MaxResults: all.length }));
      assert.equal(whole.NextToken, undefined, 'there is no page behind the last one');
      for (const pageSize of [1, 2, 3, 7, 8]) assert.deepEqual(await names({}, pageSize), all);
    });

    it('tells those whose names begin with a prefix', async () => {
      const StreamNameCondition = { ComparisonOperator: 'BEGINS_WITH', ComparisonValue: 'cam' } as const;
      const some = ['cam', 'cam-2', 'cam.3', 'cam_4'];
      assert.deepEqual(await names({ StreamNameCondition }), some);
      assert.deepEqual(await names({ StreamNameCondition }, 1), some);
      assert.deepEqual(await names({ StreamNameCondition: { ...StreamNameCondition, ComparisonValue: 'x' } }), []);
    });

    it('refuses a token that is not its own', async () => {
      for (const NextToken of ['bm9uc2Vuc2U=', 'not/base64', '=']) {
        const failure = failsWith('InvalidArgumentException', 400, /NextToken/);
        await assert.rejects(lister.send(new ListStreamsCommand({ NextToken })), failure);
      }
    });
  });

  describe('changes', () => {
    it('of a stream need its latest version and give it another', async () => {
      const StreamARN = await create({ StreamName: 'changing', DeviceName: 'one', KmsKeyId: 'alias/mine' });
      const first = await describeStream(StreamARN);
      await kvs.send(
        new UpdateStreamCommand({
          StreamARN,
          CurrentVersion: first.Version,
          MediaType: 'video/h265',
          DeviceName: 'two',
        }),
      );
      const second = await describeStream(StreamARN);
      assert.notEqual(second.Version, first.Version);
      assert.deepEqual(second, { ...first, Version: second.Version, MediaType: 'video/h265', DeviceName: 'two' });

      const stale = { StreamARN, CurrentVersion: first.Version };
      const storage = { StreamStorageConfiguration: { DefaultStorageTier: 'WARM' } } as const;
      const retention = { Operation: 'INCREASE_DATA_RETENTION', DataRetentionChangeInHours: 1 } as const;
      const mismatch = failsWith('VersionMismatchException', 400, new RegExp(first.Version));
      await assert.rejects(kvs.send(new UpdateStreamCommand({ ...stale, DeviceName: 'three' })), mismatch);
      await assert.rejects(kvs.send(new UpdateDataRetentionCommand({ ...stale, ...retention })), mismatch);
      await assert.rejects(kvs.send(new UpdateStreamStorageConfigurationCommand({ ...stale, ...storage })), mismatch);
      await assert.rejects(kvs.send(new DeleteStreamCommand(stale)), mismatch);
      assert.deepEqual(await describeStream(StreamARN), second);

      await kvs.send(
        new UpdateStreamStorageConfigurationCommand({ StreamARN, CurrentVersion: second.Version, ...storage }),
      );
      const third = await describeStream(StreamARN);
      assert.notEqual(third.Version, second.Version);
      await kvs.send(new UpdateStreamCommand({ StreamARN, CurrentVersion: third.Version }));
      assert.equal((await describeStream(StreamARN)).MediaType, 'video/h265', 'what is not given stays');
    });

    it('of the retention stay between nothing and ten years', async () => {
      const StreamARN = await create({ StreamName: 'retained', DataRetentionInHours: 2 });
      const change = async (Operation: UpdateDataRetentionOperation, hours: number): Promise<number | undefined> => {
        const { Version } = await describeStream(StreamARN);
        await kvs.send(
          new UpdateDataRetentionCommand({
            StreamName: 'retained',
            CurrentVersion: Version,
            Operation,
            DataRetentionChangeInHours: hours,
          }),
        );
        const after = await describeStream(StreamARN);
        assert.notEqual(after.Version, Version);
        return after.DataRetentionInHours;
      };
      assert.equal(await change('INCREASE_DATA_RETENTION', 24), 26);
      assert.equal(await change('DECREASE_DATA_RETENTION', 26), 0);
      const outside = failsWith('InvalidArgumentException', 400, /between 0 and 87600/);
      await assert.rejects(change('DECREASE_DATA_RETENTION', 1), outside);
      assert.equal(await change('INCREASE_DATA_RETENTION', 87_600), 87_600);
      await assert.rejects(change('INCREASE_DATA_RETENTION', 1), outside);
      await assert.rejects(
        change('INCREASE_DATA_RETENTION', 0),
        failsWith('InvalidArgumentException', 400, /dataRetentionChangeInHours/),
      );
    });

    it('of one version by many at once come to one', async () => {
      const StreamARN = await create({ StreamName: 'contended' });
      const { Version } = await describeStream(StreamARN);
      const settled = await Promise.allSettled(
        ['a', 'b', 'c', 'd', 'e'].map((DeviceName) =>
          kvs.send(new UpdateStreamCommand({ StreamARN, CurrentVersion: Version, DeviceName })),
        ),
      );
      assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1);
    });
  });

  it('DeleteStream makes a stream unknown at once, and its name free', async () => {
    const StreamARN = await create({ StreamName: 'doomed' });
    const { Version } = await describeStream(StreamARN);
    await kvs.send(new DeleteStreamCommand({ StreamARN, CurrentVersion: Version }));
    const notFound = failsWith('ResourceNotFoundException', 404);
    const target = { StreamName: 'doomed' };
    await assert.rejects(kvs.send(new DescribeStreamCommand(target)), notFound);
    await assert.rejects(kvs.send(new DescribeStreamCommand({ StreamARN })), notFound);
    await assert.rejects(kvs.send(new UpdateStreamCommand({ ...target, CurrentVersion: Version })), notFound);
    await assert.rejects(kvs.send(new TagStreamCommand({ ...target, Tags: { a: 'b' } })), notFound);
    await assert.rejects(kvs.send(new GetDataEndpointCommand({ ...target, APIName: 'GET_MEDIA' })), notFound);
    await assert.rejects(kvs.send(new DeleteStreamCommand({ StreamARN })), notFound);
    const { StreamInfoList = [] } = await kvs.send(
      new ListStreamsCommand({ StreamNameCondition: { ComparisonValue: 'doomed' } }),
    );
    assert.deepEqual(StreamInfoList, []);

    const second = await create({ StreamName: 'doomed' });
    assert.notEqual(second, StreamARN);
    await assert.rejects(kvs.send(new DeleteStreamCommand({ StreamARN })), notFound, 'the ARN is of the first one');
    await kvs.send(new DeleteStreamCommand({ StreamARN: second }));
  });
});
