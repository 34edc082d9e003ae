import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import {
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ListAliasesCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { createAccount } from '../harness/accounts.ts';
import { usageOf } from '../harness/key-usage.ts';
import { cluster, endOfFragment, header } from '../harness/matroska-builder.ts';
import type { ClientConfig } from '../harness/platform.ts';
import { VideoPlatform } from '../harness/video-platform.ts';

const START = 1_795_260_000_000;

describe('the keys of video streams', () => {
  let video: VideoPlatform;
  let count = 0;

  before(async () => {
    video = await VideoPlatform.start();
  });
  after(() => video.stop());

  async function createKey(kms = video.kms): Promise<string> {
    return (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  }

  async function camera(KmsKeyId?: string, hours = 24): Promise<string> {
    const name = `camera-${++count}`;
    await video.createStream(name, { ...(KmsKeyId !== undefined && { KmsKeyId }), DataRetentionInHours: hours });
    return name;
  }

  /** A user who may do this, with access keys. */
  async function user(actions: readonly string[]): Promise<ClientConfig['credentials']> {
    const iam = new IAMClient(video.platform.clientConfig());
    const UserName = `user-${++count}`;
    await iam.send(new CreateUserCommand({ UserName }));
    const Statement = [{ Effect: 'Allow', Action: actions, Resource: '*' }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'what-it-may', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    iam.destroy();
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }

  const fragment = (index: number) => Buffer.concat([cluster(START + index * 1000), endOfFragment()]);

  /** Puts one fragment. @returns the last acknowledgement's type, and what it says of an error */
  async function put(stream: string, credentials = video.credentials): Promise<readonly unknown[]> {
    const producer = await video.producer(stream, { credentials });
    producer.send(header(), fragment(0));
    producer.end();
    const last = (await producer.ended()).at(-1);
    return last?.EventType === 'ERROR' ? [last.ErrorId, last.ErrorCode] : [last?.EventType];
  }

  /** Reads one fragment. @returns its number's length, or what the error tags say */
  async function get(stream: string, credentials = video.credentials): Promise<readonly unknown[]> {
    const client = new KinesisVideoMediaClient(video.platform.clientConfig(credentials));
    const consumer = await video.consumer(stream, 'EARLIEST', client);
    const chunk = await consumer.next();
    const error = chunk?.tags.get('ERROR_CODE');
    if (error !== undefined) assert.equal(await consumer.next(), undefined, 'the answer ends after an error');
    consumer.close();
    client.destroy();
    return error === undefined ? [chunk?.tags.get('FRAGMENT_NUMBER')?.length] : [chunk?.tags.get('ERROR_ID'), error];
  }

  it('a key that does not exist makes PutMedia and GetMedia fail, in their streams', async () => {
    const stream = await camera(
      'arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000'.replace(
        '123456789012',
        video.platform.accountId,
      ),
    );
    assert.deepEqual(await put(stream), [4506, 'KMS_KEY_NOT_FOUND']);
    assert.deepEqual(await get(stream), ['4506', 'KMS_KEY_NOT_FOUND']);
    assert.deepEqual(await put(await camera('arn:aws:s3:::no-key-at-all')), [4502, 'KMS_KEY_VALIDATION_ERROR']);
  });

  it('a key that is disabled or to be deleted makes them fail, and works again when it is enabled', async () => {
    const key = await createKey();
    const stream = await camera(key);
    assert.deepEqual(await put(stream), ['PERSISTED']);
    await video.kms.send(new DisableKeyCommand({ KeyId: key }));
    assert.deepEqual(await put(stream), [4501, 'KMS_KEY_DISABLED']);
    assert.deepEqual(await get(stream), ['4501', 'KMS_KEY_DISABLED']);
    await video.kms.send(new EnableKeyCommand({ KeyId: key }));
    assert.deepEqual(await get(stream), [47]);
    await video.kms.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
    assert.deepEqual(await put(stream), [4505, 'KMS_KEY_INVALID_STATE']);
    assert.deepEqual(await get(stream), ['4505', 'KMS_KEY_INVALID_STATE']);
  });

  it('who may not use the key is told so, whatever else is allowed', async () => {
    const stream = await camera(await createKey());
    const both = ['kinesisvideo:PutMedia', 'kinesisvideo:GetMedia'];
    assert.deepEqual(await put(stream, await user(both)), [4500, 'KMS_KEY_ACCESS_DENIED']);
    assert.deepEqual(await put(stream, await user([...both, 'kms:GenerateDataKey'])), ['PERSISTED']);
    assert.deepEqual(await get(stream, await user([...both, 'kms:GenerateDataKey'])), [
      '4500',
      'KMS_KEY_ACCESS_DENIED',
    ]);
    assert.deepEqual(await get(stream, await user([...both, 'kms:Decrypt'])), [47]);
  });

  it('a key disabled in mid-stream ends producers and consumers with their next fragment', async () => {
    const key = await createKey();
    const stream = await camera(key);
    const consumer = await video.consumer(stream, 'NOW');
    const producer = await video.producer(stream);
    producer.send(header(), fragment(0));
    await producer.ack('PERSISTED');
    await consumer.take(1);
    await video.kms.send(new DisableKeyCommand({ KeyId: key }));
    producer.send(fragment(1));
    const error = (await producer.ended()).at(-1);
    assert.deepEqual([error?.EventType, error?.ErrorId, error?.FragmentTimecode], ['ERROR', 4501, START + 1000]);
    assert.ok(!producer.acks.some((ack) => ack.EventType === 'PERSISTED' && ack.FragmentTimecode === START + 1000));
  });

  it('the AWS managed key appears with the first PutMedia or GetMedia of the account, and needs no permission', async () => {
    const managed = async (kms: KMSClient) =>
      (await kms.send(new ListAliasesCommand({}))).Aliases?.some(
        ({ AliasName }) => AliasName === 'alias/aws/kinesisvideo',
      );
    for (const way of [put, get]) {
      const account = await createAccount(video.platform);
      const config = video.platform.clientConfig(account);
      const other = new KMSClient(config);
      const control = new KinesisVideoClient(config);
      await control.send(new CreateStreamCommand({ StreamName: 'camera', DataRetentionInHours: 24 }));
      control.destroy();
      assert.equal(await managed(other), false);
      const waiting = way('camera', account);
      for (let tries = 0; !(await managed(other)); tries++) {
        assert.ok(tries < 500, 'the key appears');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      if (way === get) await put('camera', account);
      assert.deepEqual(await waiting, way === put ? ['PERSISTED'] : [47]);
      other.destroy();
    }
    const producer = await user(['kinesisvideo:PutMedia', 'kinesisvideo:GetMedia']);
    const stream = await camera();
    assert.deepEqual(await put(stream, producer), ['PERSISTED']);
    assert.deepEqual(await get(stream, producer), [47]);
  });

  it('a key of another account serves where its policy says so', async () => {
    const account = await createAccount(video.platform);
    const other = new KMSClient(video.platform.clientConfig(account));
    const key = await createKey(other);
    const stream = await camera(key);
    assert.deepEqual(await put(stream), [4500, 'KMS_KEY_ACCESS_DENIED']);
    const allow = (AWS: string, Action: readonly string[]) => ({
      Effect: 'Allow',
      Principal: { AWS },
      Action,
      Resource: '*',
    });
    const Statement = [
      allow(`arn:aws:iam::${account.accountId}:root`, ['kms:*']),
      allow(`arn:aws:iam::${video.platform.accountId}:root`, ['kms:GenerateDataKey', 'kms:Decrypt']),
    ];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await other.send(new PutKeyPolicyCommand({ KeyId: key, Policy }));
    other.destroy();
    assert.deepEqual(await put(stream), ['PERSISTED']);
    assert.deepEqual(await get(stream), [47]);
  });

  for (const hours of [24, 0]) {
    it(`each producer and each consumer costs its own calls of KMS, with a retention of ${hours} hours`, async () => {
      const key = await createKey();
      const stream = await camera(key, hours);
      const all = ['kinesisvideo:PutMedia', 'kinesisvideo:GetMedia', 'kms:GenerateDataKey', 'kms:Decrypt'];
      const producers = [await user(all), await user(all)];
      for (const credentials of producers) {
        const producer = await video.producer(stream, { credentials });
        producer.send(header(), fragment(0), fragment(1), fragment(2));
        producer.end();
        await producer.ended();
      }
      const consumers = [await user(all), await user(all), await user(all)];
      for (const credentials of consumers) {
        const client = new KinesisVideoMediaClient(video.platform.clientConfig(credentials));
        const consumer = await video.consumer(stream, 'EARLIEST', client);
        await consumer.take(6);
        consumer.close();
        client.destroy();
      }
      const usage = await usageOf(video.platform, key);
      assert.deepEqual(
        usage.map(({ operation, requests }) => `${operation} ${requests}`).sort(),
        // One data key for each connection; each consumer opens both.
        ['CreateKey 1', 'Decrypt 2', 'Decrypt 2', 'Decrypt 2', 'GenerateDataKey 1', 'GenerateDataKey 1'],
      );
    });
  }
});
