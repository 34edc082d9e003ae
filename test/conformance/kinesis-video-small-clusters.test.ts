import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GetImagesCommand } from '@aws-sdk/client-kinesis-video-archived-media';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import { readFrames } from '#media/matroska/read-frames.ts';
import { clusterTimecodeMs } from '#media/packaging/fragment-frames.ts';
import { createStream, putFragments } from '../harness/archived-video.ts';
import { makeColouredVideo } from '../harness/coloured-video.ts';
import { type FfmpegMedia, makeMedia, play, withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import { blockContent, cluster, element, endOfFragment } from '../harness/matroska-builder.ts';
import { MediaProducer } from '../harness/media-producer.ts';
import {
  addressesIn,
  fetchBytes,
  fetchText,
  MediaSessions,
  refusalOf,
  trackPlaylist,
} from '../harness/media-sessions.ts';

const BASE = Date.UTC(2026, 5, 1, 12);

describe('a stream whose Clusters begin in the midst of groups of pictures', { skip: withoutFfmpeg }, () => {
  let sessions: MediaSessions;
  /** Six seconds, three groups of pictures with B-frames, and sound. */
  let film: FfmpegMedia;
  /** Of each Cluster of the film. */
  let isEntry: boolean[];
  let begins: number[];
  let numbers: string[];

  before(async () => {
    sessions = await MediaSessions.start();
    film = makeMedia({ audio: 'aac', seconds: 6, fragmentSeconds: 2, size: '640x360' });
    const { tracks, timecodeScale } = film.header;
    const video = tracks.find(({ type }) => type === 'video')?.number;
    isEntry = film.clusters.map(
      (bytes) => readFrames(bytes, tracks, timecodeScale).find(({ track }) => track === video)?.isKeyframe === true,
    );
    begins = film.clusters.map((bytes) => clusterTimecodeMs(bytes, timecodeScale));
    assert.ok(film.clusters.length > 9, `${film.clusters.length} Clusters`);
    assert.equal(isEntry.filter((one) => one).length, 3);
    await createStream(sessions.platform, 'camera');
    const producer = await connect('camera', BASE);
    producer.send(film.source);
    producer.end();
    numbers = await take(producer, film.clusters.length);
  });
  after(() => sessions.stop());

  /** A producer whose times begin at zero, as ffmpeg's do. */
  async function connect(stream: string, startMs: number): Promise<MediaProducer> {
    const { endpoint } = sessions.platform;
    const { credentials } = sessions.platform.clientConfig();
    const start = (startMs / 1000).toFixed(3);
    return MediaProducer.open({ endpoint, credentials, stream, timecodes: 'RELATIVE', start });
  }

  async function take(producer: MediaProducer, count: number): Promise<string[]> {
    const taken: string[] = [];
    for (let index = 0; index < count; index++) taken.push((await producer.ack('PERSISTED')).FragmentNumber ?? '');
    return taken;
  }

  const entries = () => numbers.filter((_, index) => isEntry[index]);
  const named = (playlist: string) => [...playlist.matchAll(/FragmentNumber=(\d+)/g)].map(([, number]) => number);
  const range = (start = 0, end = 7000) => ({
    FragmentSelectorType: 'PRODUCER_TIMESTAMP' as const,
    TimestampRange: { StartTimestamp: new Date(BASE + start), EndTimestamp: new Date(BASE + end) },
  });
  const hls = (more: object = {}) =>
    sessions.hls({ StreamName: 'camera', PlaybackMode: 'ON_DEMAND', HLSFragmentSelector: range(), ...more });

  async function assertWhole(address: string): Promise<void> {
    for (const stream of ['v', 'a'] as const) {
      const { checksums } = await play(film.source, stream);
      assert.deepEqual(await play(address, stream), { checksums, complaints: '' });
    }
  }

  for (const ContainerFormat of ['FRAGMENTED_MP4', 'MPEG_TS'] as const) {
    it(`plays whole by HLS, a segment for each group: ${ContainerFormat}`, async () => {
      const address = await hls({ ContainerFormat, DisplayFragmentTimestamp: 'ALWAYS' });
      await assertWhole(address);
      const playlist = await fetchText(trackPlaylist(address));
      assert.deepEqual(named(playlist), entries());
      assert.deepEqual(
        [...playlist.matchAll(/DATE-TIME:(.*)/g)].map(([, time = '']) => Date.parse(time) - BASE),
        begins.filter((_, index) => isEntry[index]),
      );
    });
  }

  it('plays whole by HLS as a replay', async () => {
    await assertWhole(await hls({ PlaybackMode: 'LIVE_REPLAY', ContainerFormat: 'MPEG_TS' }));
  });

  it('is in the same groups by the server’s timestamps', async () => {
    const TimestampRange = { StartTimestamp: new Date(Date.now() - 600_000), EndTimestamp: new Date() };
    const HLSFragmentSelector = { FragmentSelectorType: 'SERVER_TIMESTAMP' as const, TimestampRange };
    const playlist = await fetchText(trackPlaylist(await hls({ HLSFragmentSelector })));
    assert.deepEqual(named(playlist), entries());
  });

  it('plays whole by DASH, and tells the number and time of each group', async () => {
    const address = await sessions.dash({
      StreamName: 'camera',
      PlaybackMode: 'ON_DEMAND',
      DASHFragmentSelector: range(),
      DisplayFragmentNumber: 'ALWAYS',
    });
    await assertWhole(address);
    const [video = ''] = (await fetchText(address)).split('</AdaptationSet>');
    assert.deepEqual(
      [...video.matchAll(/kvs:fn="(\d+)"/g)].map(([, number]) => number),
      entries(),
    );
  });

  it('begins with the first keyframe of a range, and gives out nothing behind its end', async () => {
    const address = await hls({ HLSFragmentSelector: range(500, 2600) });
    const playlist = await fetchText(trackPlaylist(address));
    const [, second = '', third = ''] = entries();
    assert.deepEqual(named(playlist), [second]);
    const [, media = ''] = addressesIn(playlist, address);
    const whole = await hls({ HLSFragmentSelector: range(500) });
    const [, longer = ''] = addressesIn(await fetchText(trackPlaylist(whole)), whole);
    assert.ok((await fetchBytes(media)).length < (await fetchBytes(longer)).length);
    assert.equal((await refusalOf(media.replace(second, third)))[0], 404);
  });

  for (const protocol of ['HLS', 'DASH'] as const) {
    it(`is shown live when a group is whole: ${protocol}`, async () => {
      const StreamName = `live-${protocol}`;
      await createStream(sessions.platform, StreamName);
      const producer = await connect(StreamName, Date.now());
      producer.send(film.header.bytes);
      const [, secondAt = 0, thirdAt = 0] = isEntry.flatMap((one, index) => (one ? [index] : []));
      const sent: string[] = [];
      const send = async (until: number): Promise<void> => {
        const more = film.clusters.slice(sent.length, until);
        producer.send(...more, endOfFragment());
        sent.push(...(await take(producer, more.length)));
      };
      const begin = () => (protocol === 'HLS' ? sessions.hls({ StreamName }) : sessions.dash({ StreamName, ...shown }));
      const shown = { DisplayFragmentNumber: 'ALWAYS' } as const;
      const shownIn = async (address: string) => {
        if (protocol === 'HLS') return named(await fetchText(trackPlaylist(address)));
        const [video = ''] = (await fetchText(address)).split('</AdaptationSet>');
        return [...video.matchAll(/kvs:fn="(\d+)"/g)].map(([, number]) => number);
      };
      await send(3);
      await assert.rejects(begin(), { name: 'ResourceNotFoundException' });
      await send(secondAt + 2);
      const address = await begin();
      assert.deepEqual(await shownIn(address), [sent[0]]);
      await send(thirdAt);
      assert.deepEqual(await shownIn(address), [sent[0]]);
      await send(thirdAt + 1);
      assert.deepEqual(await shownIn(address), [sent[0], sent[secondAt]]);
      await send(film.clusters.length);
      assert.deepEqual(await shownIn(address), [sent[0], sent[secondAt]]);
      producer.end();
      await producer.ended();
      assert.deepEqual(await shownIn(address), [sent[0], sent[secondAt], sent[thirdAt]]);
      // A new connection's first fragment is shown at once: most connections send whole groups.
      const again = await connect(StreamName, Date.now() + 60_000);
      again.send(film.header.bytes, film.clusters[0] ?? Buffer.alloc(0), endOfFragment());
      const [first] = await take(again, 1);
      assert.deepEqual(await shownIn(address), [sent[0], sent[secondAt], sent[thirdAt], first]);
      again.destroy();
    });
  }

  it('has pictures at every time, those of the same film in whole groups', async () => {
    const video = await makeColouredVideo({ colours: ['red', 'lime', 'blue', 'white'], fragmentSeconds: 2 });
    const wholes = video.fragments.map((one) => one.cluster(BASE));
    const parts = video.fragments.flatMap(({ frames }) =>
      Array.from({ length: Math.ceil(frames.length / 3) }, (_, part) => {
        const own = frames.slice(part * 3, part * 3 + 3);
        const begin = own[0]?.timecodeMs ?? 0;
        const blocks = own.map(({ timecodeMs, isKeyframe, payload }) =>
          element(ELEMENT.simpleBlock, blockContent({ time: Math.round(timecodeMs - begin), isKeyframe, payload })),
        );
        return cluster(BASE + begin, { blocks, size: 8 });
      }),
    );
    const imagesOf = async (StreamName: string, clusters: readonly Buffer[]) => {
      await createStream(sessions.platform, StreamName);
      await putFragments(sessions.platform, StreamName, video.header, clusters);
      const contents: (string | undefined)[] = [];
      for (const start of [0, 2000]) {
        const { Images = [] } = await sessions.archived.send(
          new GetImagesCommand({
            StreamName,
            ImageSelectorType: 'PRODUCER_TIMESTAMP',
            StartTimestamp: new Date(BASE + start + 50),
            EndTimestamp: new Date(BASE + start + 2000),
            SamplingInterval: 200,
            Format: 'PNG',
          }),
        );
        contents.push(...Images.map(({ ImageContent, Error }) => ImageContent ?? Error));
      }
      return contents;
    };
    const expected = await imagesOf('wholes', wholes);
    assert.equal(expected.length, 20);
    assert.equal(new Set(expected).size, 4);
    assert.deepEqual(await imagesOf('parts', parts), expected);
    // One alone, whose decoding begins far before it.
    const { Images } = await sessions.archived.send(
      new GetImagesCommand({
        StreamName: 'parts',
        ImageSelectorType: 'PRODUCER_TIMESTAMP',
        StartTimestamp: new Date(BASE + 3850),
        EndTimestamp: new Date(BASE + 3850),
        SamplingInterval: 200,
        Format: 'PNG',
      }),
    );
    assert.deepEqual(Images?.[0]?.ImageContent, expected.at(-1));
  });
});
