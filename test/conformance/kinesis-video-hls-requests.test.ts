import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  GetDASHStreamingSessionURLCommand,
  type GetDASHStreamingSessionURLInput,
  GetHLSStreamingSessionURLCommand,
  type GetHLSStreamingSessionURLInput,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createStream, putFragments } from '../harness/archived-video.ts';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import { element, header } from '../harness/matroska-builder.ts';
import { blindCluster, blindHeader, MediaSessions } from '../harness/media-sessions.ts';

const HOUR = 3_600_000;

describe('requests for streaming sessions', () => {
  let sessions: MediaSessions;
  let now: number;

  before(async () => {
    sessions = await MediaSessions.start();
    await createStream(sessions.platform, 'camera');
    now = Date.now();
    await putFragments(sessions.platform, 'camera', blindHeader, [blindCluster(now - 2000), blindCluster(now - 1000)]);
  });
  after(() => sessions.stop());

  const range = (start: number | undefined, end?: number) => ({
    ...(start !== undefined && { StartTimestamp: new Date(now + start) }),
    ...(end !== undefined && { EndTimestamp: new Date(now + end) }),
  });

  type Selection = NonNullable<GetHLSStreamingSessionURLInput['HLSFragmentSelector']>;
  interface Wish {
    readonly PlaybackMode?: 'LIVE' | 'LIVE_REPLAY' | 'ON_DEMAND';
    readonly selector?: Selection;
    readonly Expires?: number;
    readonly max?: number;
    readonly StreamName?: string;
  }
  const { hls, dash } = {
    hls: ({ selector, max, ...rest }: Wish) =>
      sessions.archived.send(
        new GetHLSStreamingSessionURLCommand({
          StreamName: 'camera',
          ...rest,
          ...(selector && { HLSFragmentSelector: selector }),
          ...(max !== undefined && { MaxMediaPlaylistFragmentResults: max }),
        } satisfies GetHLSStreamingSessionURLInput),
      ),
    dash: ({ selector, max, ...rest }: Wish) =>
      sessions.archived.send(
        new GetDASHStreamingSessionURLCommand({
          StreamName: 'camera',
          ...rest,
          ...(selector && { DASHFragmentSelector: selector }),
          ...(max !== undefined && { MaxManifestFragmentResults: max }),
        } satisfies GetDASHStreamingSessionURLInput),
      ),
  };
  const producer = (TimestampRange: Selection['TimestampRange']): Selection => ({
    FragmentSelectorType: 'PRODUCER_TIMESTAMP',
    ...(TimestampRange && { TimestampRange }),
  });
  const server = (TimestampRange: Selection['TimestampRange']): Selection => ({
    FragmentSelectorType: 'SERVER_TIMESTAMP',
    ...(TimestampRange && { TimestampRange }),
  });

  const refused: readonly (readonly [string, () => Wish, RegExp])[] = [
    ['a range of a live session', () => ({ selector: server(range(-1000, 0)) }), /TimestampRange must not be given/],
    ['no range on demand', () => ({ PlaybackMode: 'ON_DEMAND' }), /TimestampRange is required for ON_DEMAND/],
    ['no range for a replay', () => ({ PlaybackMode: 'LIVE_REPLAY', selector: producer(undefined) }), /is required/],
    ['no end on demand', () => ({ PlaybackMode: 'ON_DEMAND', selector: producer(range(-HOUR)) }), /EndTimestamp is/],
    ['no start', () => ({ PlaybackMode: 'LIVE_REPLAY', selector: producer(range(undefined, 0)) }), /StartTimestamp is/],
    ['an end before the start', () => ({ PlaybackMode: 'ON_DEMAND', selector: producer(range(0, -1)) }), /later than/],
    ['an end at the start', () => ({ PlaybackMode: 'ON_DEMAND', selector: producer(range(0, 0)) }), /later than/],
    [
      'more than 24 hours',
      () => ({ PlaybackMode: 'ON_DEMAND', selector: producer(range(-24 * HOUR - 1, 0)) }),
      /within 24 hours/,
    ],
    [
      'an end in the future by server timestamps',
      () => ({ PlaybackMode: 'ON_DEMAND', selector: server(range(-HOUR, HOUR)) }),
      /in the past/,
    ],
    ['less than 300 seconds', () => ({ Expires: 299 }), /expires/],
    ['more than 43200 seconds', () => ({ Expires: 43_201 }), /expires/],
    ['no fragments', () => ({ max: 0 }), /FragmentResults/],
    ['more than 5000 fragments', () => ({ max: 5001 }), /FragmentResults/],
  ];
  for (const [what, wish, message] of refused) {
    it(`with ${what} are refused`, async () => {
      for (const ask of [hls, dash]) {
        await assert.rejects(ask(wish()), { name: 'InvalidArgumentException', message });
      }
    });
  }

  it('with what is allowed at the edge are answered', async () => {
    const allowed: Wish[] = [
      {},
      { selector: producer(undefined), Expires: 300, max: 1 },
      { Expires: 43_200, max: 5000 },
      { PlaybackMode: 'LIVE_REPLAY', selector: producer(range(-HOUR)) },
      { PlaybackMode: 'ON_DEMAND', selector: producer(range(-24 * HOUR, 0)) },
      { PlaybackMode: 'ON_DEMAND', selector: producer(range(-HOUR, 23 * HOUR)) },
      { PlaybackMode: 'ON_DEMAND', selector: { TimestampRange: range(-HOUR, Date.now() - now) } },
    ];
    for (const wish of allowed) {
      const { HLSStreamingSessionURL = '' } = await hls(wish);
      assert.ok(HLSStreamingSessionURL.startsWith(`${sessions.platform.endpoint}/hls/v1/getHLSMasterPlaylist.m3u8?`));
      const { DASHStreamingSessionURL = '' } = await dash(wish);
      assert.ok(DASHStreamingSessionURL.startsWith(`${sessions.platform.endpoint}/dash/v1/getDASHManifest.mpd?`));
    }
  });

  it('of streams without retention, without media, or that are not there, are refused', async () => {
    const { platform } = sessions;
    await createStream(platform, 'empty');
    await createStream(platform, 'forgetful', { DataRetentionInHours: 0 });
    await putFragments(platform, 'forgetful', blindHeader, [blindCluster(now)], { kept: 'RECEIVED' });
    const archived: Wish = { PlaybackMode: 'ON_DEMAND', selector: producer(range(-10 * HOUR, -9 * HOUR)) };
    for (const ask of [hls, dash]) {
      await assert.rejects(ask({ StreamName: 'forgetful' }), { name: 'NoDataRetentionException' });
      await assert.rejects(ask({ StreamName: 'empty' }), {
        name: 'ResourceNotFoundException',
        message: /No fragments/,
      });
      await assert.rejects(ask(archived), { name: 'ResourceNotFoundException', message: /No fragments/ });
      await assert.rejects(ask({ StreamName: 'nowhere' }), { name: 'ResourceNotFoundException' });
    }
  });

  it('of media that cannot be played are refused', async () => {
    const { platform } = sessions;
    const private_ = (hex: string) => [element(ELEMENT.codecPrivate, Buffer.from(hex, 'hex'))];
    const headers = {
      MissingCodecPrivateDataException: header({ number: 1 }),
      InvalidCodecPrivateDataException: header({ number: 1, extra: private_('0164000dffe0') }),
      UnsupportedStreamMediaTypeException: header({ number: 1, codecId: 'V_VP9', extra: private_('00') }),
    };
    for (const [name, bytes] of Object.entries(headers)) {
      await createStream(platform, name);
      await putFragments(platform, name, bytes, [blindCluster(now)]);
      for (const ask of [hls, dash]) await assert.rejects(ask({ StreamName: name }), { name });
    }
  });

  it('leave a bucket named hls to S3, and unsigned requests to it too', async () => {
    const s3 = new S3Client(sessions.platform.clientConfig());
    const object = { Bucket: 'hls', Key: 'v1/getHLSMasterPlaylist.m3u8' };
    await s3.send(new CreateBucketCommand({ Bucket: 'hls' }));
    await s3.send(new PutObjectCommand({ ...object, Body: 'an object' }));
    const { Body } = await s3.send(new GetObjectCommand(object));
    assert.equal(await Body?.transformToString(), 'an object');
    const presigned = await fetch(await getSignedUrl(s3, new GetObjectCommand(object)));
    assert.equal(await presigned.text(), 'an object');
    s3.destroy();
    for (const path of ['/hls/v1/other.m3u8', '/hls', '/hls/v1/getHLSMasterPlaylist.m3u8/x']) {
      const response = await fetch(`${sessions.platform.endpoint}${path}`);
      assert.match(await response.text(), /<Error><Code>AccessDenied</, path);
    }
    const unsigned = await fetch(`${sessions.platform.endpoint}/hls/v1/getHLSMasterPlaylist.m3u8`);
    assert.deepEqual([unsigned.status, unsigned.headers.get('x-amzn-errortype')], [403, 'NotAuthorizedException']);
  });

  it('may come from a page of any origin', async () => {
    const { HLSStreamingSessionURL = '' } = await hls({});
    const { DASHStreamingSessionURL = '' } = await dash({});
    for (const address of [HLSStreamingSessionURL, DASHStreamingSessionURL]) {
      const headers = { origin: 'https://player.example', 'access-control-request-method': 'GET' };
      const preflight = await fetch(address, { method: 'OPTIONS', headers });
      assert.equal(preflight.status, 200);
      assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
      assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /GET/);
      const answer = await fetch(address, { headers });
      assert.equal(answer.headers.get('access-control-allow-origin'), '*');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
    }
  });
});
