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
import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { createAccount } from '../harness/accounts.ts';
import { failsWith } from '../harness/kinesis-video.ts';
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
  const open: KinesisVideoClient[] = [];

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

  async function userClient(UserName: string, ...statements: readonly Statement[]): Promise<KinesisVideoClient> {
    await iam.send(new CreateUserCommand({ UserName }));
    const PolicyDocument = documentOf(statements);
    if (statements.length > 0) {
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument }));
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {};
    const client = new KinesisVideoClient(platform.clientConfig({ accessKeyId, secretAccessKey }));
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
    const producer = (comma: string, action: string, resource: string) =>
      [
        '{',
        '  "Version": "2012-10-17",',
        '  "Statement": [',
        '    {',
        '        "Effect": "Allow",',
        '        "Action": [',
        `            "${action}"${comma}`,
        '        ],',
        `        "Resource": "${resource}"`,
        '    }',
        '  ]',
        '}',
      ].join('\n');
    const guideArn = () => `arn:aws:kinesis-video:*:${platform.accountId}:MyStream`;

    it('are refused with the place of the comma', async () => {
      const PolicyDocument = producer(',', 'kinesis-video:GetDataEndpoint', guideArn());
      await assert.rejects(
        iam.send(new CreatePolicyCommand({ PolicyName: 'guide', PolicyDocument })),
        (error: unknown) => {
          assert.ok(error instanceof Error);
          assert.equal(error.name, 'MalformedPolicyDocumentException');
          assert.match(error.message, /Line 8, column 9: .*comma/);
          return true;
        },
      );
    });

    it('give nothing with the wrong prefix, and what they mean once they are mended', async () => {
      await create('MyStream');
      const client = await userClient('producer');
      const ask = new GetDataEndpointCommand({ StreamName: 'MyStream', APIName: 'PUT_MEDIA' });
      const put = (PolicyDocument: string) =>
        iam.send(new PutUserPolicyCommand({ UserName: 'producer', PolicyName: 'p', PolicyDocument }));
      await put(producer('', 'kinesis-video:GetDataEndpoint', guideArn()));
      await assert.rejects(client.send(ask), denied('GetDataEndpoint', streamArn('MyStream/')));
      await put(producer('', 'kinesisvideo:GetDataEndpoint', `arn:aws:kinesisvideo:*:${platform.accountId}:MyStream`));
      await assert.rejects(client.send(ask), denied('GetDataEndpoint', streamArn('MyStream/')));
      const mended = `arn:aws:kinesisvideo:*:${platform.accountId}:stream/MyStream/*`;
      await put(producer('', 'kinesisvideo:GetDataEndpoint', mended));
      await client.send(ask);
    });
  });
});
