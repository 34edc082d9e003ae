import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  GetImagesCommand,
  type GetImagesInput,
  type Image,
  ListFragmentsCommand,
  KinesisVideoArchivedMediaClient,
  paginateGetImages,
} from '@aws-sdk/client-kinesis-video-archived-media';
import fc from 'fast-check';
import { createStream, putFragments } from '../harness/archived-video.ts';
import { type ColouredVideo, makeColouredVideo } from '../harness/coloured-video.ts';
import { cluster, header, simpleBlock } from '../harness/matroska-builder.ts';
import { openPicture } from '../harness/picture.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const BASE = Date.UTC(2026, 5, 1, 12);
/** One second of each, in fragments of two seconds; five seconds of nothing in their midst. */
const COLOURS = ['red', 'lime', 'blue', 'white', 'red', 'blue'] as const;
const GAP_AFTER = 4000;
const GAP = 5000;

describe('GetImages', () => {
  let platform: TestPlatform;
  let client: KinesisVideoArchivedMediaClient;
  let video: ColouredVideo;

  before(async () => {
    platform = await startTestPlatform();
    client = new KinesisVideoArchivedMediaClient(platform.clientConfig());
    video = await makeColouredVideo({ colours: COLOURS, fragmentSeconds: 2, width: 128, height: 96 });
    await createStream(platform, 'camera');
    const clusters = video.fragments.map((one) => one.cluster(BASE + (one.offsetMs < GAP_AFTER ? 0 : GAP)));
    await putFragments(platform, 'camera', video.header, clusters);
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  type Wish = Partial<Omit<GetImagesInput, 'StartTimestamp' | 'EndTimestamp'>>;
  const input = (start: number, end: number, more: Wish = {}): GetImagesInput => ({
    StreamName: 'camera',
    ImageSelectorType: 'PRODUCER_TIMESTAMP',
    StartTimestamp: new Date(BASE + start),
    EndTimestamp: new Date(BASE + end),
    SamplingInterval: 1000,
    Format: 'JPEG',
    ...more,
  });
  const get = (start: number, end: number, more?: Wish) => client.send(new GetImagesCommand(input(start, end, more)));
  const shows = async ({ ImageContent, Error }: Image) =>
    ImageContent === undefined ? Error : (await openPicture(Buffer.from(ImageContent, 'base64'))).colour;
  const briefly = ({ TimeStamp, ImageContent = '', Error }: Image) =>
    `${(TimeStamp?.getTime() ?? 0) - BASE} ${Error ?? createHash('sha256').update(ImageContent).digest('hex')}`;
  const seen = async (images: readonly Image[] | undefined) => Promise.all((images ?? []).map(shows));

  it('shows what the producer saw at each time, and says where there was nothing', async () => {
    const { Images, NextToken } = await get(-2500, 13_500);
    assert.equal(NextToken, undefined);
    assert.deepEqual(
      Images?.map(({ TimeStamp }) => (TimeStamp?.getTime() ?? 0) - BASE),
      Array.from({ length: 17 }, (_, index) => -2500 + index * 1000),
    );
    const nothing = (length: number) => Array.from({ length }, () => 'NO_MEDIA');
    const [one, two] = [
      ['red', 'lime', 'blue', 'white'],
      ['red', 'blue'],
    ];
    // The last picture stands for a moment.
    const wanted = [...nothing(3), ...one, 'white', ...nothing(4), ...two, 'blue', ...nothing(2)];
    assert.deepEqual(await seen(Images), wanted);
    for (const image of Images ?? []) assert.equal(image.ImageContent === undefined, image.Error !== undefined);
  });

  it('shows what came at a time by the server’s clock', async () => {
    await createStream(platform, 'late');
    const [first] = video.fragments;
    assert.ok(first);
    // The producer's clock stands at 1970.
    await putFragments(platform, 'late', video.header, [first.cluster(0)]);
    const range = { StartTimestamp: new Date(0), EndTimestamp: new Date() };
    const FragmentSelector = { FragmentSelectorType: 'SERVER_TIMESTAMP', TimestampRange: range } as const;
    const { Fragments } = await client.send(new ListFragmentsCommand({ StreamName: 'late', FragmentSelector }));
    const came = (Fragments?.[0]?.ServerTimestamp?.getTime() ?? 0) - BASE;
    const at = async (time: number) => {
      const wish = { StreamName: 'late', ImageSelectorType: 'SERVER_TIMESTAMP' } as const;
      return seen((await get(time, time, wish)).Images);
    };
    assert.deepEqual(await at(came), ['red']);
    assert.deepEqual(await at(came + 999), ['red']);
    assert.deepEqual(await at(came + 1000), ['lime']);
    assert.deepEqual(await at(came - 1), ['NO_MEDIA']);
    assert.deepEqual(await at(-BASE), ['NO_MEDIA']);
  });

  it('shows what came last where the producer’s clock went back', async () => {
    await createStream(platform, 'again');
    const [first, second, third] = video.fragments;
    assert.ok(first && second && third);
    await putFragments(platform, 'again', video.header, [first.cluster(BASE), second.cluster(BASE)]);
    // Red and blue in the place of blue and white, and half a second later than red and lime.
    await putFragments(platform, 'again', video.header, [third.cluster(BASE - third.offsetMs + 2000)]);
    await putFragments(platform, 'again', video.header, [second.cluster(BASE - second.offsetMs + 500)]);
    const wish = { StreamName: 'again', SamplingInterval: 500 };
    const wanted = ['red', 'blue', 'blue', 'white', 'red', 'red', 'blue', 'blue'];
    assert.deepEqual(await seen((await get(0, 3500, wish)).Images), wanted);
  });

  it('samples by the interval, and takes the beginning of a range that is shorter', async () => {
    assert.deepEqual(await seen((await get(0, 3999, { SamplingInterval: 2000 })).Images), ['red', 'blue']);
    assert.deepEqual(await seen((await get(0, 4000, { SamplingInterval: 2000 })).Images), ['red', 'blue', 'white']);
    assert.deepEqual(await seen((await get(900, 1100, { SamplingInterval: 200 })).Images), ['red', 'lime']);
    assert.deepEqual(await seen((await get(1500, 1900, { SamplingInterval: 20_000 })).Images), ['lime']);
    const { SamplingInterval: _, ...rest } = input(0, 3500);
    assert.deepEqual(await seen((await client.send(new GetImagesCommand(rest))).Images), ['red', 'white']);
  });

  it('gives JPEG or PNG, of the size and quality that is asked for', async () => {
    for (const [wish, expected] of [
      [{ Format: 'JPEG' }, { format: 'JPEG', width: 128, height: 96 }],
      [{ Format: 'PNG' }, { format: 'PNG', width: 128, height: 96 }],
      [
        { Format: 'PNG', WidthPixels: 30, HeightPixels: 90 },
        { format: 'PNG', width: 30, height: 90 },
      ],
      [
        { Format: 'JPEG', HeightPixels: 48 },
        { format: 'JPEG', width: 64, height: 48 },
      ],
      [
        { Format: 'JPEG', WidthPixels: 3840, HeightPixels: 2160 },
        { format: 'JPEG', width: 3840, height: 2160 },
      ],
    ] as const) {
      const { Images } = await get(2500, 2500, wish);
      const picture = await openPicture(Buffer.from(Images?.[0]?.ImageContent ?? '', 'base64'));
      assert.deepEqual(picture, { ...expected, colour: 'blue' });
    }
    const sizeAt = async (quality?: string) => {
      const wish = quality === undefined ? {} : { FormatConfig: { JPEGQuality: quality } };
      const film = { StreamName: 'pattern', ...wish };
      return ((await get(0, 0, film)).Images?.[0]?.ImageContent ?? '').length;
    };
    await createStream(platform, 'pattern');
    const pattern = await makeColouredVideo({ colours: ['red'], pattern: 'testsrc2', width: 640, height: 360 });
    await putFragments(platform, 'pattern', pattern.header, [pattern.fragments[0]?.cluster(BASE) ?? Buffer.alloc(0)]);
    const [least, most, usual] = [await sizeAt('1'), await sizeAt('100'), await sizeAt()];
    assert.ok(least < usual && usual < most, `${least} ${usual} ${most}`);
    assert.equal(usual, await sizeAt('80'));
  });

  it('gives at most 25 images a page, and the same images whatever the size of the pages', async () => {
    const first = await get(0, 11_000, { SamplingInterval: 200, HeightPixels: 32, MaxResults: 100 });
    assert.equal(first.Images?.length, 25);
    assert.ok(first.NextToken);
    const all = await collect(100);
    assert.equal(all.length, 56);
    assert.equal(new Set(all.map((one) => one.split(' ')[1])).size, 5, 'four colours and nothing');
    assert.deepEqual(first.Images.map(briefly), all.slice(0, 25));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (size) => {
        assert.deepEqual(await collect(size), all);
      }),
      { numRuns: 6 },
    );
  });

  async function collect(pageSize: number): Promise<string[]> {
    const images: string[] = [];
    const wish = input(0, 11_000, { SamplingInterval: 200, HeightPixels: 32 });
    for await (const { Images = [] } of paginateGetImages({ client, pageSize }, wish)) {
      assert.ok(Images.length > 0 && Images.length <= Math.min(pageSize, 25));
      images.push(...Images.map(briefly));
    }
    return images;
  }

  it('ends a page early that would have too many bytes', async () => {
    await createStream(platform, 'noise');
    const noise = await makeColouredVideo({ colours: ['red'], pattern: 'noise', width: 320, height: 180 });
    await putFragments(platform, 'noise', noise.header, [noise.fragments[0]?.cluster(BASE) ?? Buffer.alloc(0)]);
    const large = {
      StreamName: 'noise',
      Format: 'PNG',
      SamplingInterval: 200,
      WidthPixels: 3840,
      HeightPixels: 2160,
    } as const;
    const { Images = [], NextToken } = await get(0, 999, large);
    const sizes = Images.map(({ ImageContent = '' }) => ImageContent.length * (3 / 4));
    const [first = 0] = sizes;
    const least = 16 * 1024 ** 2;
    assert.ok(first > least / 5, `${first} bytes`);
    assert.ok(Images.length < 5 && NextToken !== undefined);
    const sum = sizes.reduce((total, size) => total + size, 0);
    assert.ok(sum >= least && sum - (sizes.at(-1) ?? 0) < least, `${sum} bytes`);
    const rest = await get(0, 999, { ...large, NextToken });
    assert.deepEqual(rest.Images?.[0]?.TimeStamp, new Date(BASE + Images.length * 200));
  });

  it('says of media that gives no picture that it does not, image by image', async () => {
    await createStream(platform, 'broken');
    const [first, second, third] = video.fragments;
    assert.ok(first && second && third);
    const damaged = second.frames.map(({ timecodeMs, isKeyframe, payload }) =>
      simpleBlock({ time: timecodeMs - second.offsetMs, isKeyframe, payload: Buffer.alloc(payload.length, 0x55) }),
    );
    await putFragments(platform, 'broken', video.header, [
      first.cluster(BASE),
      cluster(BASE + second.offsetMs, { blocks: damaged, size: 8 }),
      third.cluster(BASE),
    ]);
    const wanted = ['red', 'lime', 'MEDIA_ERROR', 'MEDIA_ERROR', 'red', 'blue'];
    assert.deepEqual(await seen((await get(0, 5500, { StreamName: 'broken' })).Images), wanted);

    await createStream(platform, 'sound');
    const block = simpleBlock({ track: 1, payload: Buffer.alloc(50) });
    const sound = header({ number: 1, type: 'audio' });
    await putFragments(platform, 'sound', sound, [cluster(BASE, { blocks: [block], size: 8 })]);
    assert.deepEqual(await seen((await get(0, 0, { StreamName: 'sound' })).Images), ['MEDIA_ERROR']);
  });

  it('refuses what it cannot make sense of, by name', async () => {
    const cases: readonly (readonly [wish: readonly [number, number, Wish?], message: RegExp])[] = [
      [[1, 0], /^StartTimestamp is later than EndTimestamp/],
      [[0, 300_001], /^EndTimestamp is more than 300 seconds later/],
      [[0, 1000, { SamplingInterval: 199 }], /^SamplingInterval is at least 200/],
      [[0, 0, { WidthPixels: 100 }], /^WidthPixels goes with HeightPixels only/],
      [[0, 0, { WidthPixels: 3841, HeightPixels: 100 }], /widthPixels/i],
      [[0, 0, { HeightPixels: 2161 }], /heightPixels/i],
      [[0, 0, { FormatConfig: { JPEGQuality: '0' } }], /^JPEGQuality is a whole number from 1 to 100/],
      [[0, 0, { FormatConfig: { JPEGQuality: '101' } }], /^JPEGQuality is a whole number/],
      [[0, 0, { FormatConfig: { JPEGQuality: 'high' } }], /^JPEGQuality is a whole number/],
      [[0, 0, { Format: 'PNG', FormatConfig: { JPEGQuality: '80' } }], /^JPEGQuality goes with the format JPEG/],
      [[0, 0, { Format: 'GIF' as 'PNG' }], /format/i],
      [[0, 0, { MaxResults: 101 }], /maxResults/i],
      [[0, 0, { NextToken: Buffer.alloc(60).toString('base64') }], /^NextToken is not a token of this operation/],
    ];
    for (const [wish, message] of cases) {
      await assert.rejects(get(...wish), { name: 'InvalidArgumentException', message });
    }
    const { NextToken } = await get(0, 4000, { MaxResults: 1 });
    assert.ok(NextToken);
    for (const [end, Format] of [
      [5000, 'JPEG'],
      [4000, 'PNG'],
    ] as const) {
      await assert.rejects(get(0, end, { NextToken, Format }), {
        name: 'InvalidArgumentException',
        message: /^NextToken belongs to another request/,
      });
    }
    assert.equal((await get(0, 300_000, { SamplingInterval: 100_000 })).Images?.length, 4);
    await assert.rejects(get(0, 0, { StreamName: 'nowhere' }), { name: 'ResourceNotFoundException' });
    await createStream(platform, 'passing', { DataRetentionInHours: 0 });
    await assert.rejects(get(0, 0, { StreamName: 'passing' }), { name: 'NoDataRetentionException' });
  });
});
