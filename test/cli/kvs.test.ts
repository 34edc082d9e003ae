import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  KinesisVideoClient,
  UpdateDataRetentionCommand,
} from '@aws-sdk/client-kinesis-video';
import { KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { ElementCursor } from '#media/matroska/element-cursor.ts';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import { type Frame, readFrames } from '#media/matroska/read-frames.ts';
import { readHeader } from '#media/matroska/read-header.ts';
import type { Track } from '#media/matroska/tracks.ts';
import { RemuxedSource } from '#media/remux-source.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { CofferHome, type Ended, type RunningServer } from '../harness/coffer-home.ts';
import { MediaConsumer } from '../harness/media-consumer.ts';
import type { ClientConfig } from '../harness/platform.ts';
import { RtspCamera } from '../harness/rtsp-camera.ts';

interface Film {
  readonly bytes: Buffer;
  readonly path: string;
  readonly tracks: readonly Track[];
  readonly frames: readonly Frame[];
}

const SECONDS = 4;
const KEYFRAME_EVERY = 2;
const PASSWORD = 'pa55-of-the-camera';
const FAST = '--as-fast-as-possible';

describe('coffer kvs', () => {
  let home: CofferHome;
  let server: RunningServer;
  let config: ClientConfig;
  let control: KinesisVideoClient;
  let media: KinesisVideoMediaClient;
  let film: Film;

  before(async () => {
    home = await CofferHome.make();
    const bytes = await makeTestVideo({ seconds: SECONDS, width: 160, height: 120 });
    const path = join(home.folder, 'film.mp4');
    await writeFile(path, bytes);
    film = { bytes, path, ...(await readFilm(path)) };
    server = await home.start();
    config = await home.rootClientConfig();
    control = new KinesisVideoClient(config);
    media = new KinesisVideoMediaClient(config);
  });
  after(async () => {
    control.destroy();
    media.destroy();
    await server.end('SIGTERM');
    await home[Symbol.asyncDispose]();
  });

  const put = (stream: string, ...args: readonly string[]): Promise<Ended> => home.run(['kvs', 'put', stream, ...args]);

  /** All that a stream keeps, frame by frame. */
  async function stored(stream: string, fragments: number): Promise<Frame[]> {
    const consumer = await MediaConsumer.open(media, stream, 'EARLIEST');
    try {
      return (await consumer.take(fragments)).flatMap(({ bytes }) => framesOf(bytes));
    } finally {
      consumer.close();
    }
  }

  it('put sends a film as it is, a fragment for each group of pictures, and prints each acknowledgement', async () => {
    const { code, stdout, stderr } = await put('film', film.path, '--create', FAST);
    assert.deepEqual([code, stderr], [0, '']);
    const events = eventsIn(stdout);
    for (const kind of ['BUFFERING', 'RECEIVED', 'PERSISTED']) {
      const times = events
        .filter(({ EventType }) => EventType === kind)
        .map(({ FragmentTimecode }) => FragmentTimecode);
      assert.deepEqual(times, [0, KEYFRAME_EVERY * 1000], kind);
    }
    assert.deepEqual(digest(await stored('film', SECONDS / KEYFRAME_EVERY)), digest(film.frames));
    const { StreamInfo } = await control.send(new DescribeStreamCommand({ StreamName: 'film' }));
    assert.equal(StreamInfo?.DataRetentionInHours, 24);
    assert.equal(StreamInfo.MediaType, 'video/h264,audio/aac');
  });

  it('put takes standard input, and can leave the sound out', async () => {
    await control.send(new CreateStreamCommand({ StreamName: 'piped', DataRetentionInHours: 1 }));
    const { code, stderr } = await home.run(['kvs', 'put', 'piped', '-', '--no-audio', FAST], {}, film.bytes);
    assert.deepEqual([code, stderr], [0, '']);
    const pictures = film.frames.filter(({ track }) => track === 1);
    assert.deepEqual(digest(await stored('piped', SECONDS / KEYFRAME_EVERY)), digest(pictures));
  });

  it('put makes a stream with the key and the retention it is told, and leaves one that is there', async () => {
    const kms = new KMSClient(config);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    kms.destroy();
    const key = KeyMetadata?.Arn ?? '';
    const options = ['--create', '--kms-key', key, '--retention', '48', '--start', '2026-01-02T03:04:05Z', FAST];
    assert.equal((await put('keyed', film.path, ...options)).code, 0);
    const { StreamInfo } = await control.send(new DescribeStreamCommand({ StreamName: 'keyed' }));
    assert.deepEqual([StreamInfo?.KmsKeyId, StreamInfo?.DataRetentionInHours], [key, 48]);
    const consumer = await MediaConsumer.open(media, 'keyed', 'EARLIEST');
    const [first] = await consumer.take(1);
    consumer.close();
    assert.equal(first?.tags.get('PRODUCER_TIMESTAMP'), `${Date.parse('2026-01-02T03:04:05Z') / 1000}.000`);
    const again = await put('keyed', film.path, '--create', '--retention', '1', FAST);
    assert.equal(again.code, 0);
    assert.match(again.stderr, /keyed is there already/);
    const { StreamInfo: after } = await control.send(new DescribeStreamCommand({ StreamName: 'keyed' }));
    assert.equal(after?.DataRetentionInHours, 48);
  });

  it('put fails, and prints the acknowledgement that says why, when the stream is refused', async () => {
    const kms = new KMSClient(config);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const KeyId = KeyMetadata?.KeyId ?? '';
    await control.send(new CreateStreamCommand({ StreamName: 'locked', KmsKeyId: KeyId }));
    await kms.send(new DisableKeyCommand({ KeyId }));
    kms.destroy();
    const { code, stdout, stderr } = await put('locked', film.path, FAST);
    assert.equal(code, 1);
    assert.equal(eventsIn(stdout).at(-1)?.ErrorId, 4501);
    assert.equal(stderr, 'coffer: PutMedia refused the stream: error 4501, KMS_KEY_DISABLED.\n');
  });

  it('put fails in one line where there is no stream, no source, no media, or a setting that does not fit', async () => {
    const failures: readonly (readonly [readonly string[], RegExp])[] = [
      [['nowhere', film.path], /ResourceNotFoundException: /],
      [['film', join(home.folder, 'no-such-file')], /ENOENT/],
      [['film', home.folder], /is a folder/],
      [['film', process.execPath], /The source cannot be opened/],
      [['film', 'rtsp://127.0.0.1:1/'], /The source cannot be opened: Connection refused/],
      [['film', 'gopher://127.0.0.1/'], /is no address that can be read/],
      [['film', `rtsp://camera:${PASSWORD}@127.0.0.1:1/`], /The address has a password/],
      [['film', 'env:NOT_SET'], /The variable NOT_SET is not set/],
      [['film', film.path, '--retention', '3'], /go with --create/],
      [['film', film.path, '--create', '--retention', '-3'], /--retention is a whole number/],
      [['film', film.path, '--start', 'soon'], /--start is a time/],
    ];
    await Promise.all(
      failures.map(async ([args, message]) => {
        const { code, stdout, stderr } = await home.run(['kvs', 'put', ...args]);
        assert.deepEqual([code, stdout], [1, ''], args.join(' '));
        assert.match(stderr, message);
        assert.match(stderr, /^coffer: [^\n]+\n$/);
        assert.ok(!stderr.includes(PASSWORD));
      }),
    );
  });

  it('put reads a camera that wants a password, until Ctrl-C, and ends in good order', async () => {
    const [video] = film.tracks;
    const frames = film.frames.filter(({ track }) => track === 1);
    const codecPrivate = video?.codecPrivate ?? Buffer.alloc(0);
    const camera = await RtspCamera.start({ codecPrivate, frames, user: 'viewer', password: PASSWORD });
    const command = home.begin(['kvs', 'put', 'door', 'env:CAMERA', '--create'], { CAMERA: camera.address });
    try {
      while (!/PERSISTED.*PERSISTED/s.test(command.output())) await delay(20);
      command.signal('SIGINT');
      const { code, stdout, stderr } = await command.ended;
      assert.deepEqual([code, stderr], [0, '']);
      const kept = eventsIn(stdout).filter(({ EventType }) => EventType === 'PERSISTED');
      const times = kept.map((_, index) => index * KEYFRAME_EVERY * 1000);
      assert.deepEqual(
        kept.map(({ FragmentTimecode }) => FragmentTimecode),
        times,
      );
      const received = digest(await stored('door', kept.length));
      const sent = digest(frames);
      assert.ok(received.length > frames.length / 2);
      assert.deepEqual(
        received,
        received.map((_, index) => sent[index % sent.length]),
      );
    } finally {
      command.signal('SIGKILL');
      await camera.stop();
    }
  });

  it('put ends in good order at Ctrl-C, also while standard input says nothing', async () => {
    const command = home.begin(['kvs', 'put', 'silent', '-', '--create', FAST]);
    try {
      command.stdin.write(film.bytes);
      while (!command.output().includes('PERSISTED')) await delay(20);
      command.signal('SIGINT');
      const { code, stdout, stderr } = await command.ended;
      assert.deepEqual([code, stderr], [0, '']);
      const kept = eventsIn(stdout).filter(({ EventType }) => EventType === 'PERSISTED');
      assert.ok((await stored('silent', kept.length)).length > film.frames.length / 2);
    } finally {
      command.signal('SIGKILL');
    }
  });

  it('put uses the server and the access key of the environment, where there are such', async () => {
    const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = await home.rootEnvironment();
    const given = { COFFER_DATA: join(home.folder, 'none'), AWS_ENDPOINT_URL, AWS_REGION: 'us-east-1' };
    const keys = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
    assert.equal((await home.run(['kvs', 'put', 'film', film.path, FAST], { ...given, ...keys })).code, 0);
    const wrong = await home.run(['kvs', 'put', 'film', film.path, FAST], {
      ...given,
      ...keys,
      AWS_SECRET_ACCESS_KEY: 'x',
    });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^coffer: SignatureDoesNotMatch|^coffer: InvalidSignatureException/);
    const nowhere = await home.run(['kvs', 'put', 'film', film.path, FAST], {
      COFFER_DATA: given.COFFER_DATA,
      ...keys,
    });
    assert.match(nowhere.stderr, /AWS_ENDPOINT_URL is not set/, 'nothing is sent to Amazon by mistake');
  });

  it('put says when the service keeps nothing, by its acknowledgements alone', async () => {
    await control.send(new CreateStreamCommand({ StreamName: 'passing', DataRetentionInHours: 0 }));
    const { code, stdout } = await put('passing', film.path, FAST);
    assert.equal(code, 0);
    assert.deepEqual(new Set(eventsIn(stdout).map(({ EventType }) => EventType)), new Set(['BUFFERING', 'RECEIVED']));
    const { StreamInfo } = await control.send(new DescribeStreamCommand({ StreamName: 'passing' }));
    await control.send(
      new UpdateDataRetentionCommand({
        StreamName: 'passing',
        CurrentVersion: StreamInfo?.Version,
        Operation: 'INCREASE_DATA_RETENTION',
        DataRetentionChangeInHours: 1,
      }),
    );
    assert.match((await put('passing', film.path, FAST)).stdout, /PERSISTED/);
  });

  it('play prints an address that works without credentials: live, on demand, HLS and DASH', async () => {
    assert.equal((await put('film', film.path, FAST)).code, 0);
    for (const [options, master] of [
      [[], /#EXT-X-STREAM-INF/],
      [['--from', '1h'], /#EXT-X-STREAM-INF/],
      [['--from', '1h', '--to', '0m', '--expires', '300'], /#EXT-X-STREAM-INF/],
      [['--from', '1h', '--to', '0m', '--dash'], /<MPD/],
    ] as const) {
      const { code, stdout, stderr } = await home.run(['kvs', 'play', 'film', ...options]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/(hls|dash)\/v1\/\S+\n$/);
      const response = await fetch(stdout.trim());
      assert.equal(response.status, 200);
      assert.match(await response.text(), master);
    }
  });

  it('play fails in one line for what cannot be played', async () => {
    for (const [args, message] of [
      [['nowhere'], /ResourceNotFoundException/],
      [['film', '--to', '1h'], /--to goes with --from/],
      [['film', '--from', 'then'], /--from is a time/],
      [['film', '--expires', '10'], /--expires is a number of seconds from 300 to 43200/],
    ] as const) {
      const { code, stdout, stderr } = await home.run(['kvs', 'play', ...args]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
      assert.match(stderr, /^coffer: [^\n]+\n$/);
    }
  });
});

interface Event {
  readonly EventType: string;
  readonly FragmentTimecode?: number;
  readonly ErrorId?: number;
}

function eventsIn(stdout: string): Event[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Event).filter(({ EventType }) => EventType !== 'IDLE');
}

async function readFilm(path: string): Promise<{ tracks: readonly Track[]; frames: readonly Frame[] }> {
  const source = await RemuxedSource.open({ kind: 'file', path }, { withAudio: true });
  const frames = await Array.fromAsync(source.frames());
  const { tracks } = source.header;
  await source.close();
  return { tracks, frames };
}

/** The frames of one fragment as GetMedia gives it. */
function framesOf(chunk: Buffer): Frame[] {
  const outer = new ElementCursor(chunk);
  assert.ok(outer.next() && outer.next(true));
  const elements = outer.children();
  while (elements.next(true)) {
    if (elements.id !== ELEMENT.cluster) continue;
    // Of unknown size: it ends where the tags begin.
    const tags = chunk.indexOf(Buffer.from('1254c367', 'hex'), elements.dataStart);
    const { tracks, timecodeScale } = readHeader(chunk.subarray(0, elements.start));
    return readFrames(chunk.subarray(elements.start, tags), tracks, timecodeScale);
  }
  return [];
}

/** What the frames of each track are, without their places in time. */
function digest(frames: readonly Frame[]): string[] {
  const byTrack = frames.toSorted((a, b) => a.track - b.track);
  return byTrack.map(({ track, isKeyframe, payload }) => {
    return `${track} ${isKeyframe} ${createHash('sha256').update(payload).digest('hex')}`;
  });
}
