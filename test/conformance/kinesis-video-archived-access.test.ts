import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  GetImagesCommand,
  GetMediaForFragmentListCommand,
  KinesisVideoArchivedMediaClient,
  ListFragmentsCommand,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { askServer, connectToServer } from '../../bin/control-client.ts';
import type { UsageItem } from '../../bin/usage.ts';
import { chunksOf, createStream, putFragments } from '../harness/archived-video.ts';
import { type ColouredVideo, makeColouredVideo } from '../harness/coloured-video.ts';
import { cellsOf, changeCell } from '../harness/database-damage.ts';
import { openPicture } from '../harness/picture.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const BASE = Date.UTC(2026, 5, 1, 12);
const VIA = 'kinesisvideo.us-east-1.amazonaws.com';

describe('access to archived media', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let kms: KMSClient;
  let key: string;
  let video: ColouredVideo;
  let numbers: string[];
  const clients: KinesisVideoArchivedMediaClient[] = [];

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    kms = new KMSClient(platform.clientConfig());
    key = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    video = await makeColouredVideo({ colours: ['red', 'lime', 'blue'] });
    await createStream(platform, 'camera', { KmsKeyId: key });
    const producer = await credentialsOf('camera', ['kinesisvideo:PutMedia', '*'], ['kms:GenerateDataKey', key]);
    const clusters = video.fragments.map((fragment) => fragment.cluster(BASE));
    numbers = await putFragments(platform, 'camera', video.header, clusters, { credentials: producer });
  });
  after(async () => {
    for (const client of [iam, kms, ...clients]) client.destroy();
    await platform.stop();
  });

  async function credentialsOf(UserName: string, ...allowed: readonly (readonly [Action: string, Resource: string])[]) {
    await iam.send(new CreateUserCommand({ UserName }));
    const Statement = allowed.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }

  async function consumer(name: string, ...allowed: readonly (readonly [Action: string, Resource: string])[]) {
    const client = new KinesisVideoArchivedMediaClient(platform.clientConfig(await credentialsOf(name, ...allowed)));
    clients.push(client);
    return client;
  }

  const range = { StartTimestamp: new Date(BASE), EndTimestamp: new Date(BASE + 2000) };
  const list = (client: KinesisVideoArchivedMediaClient, StreamName = 'camera') =>
    client.send(
      new ListFragmentsCommand({
        StreamName,
        FragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP', TimestampRange: range },
      }),
    );
  const images = async (client: KinesisVideoArchivedMediaClient, StreamName = 'camera') => {
    const form = { ImageSelectorType: 'PRODUCER_TIMESTAMP', SamplingInterval: 1000, Format: 'JPEG' } as const;
    const { Images = [] } = await client.send(new GetImagesCommand({ StreamName, ...form, ...range }));
    const content = ({ ImageContent = '' }) => openPicture(Buffer.from(ImageContent, 'base64'));
    return (await Promise.all(Images.map(content))).map(({ colour }) => colour);
  };
  const media = async (client: KinesisVideoArchivedMediaClient, StreamName = 'camera', Fragments = numbers) => {
    const answer = await client.send(new GetMediaForFragmentListCommand({ StreamName, Fragments }));
    return chunksOf(await buffer(answer.Payload as Readable));
  };
  const errorsOf = (chunks: Awaited<ReturnType<typeof media>>) =>
    chunks.map(({ tags, cluster }) => (cluster === undefined ? tags['AWS_KINESISVIDEO_ERROR_CODE'] : 'media'));

  it('wants the action on the stream', async () => {
    const client = await consumer('lister', ['kinesisvideo:ListFragments', '*'], ['kms:Decrypt', key]);
    assert.equal((await list(client)).Fragments?.length, 3);
    for (const [work, action] of [
      [images, 'GetImages'],
      [media, 'GetMediaForFragmentList'],
    ] as const) {
      await assert.rejects(work(client), {
        name: 'AccessDeniedException',
        message: new RegExp(
          `user/lister is not authorized to perform: kinesisvideo:${action} on resource: arn:aws:kinesis`,
        ),
      });
    }
    const other = await consumer('other', ['kinesisvideo:*', `arn:aws:kinesisvideo:*:*:stream/another/*`]);
    await assert.rejects(list(other), { name: 'AccessDeniedException' });
  });

  it('opens media for a consumer who may decrypt with the stream’s key, and for no other', async () => {
    const may = await consumer('viewer', ['kinesisvideo:*', '*'], ['kms:Decrypt', key]);
    assert.deepEqual(await images(may), ['red', 'lime', 'blue']);
    assert.deepEqual(errorsOf(await media(may)), ['media', 'media', 'media']);

    const mayNot = await consumer('outsider', ['kinesisvideo:*', '*']);
    assert.equal((await list(mayNot)).Fragments?.length, 3, 'what is listed is not encrypted');
    await assert.rejects(images(mayNot), {
      name: 'AccessDeniedException',
      message: /user\/outsider is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:/,
    });
    assert.deepEqual(errorsOf(await media(mayNot)), ['KMS_KEY_ACCESS_DENIED']);
  });

  it('says which error KMS gave', async () => {
    const client = await consumer('watcher', ['kinesisvideo:*', '*'], ['kms:Decrypt', key]);
    await kms.send(new DisableKeyCommand({ KeyId: key }));
    await assert.rejects(images(client), {
      name: 'InvalidArgumentException',
      message: /^The stream's KMS key cannot be used \(DisabledException\)/,
    });
    const [chunk, ...more] = await media(client);
    assert.equal(chunk?.tags['AWS_KINESISVIDEO_ERROR_ID'], '4501');
    assert.equal(chunk?.tags['AWS_KINESISVIDEO_ERROR_CODE'], 'KMS_KEY_DISABLED');
    assert.equal(chunk?.tags['AWS_KINESISVIDEO_FRAGMENT_NUMBER'], numbers[0]);
    assert.equal(more.length, 0);
    await kms.send(new EnableKeyCommand({ KeyId: key }));
    assert.deepEqual(await images(client), ['red', 'lime', 'blue']);
  });

  it('shows in coffer usage who asked for the stream’s key, and how often', async () => {
    await createStream(platform, 'counted', { KmsKeyId: key });
    const clusters = video.fragments.map((fragment) => fragment.cluster(BASE));
    const producer = await credentialsOf('counted', ['kinesisvideo:PutMedia', '*'], ['kms:GenerateDataKey', key]);
    for (let connection = 0; connection < 2; connection++) {
      await putFragments(platform, 'counted', video.header, clusters, { credentials: producer });
    }
    const client = await consumer('countess', ['kinesisvideo:*', '*'], ['kms:Decrypt', key]);
    assert.deepEqual(await images(client, 'counted'), ['red', 'lime', 'blue']);
    const rows = await usage();
    const of = (user: string) => rows.filter(({ principal }) => principal?.endsWith(`:user/${user}`));
    assert.deepEqual(of('counted'), [
      {
        key,
        operation: 'GenerateDataKey',
        principal: `arn:aws:iam::${platform.accountId}:user/counted`,
        credential: producer.accessKeyId,
        via: VIA,
        requests: 2,
        failed: 0,
      },
    ]);
    const [decrypt, ...more] = of('countess');
    assert.deepEqual([decrypt?.operation, decrypt?.via, decrypt?.key, more.length], ['Decrypt', VIA, key, 0]);
    assert.equal(decrypt?.requests, 1);
    const [refused] = of('outsider');
    assert.deepEqual([refused?.operation, refused?.requests, refused?.failed], ['Decrypt', 2, 2]);
  });

  async function usage() {
    const connection = await connectToServer(platform.dataFolder);
    assert.ok(connection);
    const by = ['key', 'operation', 'principal', 'credential', 'via'] as const;
    const request = { command: 'usage', from: 0, to: Date.now(), by } as const;
    const items: UsageItem[] = [];
    for await (const reply of askServer(connection, request)) {
      if (reply.type === 'item') items.push(reply.value as UsageItem);
    }
    connection.destroy();
    return items.flatMap((item) => (item.kind === 'kms' ? [item.usage] : []));
  }

  it('gives nothing of a fragment that was changed in the data folder, and the others', async () => {
    await createStream(platform, 'changed', { KmsKeyId: key });
    const clusters = video.fragments.map((fragment) => fragment.cluster(BASE));
    const put = await putFragments(platform, 'changed', video.header, clusters);
    const file = join(platform.dataFolder, 'records.db');
    const cells = cellsOf(file, 'kinesis_video_fragment_body', `number = '${put[1]}'`);
    const body = cells.find(({ column }) => column === 'body');
    assert.ok(body);
    changeCell(file, body);
    const client = await consumer('victim', ['kinesisvideo:*', '*'], ['kms:Decrypt', key]);
    const chunks = await media(client, 'changed', put);
    assert.deepEqual(errorsOf(chunks), ['media', 'INTERNAL_ERROR', 'media']);
    assert.equal(chunks[1]?.tags['AWS_KINESISVIDEO_ERROR_ID'], '5000');
    assert.equal(chunks[1]?.tags['AWS_KINESISVIDEO_EXCEPTION_MESSAGE'], 'The fragment could not be read.');
    await assert.rejects(images(client, 'changed'), { name: 'InternalFailure', $fault: 'server' });
  });
});
