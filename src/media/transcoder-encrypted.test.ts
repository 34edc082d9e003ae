import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { decryptFragments, fragmentSamples } from '#test/fixtures/media/decrypt-fragments.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { fragmentedGroup, testJob, testVideo, testVideoH265 } from '#test/fixtures/media/transcode-jobs.ts';
import { ANY_USE, type ContentEncryption, type GroupKey } from './content-encryption.ts';
import { loadFFmpeg } from './ffmpeg/load-ffmpeg.ts';
import { commonPssh } from './packaging/cenc/protected-init.ts';
import { makeTestVideo } from './test-video.ts';
import type { FragmentedGroup } from './output-group.ts';
import { startTranscode } from './transcoder.ts';
import type { VideoSettings } from './video-settings.ts';

const KEY = randomBytes(16);
const KEY_ID = randomBytes(16);
const IV = randomBytes(16);

let server: ObjectServer;

before(async () => {
  server = await ObjectServer.start();
  server.put('in/in.mp4', await makeTestVideo({ seconds: 3, width: 320, height: 180 }));
  server.put('in/short.mp4', await makeTestVideo({ seconds: 1, width: 160, height: 96 }));
});

after(() => server.stop());

function contentOf(extra: Partial<ContentEncryption> = {}, key: Partial<GroupKey> = {}): ContentEncryption {
  const signal = { kind: 'address', uri: 'https://keys/1' } as const;
  return {
    method: 'SAMPLE-AES',
    isIvListed: true,
    isSessionKeyWritten: false,
    clearSegments: 0,
    keys: [
      {
        use: ANY_USE,
        key: KEY,
        keyId: KEY_ID,
        playlists: [signal],
        dash: [],
        smooth: [],
        psshs: [commonPssh(KEY_ID)],
        ...key,
      },
    ],
    ...extra,
  };
}

/** Runs a job of groups which differ in their encryption only, and so have the same packets. */
async function run(
  group: FragmentedGroup,
  contents: Readonly<Record<string, ContentEncryption | undefined>>,
  input = 'in.mp4',
) {
  for (const path of server.objects.keys()) if (path.startsWith('out/')) server.objects.delete(path);
  const groups = Object.entries(contents).map(([folder, content]) => ({
    ...group,
    keyBase: `${folder}/film`,
    ...(content !== undefined && { content }),
  }));
  const credentials = async () => ({
    accessKeyId: 'ASIATEST',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiresAt: Date.now() + 3_600_000,
  });
  const access = { endpoint: server.endpoint, region: 'eu-west-1', credentials };
  await startTranscode(testJob(groups, [input]), access, () => undefined).result;
}

const bytes = (path: string): Buffer => server.bytes(`out/${path}`);
const text = (path: string): string => bytes(path).toString();

/** The initialization segment of a rendition, and all of its media. */
function renditionOf(folder: string, name: string): { readonly init: Buffer; readonly media: Buffer } {
  const media = [...server.objects.keys()].filter((path) =>
    new RegExp(`^out/${folder}/film${name}_\\d{9}\\.`).test(path),
  );
  const [init] = [...server.objects.keys()].filter((path) => path.startsWith(`out/${folder}/film${name}init.`));
  return {
    init: server.bytes(init ?? ''),
    media: Buffer.concat(media.sort().map((path) => server.bytes(path))),
  };
}

/** What FFmpeg 8 reads of a file with the key. */
async function packetsByFFmpeg(film: Buffer): Promise<Buffer[]> {
  const ffmpeg = await loadFFmpeg();
  const format = new ffmpeg.FormatContext();
  format.allocContext();
  const io = new ffmpeg.IOContext();
  let at = 0;
  const read = (length: number): Buffer | number => {
    if (at >= film.length) return ffmpeg.AVERROR_EOF;
    const piece = film.subarray(at, at + length);
    at += piece.length;
    return piece;
  };
  io.allocContextWithCallbacks(64 * 1024, 0, read, null, (offset: bigint, whence: number) => {
    if ((whence & ~ffmpeg.AVSEEK_FORCE) === ffmpeg.AVSEEK_SIZE) return film.length;
    at = Number(offset);
    return at;
  });
  format.pb = io;
  const options = ffmpeg.Dictionary.fromObject({ decryption_key: KEY.toString('hex') });
  const opened = format.openInputSync('', null, options);
  assert.ok(opened >= 0, ffmpeg.FFmpegError.strerror(opened));
  const packet = new ffmpeg.Packet();
  packet.alloc();
  const packets: Buffer[] = [];
  while (format.readFrameSync(packet) >= 0) {
    packets.push(Buffer.from(packet.data ?? []));
    packet.unref();
  }
  packet.free();
  format.pb = null;
  format.closeInputSync();
  // In this order, as with inputs; callbacks that are not freed keep the process alive.
  io.freeContext();
  return packets;
}

const only = (video: VideoSettings) => [
  { nameModifier: '_1', extension: 'cmfv', video, audios: [], audioGroupIds: [] },
];

describe('common encryption', () => {
  for (const [method, scheme] of [
    ['SAMPLE-AES-CTR', 'cenc'],
    ['SAMPLE-AES', 'cbcs'],
  ] as const) {
    test(`by ${scheme} gives back the clear samples bit by bit, to an own decryptor and to FFmpeg`, async () => {
      await run(fragmentedGroup('cmaf', { fragmentSeconds: 1 }), { clear: undefined, [scheme]: contentOf({ method }) });
      for (const [name, format, isVideo] of [
        ['_1', 'avc1', true],
        ['_2', 'avc1', true],
        ['_a', 'mp4a', false],
      ] as const) {
        const clear = renditionOf('clear', name);
        const sealed = renditionOf(scheme, name);
        const expected = fragmentSamples(clear.media);
        const found = decryptFragments(sealed.init, sealed.media, KEY);
        assert.deepEqual([found.scheme, found.format, found.keyId], [scheme, format, KEY_ID.toString('hex')]);
        assert.equal(found.samples.length, expected.length);
        expected.forEach((sample, index) => assert.ok(found.samples[index]?.equals(sample), `${name} ${index}`));
        const share = found.encryptedBytes / found.allBytes;
        assert.ok(isVideo && scheme === 'cbcs' ? share > 0.05 && share < 0.2 : share > 0.8, `${share}`);
        assert.ok(
          !fragmentSamples(sealed.media).some(
            (sample, index) => sample.length > 512 && expected[index]?.equals(sample),
          ),
        );
        const packets = await packetsByFFmpeg(Buffer.concat([sealed.init, sealed.media]));
        assert.equal(packets.length, expected.length);
        packets.forEach((packet, index) => assert.ok(packet.equals(expected[index] ?? Buffer.alloc(0)), `${index}`));
      }
    });
  }

  test('leaves the headers of slices clear in all that x264 and x265 write', async () => {
    const base = testVideo(160, 96);
    const fields = { firstField: 'top', isFollowed: false, isOptimized: false } as const;
    const many = { preset: 'slow', references: 5, bFrames: 5, areBFramesReferences: true } as const;
    const wide = { profile: 'main422-10', bitDepth: 10, tag: 'hev1', areTemporalLayersWritten: true } as const;
    const films: Record<string, VideoSettings> = {
      slices: { ...base, codec: { ...base.codec, slices: 4, profile: 'high', references: 4 } },
      cavlc: { ...base, codec: { ...base.codec, profile: 'baseline', entropy: 'cavlc' } },
      fields: { ...base, interlaced: fields, codec: { ...base.codec, ...many, profile: 'high' } },
      deep: { ...base, codec: { ...base.codec, ...many, profile: 'high422', bitDepth: 10, tag: 'avc3' } },
      main: testVideoH265(160, 90, {}),
      ten: testVideoH265(160, 90, { profile: 'main10', bitDepth: 10, isGopOpen: true, isSampleOffsetAdaptive: false }),
      wide: testVideoH265(160, 90, { ...many, ...wide }),
    };
    for (const [name, video] of Object.entries(films)) {
      const group = fragmentedGroup('cmaf', { outputs: only(video), segmentSeconds: 1 });
      const ivs = { method: 'SAMPLE-AES-CTR' } as const;
      const cbcs = contentOf({}, { iv: IV });
      await run(group, { clear: undefined, [name]: contentOf(ivs), [`${name}-cbcs`]: cbcs }, 'short.mp4');
      const clear = fragmentSamples(renditionOf('clear', '_1').media);
      for (const folder of [name, `${name}-cbcs`]) {
        const { init, media } = renditionOf(folder, '_1');
        const found = decryptFragments(init, media, KEY);
        assert.deepEqual(found.samples.length, clear.length);
        clear.forEach((sample, index) => assert.ok(found.samples[index]?.equals(sample), `${folder} ${index}`));
        if (name === 'slices') assert.ok(found.pieces.some((count) => count === 4));
      }
    }
  });

  test('never counts the same vector twice under one key, over renditions too', async () => {
    await run(fragmentedGroup('cmaf', {}), { cenc: contentOf({ method: 'SAMPLE-AES-CTR' }) });
    const seen = new Set<string>();
    let count = 0;
    for (const name of ['_1', '_2', '_a']) {
      const { media } = renditionOf('cenc', name);
      for (let at = media.indexOf('senc'); at >= 0; at = media.indexOf('senc', at + 4)) {
        const isSound = media.readUInt32BE(at + 4) === 0;
        let place = at + 12;
        for (let sample = 0; sample < media.readUInt32BE(at + 8); sample++) {
          seen.add(media.toString('hex', place, place + 8));
          count += 1;
          place += 8 + (isSound ? 0 : 2 + media.readUInt16BE(place + 8) * 6);
        }
      }
    }
    assert.ok(count > 200);
    assert.equal(seen.size, count);
  });

  test('says in both manifests and in the initialization segment what a player has to know', async () => {
    const dash = [
      { systemId: 'edef8ba9-79d6-4ace-a3c8-27dcd51d21ed', content: '<cenc:pssh xmlns:cenc="x">AA==</cenc:pssh>' },
    ];
    await run(fragmentedGroup('cmaf', {}), {
      cbcs: contentOf({ isSessionKeyWritten: true }, { iv: IV, dash }),
      random: contentOf(),
      cenc: contentOf({ method: 'SAMPLE-AES-CTR' }),
    });
    const id = KEY_ID.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    const mpd = text('cbcs/film.mpd');
    const sets = mpd.match(/<AdaptationSet[^]*?<Representation/g) ?? [];
    assert.equal(sets.length, 2);
    for (const set of sets) {
      assert.ok(
        set.includes(
          `<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cbcs" xmlns:cenc="urn:mpeg:cenc:2013" cenc:default_KID="${id}"/>`,
        ),
      );
      assert.match(
        set,
        /schemeIdUri="urn:uuid:edef8ba9[^"]*"><cenc:pssh xmlns:cenc="x">AA==<\/cenc:pssh><\/ContentProtection>/,
      );
    }
    assert.match(text('cenc/film.mpd'), /value="cenc"/);
    const keys = (path: string) => text(path).match(/#EXT-X-(SESSION-)?KEY:.*/g);
    const line = `METHOD=SAMPLE-AES,URI="https://keys/1",IV=0x${IV.toString('hex')}`;
    assert.deepEqual(keys('cbcs/film_1.m3u8'), [`#EXT-X-KEY:${line}`]);
    assert.deepEqual(keys('cbcs/film.m3u8'), [`#EXT-X-SESSION-KEY:${line}`]);
    assert.deepEqual(keys('cenc/film_a.m3u8'), ['#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="https://keys/1"']);
    const [chosen = ''] = keys('random/film_2.m3u8') ?? [];
    const iv = /IV=0x([0-9a-f]{32})$/.exec(chosen)?.[1] ?? '';
    assert.ok(bytes('random/film_2init.cmfv').includes(Buffer.from(iv, 'hex')), 'the vector that was chosen');
    assert.ok(bytes('cbcs/film_1init.cmfv').includes(commonPssh(KEY_ID)));
  });

  test('leaves segments at the beginning clear where it is told to, and says where the key begins', async () => {
    await run(
      fragmentedGroup('cmaf', {
        segmentSeconds: 1,
        fragmentSeconds: 1,
        outputs: fragmentedGroup('cmaf', {}).outputs.slice(1),
      }),
      {
        clear: undefined,
        lead: contentOf({ clearSegments: 1, method: 'SAMPLE-AES-CTR' }),
        'lead-cbcs': contentOf({ clearSegments: 1 }),
      },
    );
    for (const folder of ['lead', 'lead-cbcs']) {
      for (const name of ['_2', '_a']) {
        const { init, media } = renditionOf(folder, name);
        const clear = fragmentSamples(renditionOf('clear', name).media);
        const found = decryptFragments(init, media, KEY);
        assert.ok(found.clearFragments >= 1);
        assert.ok(fragmentSamples(media)[0]?.equals(clear[0] ?? Buffer.alloc(0)), 'it is clear as it stands there');
        clear.forEach((sample, index) => assert.ok(found.samples[index]?.equals(sample)));
      }
    }
    assert.match(text('lead/film_2.m3u8'), /#EXT-X-MAP:.*\n#EXTINF:1,\n.*_000000001\.cmfv\n#EXT-X-KEY:.*\n#EXTINF/);
  });

  test('in single files leaves the index right', async () => {
    await run(fragmentedGroup('cmaf', { isSingleFile: true, fragmentSeconds: 1 }), {
      clear: undefined,
      one: contentOf(),
    });
    const film = bytes('one/film_1.cmfv');
    const at = film.indexOf('sidx') - 4;
    const end = at + film.readUInt32BE(at);
    let place = end;
    for (let entry = 0; entry < film.readUInt16BE(at + 38); entry++) {
      assert.equal(film.toString('latin1', place + 4, place + 8), 'moof');
      place += film.readUInt32BE(at + 40 + entry * 12);
    }
    assert.equal(place, film.length);
    const init = film.subarray(0, at);
    const found = decryptFragments(init, film.subarray(end), KEY);
    const clear = bytes('clear/film_1.cmfv');
    assert.deepEqual(found.samples.length, fragmentSamples(clear).length);
    const [, size, offset] = /#EXT-X-BYTERANGE:(\d+)@(\d+)/.exec(text('one/film_1.m3u8')) ?? [];
    assert.equal(Number(offset), end);
    assert.ok(Number(size) > 0);
  });

  test('takes for each rendition the key that is for such as it', async () => {
    const other = randomBytes(16);
    const [base] = contentOf().keys;
    assert.ok(base);
    const small = { ...base, keyId: other, use: { pixels: [{ from: 0, to: 20_000 }], channels: [] } };
    const large = { ...base, use: { pixels: [{ from: 20_001, to: Number.MAX_SAFE_INTEGER }], channels: [] } };
    await run(fragmentedGroup('cmaf', {}), { keys: contentOf({ keys: [small, large] }) });
    assert.equal(decryptFragments(renditionOf('keys', '_1').init, Buffer.alloc(0), KEY).keyId, KEY_ID.toString('hex'));
    assert.equal(decryptFragments(renditionOf('keys', '_2').init, Buffer.alloc(0), KEY).keyId, other.toString('hex'));
    assert.ok(!renditionOf('keys', '_a').init.includes('enca'), 'sound is for no key');
    const mpd = text('keys/film.mpd');
    assert.equal(mpd.match(/<AdaptationSet/g)?.length, 3);
    const switching = [...mpd.matchAll(/adaptation-set-switching:2016" value="([^"]*)"/g)].map(([, ids]) => ids);
    assert.deepEqual(switching, ['2', '1'], 'players may go from one key to the other');
  });
});
