import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { MediaConvertClient, ProbeCommand } from '@aws-sdk/client-mediaconvert';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { makeTestVideo } from '#media/test-video.ts';
import { MediaAccount } from '../harness/media-account.ts';

describe('Probe', () => {
  let account: MediaAccount;
  let film: Buffer;

  before(async () => {
    account = await MediaAccount.start(2);
    film = await makeTestVideo({ seconds: 3, width: 640, height: 360 });
  });
  after(() => account.stop());

  const probe = async (FileUrl: string, client = account.media) =>
    (await client.send(new ProbeCommand({ InputFiles: [{ FileUrl }] }))).ProbeResults?.[0];

  async function upload(Key: string, Body: Buffer, more: object = {}): Promise<string> {
    await account.s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body, ContentType: 'video/mp4', ...more }));
    return `s3://source/${Key}`;
  }

  /** A client of a user who may do these things alone. */
  async function clientOf(UserName: string, statements: readonly object[]): Promise<MediaConvertClient> {
    const iam = new IAMClient(account.platform.clientConfig());
    await iam.send(new CreateUserCommand({ UserName }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'all', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    iam.destroy();
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {};
    return new MediaConvertClient(account.platform.clientConfig({ accessKeyId, secretAccessKey }));
  }

  it('tells the container, the tracks and the file', async () => {
    const url = await upload('film.mp4', film);
    const found = await probe(url);
    assert.equal(found?.Container?.Format, 'mp4');
    assert.equal(found?.Container?.Duration, 3);
    const [video, audio] = found?.Container?.Tracks ?? [];
    assert.deepEqual([video?.Index, video?.TrackType, video?.Codec, video?.Duration], [1, 'video', 'AVC', 3]);
    const { CodecMetadata: coded, ...picture } = video?.VideoProperties ?? {};
    assert.deepEqual([picture.Width, picture.Height, picture.BitDepth], [640, 360, 8]);
    assert.deepEqual(picture.FrameRate, { Numerator: 30, Denominator: 1 });
    assert.ok((picture.BitRate ?? 0) > 1000);
    assert.equal(coded?.ChromaSubsampling, '4:2:0');
    assert.match(`${coded?.Profile} ${coded?.Level}`, /^(High|Main|Constrained Baseline) [1-5]\.\d$/);
    assert.deepEqual([audio?.Index, audio?.TrackType, audio?.Codec], [2, 'audio', 'AAC']);
    assert.ok((audio?.AudioProperties?.Channels ?? 0) >= 1);
    assert.equal(audio?.AudioProperties?.SampleRate, 48_000);
    const head = await account.s3.send(new HeadObjectCommand({ Bucket: 'source', Key: 'film.mp4' }));
    assert.deepEqual(found?.Metadata, {
      ETag: head.ETag,
      FileSize: film.length,
      LastModified: head.LastModified,
      MimeType: 'video/mp4',
    });
    assert.deepEqual(found?.TrackMappings, [{ VideoTrackIndexes: [1], AudioTrackIndexes: [2], DataTrackIndexes: [] }]);
  });

  it('asks for the caller’s own rights to the object and to its key', async () => {
    const kms = new KMSClient(account.platform.clientConfig());
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    kms.destroy();
    const sealed = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyMetadata?.KeyId };
    const url = await upload('secret.mp4', film, sealed);
    assert.equal((await probe(url))?.Container?.Tracks?.length, 2);
    const allow = (Action: string, Condition: object = {}) => ({ Effect: 'Allow', Action, Resource: '*', Condition });
    const throughS3 = { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } };
    const all = [allow('mediaconvert:Probe'), allow('s3:GetObject'), allow('kms:Decrypt', throughS3)];
    const trusted = await clientOf('trusted', all);
    assert.equal((await probe(url, trusted))?.Container?.Format, 'mp4');
    const keyless = await clientOf('keyless', all.slice(0, 2));
    await assert.rejects(probe(url, keyless), { name: 'ForbiddenException', message: /kms:Decrypt/ });
    const blind = await clientOf('blind', all.slice(0, 1));
    await assert.rejects(probe(url, blind), { name: 'ForbiddenException' });
    const stranger = await clientOf('stranger', all.slice(1));
    await assert.rejects(probe(url, stranger), { name: 'AccessDeniedException', message: /mediaconvert:Probe/ });
    for (const client of [trusted, keyless, blind, stranger]) client.destroy();
  });

  it('refuses what is no media, and what is no address of a file', async () => {
    const text = await upload('text.mp4', Buffer.from('This is not a film.\n'.repeat(500)));
    await assert.rejects(probe(text), {
      name: 'BadRequestException',
      message: 'Unable to open input file [s3://source/text.mp4]: [Failed probe/open: [No parser found for container]]',
    });
    const cut = Buffer.concat([
      Buffer.from('000000186674797069736f6d0000020069736f6d6d703432', 'hex'),
      Buffer.alloc(9000, 1),
    ]);
    await assert.rejects(probe(await upload('cut.mp4', cut)), /no moov box found in file/);
    await assert.rejects(probe(await upload('empty.mp4', Buffer.alloc(0))), { name: 'BadRequestException' });
    await assert.rejects(probe('s3://source/absent.mp4'), { name: 'NotFoundException' });
    await assert.rejects(probe('ftp://example.com/film.mp4'), {
      name: 'BadRequestException',
      message: /^\/inputFiles\/0\/fileUrl: Should name a file as s3:\/\/bucket\/key/,
    });
    await assert.rejects(account.media.send(new ProbeCommand({})), { name: 'BadRequestException' });
    const playlist = '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n';
    await assert.rejects(probe(await upload('list.m3u8', Buffer.from(playlist))), { name: 'BadRequestException' });
  });
});
