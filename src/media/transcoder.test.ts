import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { fileGroup, hlsGroup, testJob, testVideo } from '#test/fixtures/media/transcode-jobs.ts';
import { probeMedia } from './probe-media.ts';
import { makeTestVideo } from './test-video.ts';
import { TranscodeError } from './transcode-error.ts';
import type { TranscodeJob } from './transcode-job.ts';
import type { TranscodeEvent } from './transcode-report.ts';
import type { VideoSettings } from './video-settings.ts';
import { DEFAULT_LIMITS, startTranscode, TranscodeCancelledError, type TranscoderLimits } from './transcoder.ts';

const SECRET = 'secret-of-the-session-0123456789';
const TOKEN = 'token-of-the-session-0123456789';

let server: ObjectServer;
let film: Buffer;

function start(job: TranscodeJob, limits: Partial<TranscoderLimits> = {}, events: TranscodeEvent[] = []) {
  const credentials = async () => ({
    accessKeyId: 'ASIATEST',
    secretAccessKey: SECRET,
    sessionToken: TOKEN,
    expiresAt: Date.now() + 3_600_000,
  });
  const access = { endpoint: server.endpoint, region: 'eu-west-1', credentials };
  return startTranscode(job, access, (event) => events.push(event), { ...DEFAULT_LIMITS, ...limits });
}

/** Runs a job that must fail; returns why. */
async function failure(job: TranscodeJob, limits: Partial<TranscoderLimits> = {}): Promise<TranscodeError> {
  const error: unknown = await start(job, limits).result.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TranscodeError, `a TranscodeError, not ${String(error)}`);
  return error;
}

before(async () => {
  film = await makeTestVideo({ seconds: 5, width: 320, height: 180 });
  server = await ObjectServer.start();
  server.put('in/in.mp4', film);
});

after(() => server.stop());

describe('a transcode', () => {
  test('writes an MP4 and an HLS ladder from one input, and says what it wrote', async () => {
    const events: TranscodeEvent[] = [];
    const groups = [fileGroup(), hlsGroup([{ video: testVideo(320, 180) }, { video: testVideo(160, 90) }])];
    const result = await start(testJob(groups), {}, events).result;
    assert.deepEqual(result.groups[0]?.outputs, [
      { ...result.groups[0]?.outputs[0], paths: ['s3://out/film.mp4'], durationMs: 5000, width: 160, height: 90 },
    ]);
    assert.deepEqual(result.groups[1]?.playlistPaths, ['s3://out/hls/film.m3u8']);
    const info = await probeMedia(server.bytes('out/film.mp4'));
    assert.deepEqual(
      info.streams.map(({ kind, codec, width, height }) => ({ kind, codec, width, height })),
      [
        { kind: 'video', codec: 'h264', width: 160, height: 90 },
        { kind: 'audio', codec: 'aac', width: undefined, height: undefined },
      ],
    );
    const main = server.bytes('out/hls/film.m3u8').toString();
    assert.match(main, /RESOLUTION=320x180,FRAME-RATE=30\.000\nfilm_1\.m3u8\n/);
    assert.match(main, /CODECS="avc1\.4d[0-9a-f]{4},mp4a\.40\.2",RESOLUTION=160x90/);
    const child = server.bytes('out/hls/film_1.m3u8').toString();
    assert.deepEqual(child.match(/film_1_\d+\.ts/g), ['film_1_00001.ts', 'film_1_00002.ts', 'film_1_00003.ts']);
    assert.match(child, /#EXT-X-TARGETDURATION:2\n.*#EXTINF:2,\n/s);
    const segment = await probeMedia(server.bytes('out/hls/film_2_00002.ts'));
    assert.deepEqual(
      segment.streams.map(({ id, codec }) => [id, codec]),
      [
        [481, 'h264'],
        [482, 'aac'],
      ],
    );
    assert.deepEqual(
      events.filter((event) => event.kind === 'phase').map(({ phase }) => phase),
      ['PROBING', 'TRANSCODING', 'UPLOADING'],
    );
    const percents = events.flatMap((event) => (event.kind === 'progress' ? [event.percent ?? -1] : []));
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    );
    assert.ok(percents.every((percent) => percent >= 0 && percent < 100));
  });

  test('tells how far it is over both passes of a film that is encoded twice', async () => {
    const { codec, ...video } = testVideo(160, 90);
    assert.equal(codec.kind, 'h264');
    const twice = { ...codec, rateControl: { mode: 'vbr', bitrate: 200_000 }, isMultiPass: true } as const;
    const events: TranscodeEvent[] = [];
    const job = testJob([fileGroup({ video: { ...video, codec: twice } })]);
    await start(job, {}, events).result;
    const told = events.flatMap((event) => (event.kind === 'progress' ? [event] : []));
    const percents = told.map(({ percent }) => percent ?? -1);
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    );
    const first = told.filter(({ framesDecoded }) => framesDecoded === 0).map(({ percent }) => percent ?? -1);
    assert.ok(first.length > 1 && first.every((percent) => percent <= 50), first.join());
    assert.ok((percents.at(-1) ?? 0) > 80, percents.join());
  });

  test('writes manifests while it runs where that is wanted, each behind all that it names', async () => {
    const written: { path: string; text: string }[] = [];
    server.onPut = (path, bytes) => {
      if (!path.endsWith('.m3u8')) return;
      const text = bytes.toString();
      written.push({ path: path.slice('out/hls/live/'.length), text });
      for (const [name] of text.matchAll(/^film.*$/gm)) assert.ok(server.objects.has(`out/hls/live/${name}`), name);
    };
    const group = hlsGroup([{ video: testVideo(160, 90) }, { video: testVideo(80, 46) }]);
    const progressive = { keyBase: 'hls/live/film', segmentSeconds: 1, areManifestsProgressive: true };
    await start(testJob([{ ...group, ...progressive }])).result;
    server.onPut = () => undefined;
    const counts = (wanted: string) =>
      written.flatMap(({ path, text }) => (path === wanted ? [text.match(/^film_._\d+\.ts$/gm)?.length] : []));
    assert.deepEqual(
      [counts('film_1.m3u8'), counts('film_2.m3u8')],
      [
        [3, 4, 5],
        [3, 4, 5],
      ],
    );
    const growing = written.filter(({ path, text }) => path !== 'film.m3u8' && !text.includes('#EXT-X-ENDLIST'));
    assert.equal(growing.length, 4);
    for (const { text } of growing) assert.match(text, /#EXT-X-TARGETDURATION:1\n.*#EXT-X-PLAYLIST-TYPE:EVENT\n/s);
    const mains = written.filter(({ path }) => path === 'film.m3u8');
    assert.ok(mains.length >= 3, `${mains.length}`);
    assert.equal(written.at(-1), mains.at(-1), 'the main manifest comes last');
    assert.match(server.bytes('out/hls/live/film_2.m3u8').toString(), /PLAYLIST-TYPE:VOD.*#EXT-X-ENDLIST\n$/s);
  });

  test('sends the encryption headers with every object of a group, and none where none are set', async () => {
    await start(testJob([fileGroup(), hlsGroup([{ video: testVideo(160, 90) }])])).result;
    for (const [path, { headers }] of server.objects) {
      if (!path.startsWith('out/')) continue;
      const wanted = /^out\/(hls|live)\//.test(path) ? 'aws:kms' : undefined;
      assert.equal(headers['x-amz-server-side-encryption'], wanted, path);
    }
  });

  test('begins every segment with a key frame, its tables and continuous clocks', async () => {
    await start(testJob([hlsGroup([{ video: testVideo(160, 90) }])])).result;
    const parts = [1, 2, 3].map((number) => server.bytes(`out/hls/film_1_0000${number}.ts`));
    for (const part of parts) {
      assert.equal(part.length % 188, 0);
      // The first packets carry the service description, the programs and the program's streams.
      const pids = [0, 1, 2].map((index) => part.readUInt16BE(index * 188 + 1) & 0x1fff);
      assert.deepEqual(pids, [17, 0, 480]);
    }
    const whole = await probeMedia(Buffer.concat(parts));
    assert.ok(Math.abs((whole.durationSeconds ?? 0) - 5) < 0.2, `${whole.durationSeconds}`);
  });

  test('puts the index at the front or at the end, as asked, in files of several parts too', async () => {
    const noise: VideoSettings = {
      ...testVideo(640, 360),
      codec: { ...testVideo(640, 360).codec, rateControl: { mode: 'cbr', bitrate: 24_000_000 } },
    };
    for (const moov of ['front', 'end'] as const) {
      await start(testJob([fileGroup({ moov, video: noise })])).result;
      const object = server.objects.get('out/film.mp4');
      assert.ok(object);
      assert.ok(object.bytes.length > 9_000_000, `${object.bytes.length} bytes`);
      assert.equal(object.isMultipart, true);
      const boxes: string[] = [];
      for (let at = 0; at < object.bytes.length; at += object.bytes.readUInt32BE(at)) {
        boxes.push(object.bytes.toString('latin1', at + 4, at + 8));
      }
      assert.deepEqual(boxes, moov === 'front' ? ['ftyp', 'moov', 'free', 'mdat'] : ['ftyp', 'free', 'mdat', 'moov']);
      assert.equal((await probeMedia(object.bytes)).durationSeconds, 5);
    }
    assert.equal(server.openUploads, 0);
  });

  test('stitches inputs of different sizes and rates, with and without sound', async () => {
    server.put('in/small.mp4', await makeTestVideo({ seconds: 2, width: 128, height: 128, framesPerSecond: 25 }));
    server.put('in/mute.mp4', await makeTestVideo({ seconds: 2, width: 640, height: 360, isSilent: true }));
    const job = testJob([fileGroup()], ['in.mp4', 'mute.mp4', 'small.mp4']);
    const result = await start(job).result;
    const duration = result.groups[0]?.outputs[0]?.durationMs ?? 0;
    assert.ok(Math.abs(duration - 9000) < 150, `${duration} ms`);
    const info = await probeMedia(server.bytes('out/film.mp4'));
    const [video, audio] = info.streams;
    assert.deepEqual([video?.width, video?.height, video?.framerate], [160, 90, { num: 30, den: 1 }]);
    assert.ok(Math.abs((video?.durationSeconds ?? 0) - (audio?.durationSeconds ?? 0)) < 0.1);
  });

  test('makes audio-only renditions, which variants name by their group', async () => {
    const audioRendition = { groupId: 'sound', isDefault: true, isAutoSelected: true };
    const outputs = [
      { video: testVideo(160, 90), audios: [], audioGroupIds: ['sound'] },
      { audioRendition, nameModifier: '_a' },
    ];
    await start(testJob([hlsGroup(outputs)])).result;
    const main = server.bytes('out/hls/film.m3u8').toString();
    assert.match(main, /#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",.*DEFAULT=YES,AUTOSELECT=YES,.*URI="film_a\.m3u8"/);
    assert.match(main, /CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2",.*AUDIO="sound"/);
    const info = await probeMedia(server.bytes('out/hls/film_a_00001.ts'));
    assert.deepEqual(
      info.streams.map(({ kind }) => kind),
      ['audio'],
    );
  });

  test('reads files whose index is at the end, and asks for ranges only', async () => {
    const ranges: string[] = [];
    server.put('in/late.mp4', await makeTestVideo({ seconds: 5, width: 320, height: 180, moov: 'end' }));
    server.intercept = (request) => {
      if (request.method === 'GET') ranges.push(request.headers.range ?? 'all of it');
      return false;
    };
    await start(testJob([fileGroup()], ['late.mp4'])).result;
    server.intercept = () => false;
    assert.ok(ranges.length > 1);
    assert.ok(
      ranges.every((range) => /^bytes=\d+-\d+$/.test(range)),
      ranges.join(' '),
    );
  });
});

test('credentials that run out are asked for again', async () => {
  const used = new Set<string | undefined>();
  let given = 0;
  const credentials = async () => ({
    accessKeyId: `ASIA${++given}`,
    secretAccessKey: SECRET,
    sessionToken: TOKEN,
    expiresAt: Date.now() + 1000,
  });
  server.intercept = (request) => {
    used.add(/Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1]);
    return false;
  };
  const access = { endpoint: server.endpoint, region: 'eu-west-1', credentials };
  await startTranscode(testJob([fileGroup()]), access, () => undefined).result.finally(() => {
    server.intercept = () => false;
  });
  assert.ok(used.size > 1, [...used].join());
});

test('credentials that are refused end the job with the reason', async () => {
  const credentials = () => Promise.reject(new TranscodeError(1434, 'AssumeRole failed'));
  const access = { endpoint: server.endpoint, region: 'eu-west-1', credentials };
  await assert.rejects(startTranscode(testJob([fileGroup()]), access, () => undefined).result, {
    code: 1434,
    message: 'AssumeRole failed',
  });
});

describe('broken and hostile input', () => {
  const cases: readonly (readonly [string, () => Buffer, readonly number[]])[] = [
    ['no bytes', () => Buffer.alloc(0), [1010]],
    ['text', () => Buffer.from('This is not a film.\n'.repeat(1000)), [1010]],
    ['zeros', () => Buffer.alloc(200_000), [1010]],
    ['a film without its end, where its index is', () => film.subarray(film.length / 2), [1010]],
    ['a film cut off in the middle', () => film.subarray(0, film.length / 2), [1076]],
    [
      'a playlist that names a file of the machine',
      () => Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n'),
      [1010],
    ],
    ['a concatenation script', () => Buffer.from("ffconcat version 1.0\nfile '/etc/passwd'\n"), [1010]],
    ['a session description', () => Buffer.from('v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n'), [1010]],
    ['an image', () => Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), [1010]],
  ];
  for (const [what, make, codes] of cases) {
    test(`${what} ends the job with ${codes.join(' or ')}`, async () => {
      server.put('in/bad', make());
      const error = await failure(testJob([fileGroup()], ['bad']));
      assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    });
  }

  test('lists of other addresses make no request but for themselves', async () => {
    const film = `${server.endpoint}/in/in.mp4`;
    const lists = {
      'list.m3u8': `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${film}\n#EXT-X-ENDLIST\n`,
      'list.mpd':
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:' +
        'profile:isoff-on-demand:2011" mediaPresentationDuration="PT5S" minBufferTime="PT1S"><Period><AdaptationSet ' +
        'mimeType="video/mp4"><Representation id="1" bandwidth="1" width="320" height="180" codecs="avc1.64001e">' +
        `<BaseURL>${film}</BaseURL></Representation></AdaptationSet></Period></MPD>\n`,
      'list.ffconcat': `ffconcat version 1.0\noption safe 0\nfile '${film}'\n`,
    };
    for (const [name, text] of Object.entries(lists)) {
      const asked = new Set<string>();
      server.put(`in/${name}`, Buffer.from(text));
      server.intercept = (request) => {
        asked.add(new URL(request.url ?? '/', server.endpoint).pathname);
        return false;
      };
      const error = await failure(testJob([fileGroup()], [name])).finally(() => {
        server.intercept = () => false;
      });
      assert.equal(error.code, 1010);
      assert.deepEqual([...asked], [`/in/${name}`]);
    }
  });

  test('flipped bytes never end the platform, whatever comes of the job', async () => {
    for (const seed of [1, 2, 3]) {
      const damaged = Buffer.from(film);
      for (let at = seed * 97; at < damaged.length; at += 1009 * seed) damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      server.put('in/damaged.mp4', damaged);
      await start(testJob([fileGroup()], ['damaged.mp4'])).result.catch((error: unknown) => {
        assert.ok(error instanceof TranscodeError, String(error));
      });
    }
  });

  test('an input without picture is refused by a job that wants one, and one without sound is silent', async () => {
    server.put('in/mute.mp4', await makeTestVideo({ seconds: 1, width: 128, height: 72, isSilent: true }));
    await start(testJob([fileGroup()], ['mute.mp4'])).result;
    const info = await probeMedia(server.bytes('out/film.mp4'));
    assert.equal(info.streams.filter(({ kind }) => kind === 'audio').length, 1);
    await start(testJob([hlsGroup([{ nameModifier: '_a' }])], ['in.mp4'])).result;
    server.put('in/sound.ts', server.bytes('out/hls/film_a_00001.ts'));
    assert.equal((await failure(testJob([fileGroup()], ['sound.ts']))).code, 1020);
  });
});

describe('storage that refuses', () => {
  test('a missing input is 1404', async () => {
    const error = await failure(testJob([fileGroup()], ['absent.mp4']));
    assert.equal(error.code, 1404);
    assert.match(error.message, /^Unable to open input file \[s3:\/\/in\/absent\.mp4\]: .*HeadObject failed/);
  });

  test('a forbidden input is 1401, with what the storage said', async () => {
    server.intercept = (request, response) => {
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end(
        request.method === 'HEAD'
          ? undefined
          : '<Error><Code>AccessDenied</Code><Message>not authorized to perform: kms:Decrypt</Message></Error>',
      );
      return true;
    };
    const error = await failure(testJob([fileGroup()]));
    server.intercept = () => false;
    assert.equal(error.code, 1401);
    assert.match(error.message, /Access Denied: not authorized to perform: kms:Decrypt/);
  });

  test('a forbidden output is 1401, names the file and the reason', async () => {
    server.intercept = (request, response) => {
      if (request.method !== 'PUT') return false;
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end('<Error><Code>AccessDenied</Code><Message>no kms:GenerateDataKey</Message></Error>');
      return true;
    };
    const error = await failure(testJob([fileGroup()]));
    server.intercept = () => false;
    assert.equal(error.code, 1401);
    const wanted = 'Unable to write to output file [s3://out/film.mp4]: [Failed to write data: Access Denied: ';
    assert.ok(error.message.startsWith(wanted), error.message);
  });

  test('an upload that fails leaves no multipart upload open', async () => {
    const noise = { ...testVideo(640, 360).codec, rateControl: { mode: 'cbr', bitrate: 24_000_000 } } as const;
    server.intercept = (request, response) => {
      if (!request.url?.includes('partNumber')) return false;
      response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
      return true;
    };
    const error = await failure(testJob([fileGroup({ video: { ...testVideo(640, 360), codec: noise } })]));
    server.intercept = () => false;
    assert.equal(error.code, 1401);
    assert.equal(server.openUploads, 0);
  });
});

describe('supervision', () => {
  before(async () => server.put('in/long.mp4', await makeTestVideo({ seconds: 30, width: 320, height: 180 })));

  /** A job that takes a while, and waits for its first sign of progress. */
  async function startLongJob(limits: Partial<TranscoderLimits> = {}) {
    const events: TranscodeEvent[] = [];
    const run = start(testJob([fileGroup({ video: testVideo(1280, 720) })], ['long.mp4']), limits, events);
    const outcome = run.result.then(
      () => new Error('It ended well.'),
      (error: unknown) => error,
    );
    while (!events.some((event) => event.kind === 'progress')) await sleep(20);
    assert.ok(run.pid !== undefined);
    return { run, outcome, pid: run.pid };
  }

  async function assertWorks(): Promise<void> {
    await start(testJob([fileGroup()])).result;
  }

  test('a cancelled job ends within a second, and its process too', async () => {
    const { run, outcome, pid } = await startLongJob();
    const begin = performance.now();
    run.cancel();
    assert.ok((await outcome) instanceof TranscodeCancelledError);
    // A second, and as much again for a machine that runs other tests beside this one.
    assert.ok(performance.now() - begin < 2000);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    await assertWorks();
  });

  test('a worker that dies ends its job with an error, and the next job runs', async () => {
    const { outcome, pid } = await startLongJob();
    process.kill(pid, 'SIGSEGV');
    const error = await outcome;
    assert.ok(error instanceof TranscodeError);
    assert.match(error.message, /ended unexpectedly \(SIGSEGV\)/);
    await assertWorks();
  });

  test('a worker that hangs is killed, and the next job runs', async () => {
    const { outcome, pid } = await startLongJob({ stallMs: 6000 });
    process.kill(pid, 'SIGSTOP');
    const error = await outcome;
    assert.ok(error instanceof TranscodeError);
    assert.match(error.message, /made no progress for \d+ seconds/);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    await assertWorks();
  });

  test('a worker that wants too much memory is killed', async () => {
    const error = await failure(testJob([fileGroup()]), { memoryBytes: 60 * 1024 * 1024 });
    assert.match(error.message, /more than 60 MiB of memory/);
  });

  test('a worker may open few files, and leaves no core behind', { skip: process.platform !== 'linux' }, async () => {
    const { run, outcome, pid } = await startLongJob();
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    run.cancel();
    await outcome;
    assert.match(limits, /^Max open files +256 +256 /m);
    assert.match(limits, /^Max core file size +0 +0 /m);
  });

  test('no secret is in the arguments or the environment of a worker', {
    skip: process.platform !== 'linux',
  }, async () => {
    const { run, outcome, pid } = await startLongJob();
    const seen = readFileSync(`/proc/${pid}/cmdline`, 'latin1') + readFileSync(`/proc/${pid}/environ`, 'latin1');
    run.cancel();
    await outcome;
    assert.ok(seen.includes('main.ts'));
    assert.ok(!seen.includes(SECRET) && !seen.includes(TOKEN));
  });
});
