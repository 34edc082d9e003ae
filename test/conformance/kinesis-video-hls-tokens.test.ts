import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateStreamCommand, DeleteStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import {
  GetHLSStreamingSessionURLCommand,
  KinesisVideoArchivedMediaClient,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { ClockedServer } from '../harness/clocked-server.ts';
import { addressesIn, blindCluster, blindHeader, fetchText, refusalOf } from '../harness/media-sessions.ts';
import { putFragments } from '../harness/archived-video.ts';
import type { ClientConfig } from '../harness/platform.ts';

describe('session tokens', () => {
  let server: ClockedServer;
  let control: KinesisVideoClient;
  let archived: KinesisVideoArchivedMediaClient;
  let kms: KMSClient;
  let iam: IAMClient;

  before(async () => {
    server = await ClockedServer.start();
    const config = server.clientConfig();
    control = new KinesisVideoClient(config);
    archived = new KinesisVideoArchivedMediaClient(config);
    kms = new KMSClient(config);
    iam = new IAMClient(config);
  });
  after(async () => {
    for (const client of [control, archived, kms, iam]) client.destroy();
    await server.stop();
  });

  /** A stream with three fragments of this moment. */
  async function camera(StreamName: string, KmsKeyId?: string): Promise<string> {
    const { StreamARN } = await control.send(
      new CreateStreamCommand({ StreamName, DataRetentionInHours: 2, ...(KmsKeyId && { KmsKeyId }) }),
    );
    const clusters = [0, 1, 2].map((index) => blindCluster(server.parts.now + index * 1000));
    await putFragments(server, StreamName, blindHeader, clusters);
    return StreamARN ?? '';
  }

  async function session(
    StreamName: string,
    credentials?: ClientConfig['credentials'],
    more: object = {},
  ): Promise<string> {
    const client = new KinesisVideoArchivedMediaClient(server.clientConfig(credentials));
    const { HLSStreamingSessionURL = '' } = await client.send(
      new GetHLSStreamingSessionURLCommand({ StreamName, ...more }),
    );
    client.destroy();
    return HLSStreamingSessionURL;
  }

  /** Every address that a player of the session asks. */
  async function everyAddress(master: string): Promise<string[]> {
    const [playlist = ''] = addressesIn(await fetchText(master), master);
    return [master, playlist, ...addressesIn(await fetchText(playlist), playlist)];
  }

  it('hold for the time that was asked for, in every address, and for five minutes when none was', async () => {
    await camera('timed');
    const [short, long] = [await session('timed'), await session('timed', undefined, { Expires: 900 })];
    const [addresses, others] = [await everyAddress(short), await everyAddress(long)];
    assert.equal(addresses.length, 6);
    server.pass(299);
    for (const address of [...addresses, ...others]) assert.equal((await fetch(address)).status, 200);
    server.pass(1);
    for (const address of addresses) {
      assert.deepEqual(await refusalOf(address), [
        403,
        'NotAuthorizedException',
        'Streaming session token is expired.',
      ]);
    }
    for (const address of others) assert.equal((await fetch(address)).status, 200);
    server.pass(600);
    for (const address of others) assert.equal((await fetch(address)).status, 403);
    server.parts.now = Date.now();
  });

  it('that are changed, cut or missing open nothing', async () => {
    await camera('tampered');
    for (const address of await everyAddress(await session('tampered'))) {
      const token = new URL(address).searchParams.get('SessionToken') ?? '';
      const at = Math.floor(token.length / 2);
      const changed = token.slice(0, at) + (token.charAt(at) === 'A' ? 'B' : 'A') + token.slice(at + 1);
      for (const bad of [changed, token.slice(0, -1), token.slice(1), '~', '']) {
        const [status, type] = await refusalOf(address.replace(token, bad));
        assert.deepEqual([status, type], [403, 'NotAuthorizedException'], bad);
      }
      const without = new URL(address);
      without.searchParams.delete('SessionToken');
      assert.equal((await refusalOf(without.href))[0], 403);
    }
  });

  it('stand for their caller: KMS is asked for that one, and what it refuses is not played', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const keyArn = KeyMetadata?.Arn ?? '';
    const arn = await camera('guarded', keyArn);
    await iam.send(new CreateUserCommand({ UserName: 'viewer' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'viewer' }));
    const viewer = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
    const allow = (PolicyName: string, Action: string, Resource: string) => {
      const PolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action, Resource }],
      });
      return iam.send(new PutUserPolicyCommand({ UserName: 'viewer', PolicyName, PolicyDocument }));
    };
    await assert.rejects(session('guarded', viewer), {
      name: 'AccessDeniedException',
      message: /kinesisvideo:GetHLSStreamingSessionURL/,
    });
    await allow('watch', 'kinesisvideo:GetHLSStreamingSessionURL', arn);
    await assert.rejects(session('guarded', viewer), { name: 'AccessDeniedException', message: /kms:Decrypt/ });
    await allow('decrypt', 'kms:Decrypt', keyArn);
    const addresses = await everyAddress(await session('guarded', viewer));
    // In the middle of the session the right is taken away, and given back.
    await iam.send(new DeleteUserPolicyCommand({ UserName: 'viewer', PolicyName: 'decrypt' }));
    server.pass(2);
    const [, playlist = '', , , , media = ''] = addresses;
    for (const address of [playlist, media]) {
      const [status, type, message] = await refusalOf(address);
      assert.deepEqual([status, type], [403, 'AccessDeniedException']);
      assert.match(message, /user\/viewer is not authorized to perform: kms:Decrypt/);
    }
    await allow('decrypt', 'kms:Decrypt', keyArn);
    server.pass(2);
    assert.equal((await fetch(media)).status, 200);
    await kms.send(new DisableKeyCommand({ KeyId: keyArn }));
    server.pass(2);
    for (const address of [playlist, media]) {
      const [status, type, message] = await refusalOf(address);
      assert.deepEqual([status, type], [400, 'InvalidArgumentException']);
      assert.match(message, /DisabledException/);
    }
    await kms.send(new EnableKeyCommand({ KeyId: keyArn }));
    server.pass(2);
    assert.equal((await fetch(playlist)).status, 200);
    server.parts.now = Date.now();
  });

  it('end with their stream, also when another one has taken its name', async () => {
    const StreamARN = await camera('gone');
    const address = await session('gone');
    await control.send(new DeleteStreamCommand({ StreamARN }));
    assert.deepEqual((await refusalOf(address)).slice(0, 2), [404, 'ResourceNotFoundException']);
    server.pass(1);
    await camera('gone');
    assert.equal((await refusalOf(address))[0], 404);
    server.parts.now = Date.now();
  });

  it('are in no record of who did what, which names the session’s caller all the same', async () => {
    await camera('audited');
    const addresses = await everyAddress(await session('audited'));
    for (const address of addresses) await (await fetch(address)).arrayBuffer();
    const token = new URL(addresses[0] ?? '').searchParams.get('SessionToken') ?? '';
    await server.parts.services.log.flush();
    const trail = new CloudTrailClient(server.clientConfig());
    const { Events = [] } = await trail.send(new LookupEventsCommand({ MaxResults: 50 }));
    trail.destroy();
    const names = new Set(Events.map(({ EventName }) => EventName));
    for (const name of ['GetHLSMasterPlaylist', 'GetHLSMediaPlaylist', 'GetMP4InitFragment', 'GetMP4MediaFragment']) {
      assert.ok(names.has(name), `${name} is recorded`);
    }
    const records = JSON.stringify(Events);
    assert.ok(!records.includes(token.slice(10, 60)));
    const fetched = Events.find(({ EventName }) => EventName === 'GetMP4MediaFragment')?.CloudTrailEvent ?? '';
    assert.ok(fetched.includes(`arn:aws:iam::${server.accountId}:root`), fetched);
  });
});
