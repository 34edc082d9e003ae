import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  GetDataEndpointCommand,
  KinesisVideoClient,
  ListStreamsCommand,
  ListTagsForStreamCommand,
  TagResourceCommand,
  TagStreamCommand,
  UntagStreamCommand,
  UpdateDataRetentionCommand,
} from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand, KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { createAccount } from '../harness/accounts.ts';
import { failsWith } from '../harness/kinesis-video.ts';
import { cluster, header } from '../harness/matroska-builder.ts';
import { MediaProducer } from '../harness/media-producer.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

interface Statement {
  readonly Effect?: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

describe('Access to Kinesis video streams', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let root: KinesisVideoClient;
  const open: { destroy(): void }[] = [];

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    root = new KinesisVideoClient(platform.clientConfig());
  });
  after(async () => {
    for (const client of [iam, root, ...open]) client.destroy();
    await platform.stop();
  });

  const streamArn = (resource: string) => `arn:aws:kinesisvideo:us-east-1:${platform.accountId}:stream/${resource}`;

  const documentOf = (statements: readonly Statement[]) =>
    JSON.stringify({ Version: '2012-10-17', Statement: statements.map((one) => ({ Effect: 'Allow', ...one })) });

  async function userCredentials(UserName: string, ...statements: readonly Statement[]) {
    await iam.send(new CreateUserCommand({ UserName }));
    const PolicyDocument = documentOf(statements);
    if (statements.length > 0) {
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument }));
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {};
    return { accessKeyId, secretAccessKey };
  }

  async function userClient(UserName: string, ...statements: readonly Statement[]): Promise<KinesisVideoClient> {
    const client = new KinesisVideoClient(platform.clientConfig(await userCredentials(UserName, ...statements)));
    open.push(client);
    return client;
  }

  async function create(StreamName: string, Tags?: Record<string, string>): Promise<string> {
    const { StreamARN } = await root.send(new CreateStreamCommand({ StreamName, ...(Tags && { Tags }) }));
    assert.ok(StreamARN);
    return StreamARN;
  }

  const denied = (action: string, resource?: string) =>
    failsWith(
      'AccessDeniedException',
      403,
      new RegExp(
        `is not authorized to perform: kinesisvideo:${action} on resource: ${resource?.replaceAll('*', '\\*') ?? ''}`,
      ),
    );

  it('is refused to whom no policy gives it, with the stream’s ARN, whether or not it exists', async () => {
    const client = await userClient('nobody');
    const StreamARN = await create('closed');
    const target = { StreamName: 'closed' };
    await assert.rejects(client.send(new DescribeStreamCommand(target)), denied('DescribeStream', StreamARN));
    await assert.rejects(
      client.send(new DescribeStreamCommand({ StreamName: 'nowhere' })),
      denied('DescribeStream', streamArn('nowhere/*')),
    );
    await assert.rejects(client.send(new DeleteStreamCommand({ StreamARN })), denied('DeleteStream', StreamARN));
    await assert.rejects(client.send(new CreateStreamCommand(target)), denied('CreateStream', streamArn('closed/')));
    await assert.rejects(client.send(new ListStreamsCommand({})), denied('ListStreams', '*'));
    await assert.rejects(
      client.send(
        new UpdateDataRetentionCommand({
          ...target,
          CurrentVersion: 'x',
          Operation: 'INCREASE_DATA_RETENTION',
          DataRetentionChangeInHours: 1,
        }),
      ),
      denied('UpdateDataRetention', StreamARN),
    );
    await assert.rejects(
      client.send(new GetDataEndpointCommand({ ...target, APIName: 'PUT_MEDIA' })),
      denied('GetDataEndpoint', StreamARN),
    );
  });

  it('is given by name, for any creation time, or by the whole ARN', async () => {
    const exact = await create('exact');
    const client = await userClient(
      'named',
      { Action: 'kinesisvideo:*', Resource: streamArn('cam-*/*') },
      { Action: 'kinesisvideo:DescribeStream', Resource: exact },
      { Action: 'kinesisvideo:ListStreams', Resource: '*' },
    );
    const { StreamARN } = await client.send(new CreateStreamCommand({ StreamName: 'cam-1' }));
    await client.send(new DescribeStreamCommand({ StreamName: 'cam-1' }));
    await client.send(new DescribeStreamCommand({ StreamARN: exact }));
    await client.send(new DescribeStreamCommand({ StreamName: 'exact' }));
    await client.send(new ListStreamsCommand({}));
    await assert.rejects(
      client.send(new DescribeStreamCommand({ StreamName: 'cam-2' })),
      failsWith('ResourceNotFoundException', 404),
      'within the pattern it is told what does not exist',
    );
    await assert.rejects(client.send(new CreateStreamCommand({ StreamName: 'dam' })), denied('CreateStream'));
    await client.send(new DeleteStreamCommand({ StreamARN }));
    // Made again it is another stream, which an ARN in a policy does not mean.
    await root.send(new DeleteStreamCommand({ StreamARN: exact }));
    await create('exact');
    const again = new DescribeStreamCommand({ StreamName: 'exact' });
    await assert.rejects(client.send(again), denied('DescribeStream'));
  });

  it('may depend on the tags of the stream and of the request', async () => {
    const client = await userClient(
      'tagger',
      {
        Action: ['kinesisvideo:CreateStream', 'kinesisvideo:TagStream', 'kinesisvideo:TagResource'],
        Resource: streamArn('*'),
        Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } },
      },
      {
        Action: ['kinesisvideo:DescribeStream', 'kinesisvideo:ListTagsForStream'],
        Resource: streamArn('*'),
        Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } },
      },
      {
        Action: 'kinesisvideo:UntagStream',
        Resource: streamArn('*'),
        Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['note'] } },
      },
    );
    const Tags = { team: 'blue', note: 'x' };
    await assert.rejects(client.send(new CreateStreamCommand({ StreamName: 'tag-1' })), denied('CreateStream'));
    await client.send(new CreateStreamCommand({ StreamName: 'tag-1', Tags }));
    const target = { StreamName: 'tag-1' };
    await client.send(new DescribeStreamCommand(target));
    await client.send(new ListTagsForStreamCommand(target));
    await client.send(new UntagStreamCommand({ ...target, TagKeyList: ['note'] }));
    await assert.rejects(
      client.send(new UntagStreamCommand({ ...target, TagKeyList: ['note', 'team'] })),
      denied('UntagStream'),
    );
    const red = await create('tag-2', { team: 'red' });
    await assert.rejects(client.send(new DescribeStreamCommand({ StreamARN: red })), denied('DescribeStream', red));
    await assert.rejects(client.send(new TagStreamCommand({ StreamARN: red, Tags: { a: 'b' } })), denied('TagStream'));
    await client.send(new TagResourceCommand({ ResourceARN: red, Tags: [{ Key: 'team', Value: 'blue' }] }));
    await client.send(new DescribeStreamCommand({ StreamARN: red }));
  });

  it('ends at the account, whatever the stranger’s policies say', async () => {
    const StreamARN = await create('own');
    const other = await createAccount(platform);
    const stranger = new KinesisVideoClient(platform.clientConfig(other));
    open.push(stranger);
    for (const arn of [StreamARN, streamArn('never-there/1795262558604')]) {
      const refusal = denied('DescribeStream', arn);
      await assert.rejects(stranger.send(new DescribeStreamCommand({ StreamARN: arn })), refusal);
      await assert.rejects(stranger.send(new DeleteStreamCommand({ StreamARN: arn })), denied('DeleteStream', arn));
    }
    await assert.rejects(
      stranger.send(new DescribeStreamCommand({ StreamName: 'own' })),
      failsWith('ResourceNotFoundException', 404),
      'a name stands for a stream of one’s own',
    );
    assert.deepEqual((await stranger.send(new ListStreamsCommand({}))).StreamInfoList, []);
    await root.send(new DescribeStreamCommand({ StreamARN }));
  });

  describe('the policies of AWS’s guide, with their commas, prefix and ARNs', () => {
    let keyArn: string;
    before(async () => {
      const kms = new KMSClient(platform.clientConfig());
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      keyArn = KeyMetadata?.Arn ?? '';
      kms.destroy();
      await root.send(new CreateStreamCommand({ StreamName: 'MyStream', DataRetentionInHours: 1, KmsKeyId: keyArn }));
    });

    /** As they stand in the guide, but for the key's and the account's ids. */
    const written = (kmsAction: string, videoAction: string) => `{
  "Version": "2012-10-17",
  "Statement": [
    {
        "Effect": "Allow",
        "Action": [
            "kms:${kmsAction}"
        ],
        "Resource": "${keyArn}"
    },
    {
        "Effect": "Allow",
        "Action": [
            "kinesis-video:${videoAction}",
        ],
        "Resource": "arn:aws:kinesis-video:*:${platform.accountId}:MyStream"
    }
  ]
}`;
    const withoutComma = (policy: string) => policy.replace(/,(\s+\])/, '$1');
    const mended = (policy: string) =>
      withoutComma(policy).replaceAll('kinesis-video:', 'kinesisvideo:').replace(':MyStream', ':stream/MyStream/*');

    const setPolicy = (UserName: string, PolicyDocument: string) =>
      iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'guide', PolicyDocument }));

    it('are refused with the place of the comma', async () => {
      await iam.send(new CreateUserCommand({ UserName: 'reader-of-guides' }));
      for (const policy of [written('GenerateDataKey', 'PutMedia'), written('Decrypt', 'GetMedia')]) {
        await assert.rejects(setPolicy('reader-of-guides', policy), (error: unknown) => {
          assert.ok(error instanceof Error);
          assert.equal(error.name, 'MalformedPolicyDocumentException');
          assert.match(error.message, /Line 14, column 37: .*comma/);
          return true;
        });
      }
    });

    it('are refused with the right prefix, let nobody in without one, and do when they are mended', async () => {
      const producer = await userCredentials('producer');
      const consumer = await userCredentials('consumer');
      const put = async (): Promise<MediaProducer> => {
        const { endpoint } = platform;
        const connection = await MediaProducer.open({ endpoint, credentials: producer, stream: 'MyStream' });
        connection.send(header(), cluster(Date.now()));
        connection.end();
        return connection;
      };
      const get = async (): Promise<Buffer> => {
        const client = new KinesisVideoMediaClient(platform.clientConfig(consumer));
        open.push(client);
        const StartSelector = { StartSelectorType: 'EARLIEST' } as const;
        const { Payload } = await client.send(new GetMediaCommand({ StreamName: 'MyStream', StartSelector }));
        for await (const chunk of Payload as AsyncIterable<Buffer>) {
          if (chunk.includes('AWS_KINESISVIDEO_FRAGMENT_NUMBER')) return chunk;
        }
        return Buffer.alloc(0);
      };

      for (const user of ['producer', 'consumer']) {
        await assert.rejects(setPolicy(user, withoutComma(written('Decrypt', 'GetMedia'))), {
          name: 'MalformedPolicyDocumentException',
          message: /kinesisvideo/,
        });
      }
      const refused = await put();
      assert.equal(await refused.status(), 403);
      assert.match(refused.chunks.join(''), /not authorized to perform: kinesisvideo:PutMedia/);
      refused.destroy();
      await assert.rejects(get(), /not authorized to perform: kinesisvideo:GetMedia/);

      await setPolicy('producer', mended(written('GenerateDataKey', 'PutMedia')));
      await setPolicy('consumer', mended(written('Decrypt', 'GetMedia')));
      const allowed = await put();
      const { FragmentNumber = '' } = await allowed.ack('PERSISTED');
      await allowed.ended();
      assert.ok((await get()).includes(FragmentNumber));
    });
  });
});
