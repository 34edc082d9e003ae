import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createStream } from '../harness/archived-video.ts';
import { codecsOf, type FfmpegMedia, makeMedia, play, probe, withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import {
  addressesIn,
  fetchBytes,
  fetchText,
  MediaSessions,
  producerRange,
  refusalOf,
  trackPlaylist,
} from '../harness/media-sessions.ts';
import { endOfFragment } from '../harness/matroska-builder.ts';

const BASE = Date.UTC(2026, 5, 1, 12);

describe('HLS sessions', { skip: withoutFfmpeg }, () => {
  let sessions: MediaSessions;
  let film: FfmpegMedia;
  let numbers: string[];

  before(async () => {
    sessions = await MediaSessions.start();
    film = makeMedia({ audio: 'aac' });
    await createStream(sessions.platform, 'camera');
    numbers = await sessions.produce('camera', film, BASE);
  });
  after(() => sessions.stop());

  const onDemand = (more: object = {}) =>
    sessions.hls({
      StreamName: 'camera',
      PlaybackMode: 'ON_DEMAND',
      HLSFragmentSelector: producerRange(BASE, film),
      ...more,
    });

  describe('on demand', () => {
    for (const ContainerFormat of ['FRAGMENTED_MP4', 'MPEG_TS'] as const) {
      it(`play in ffmpeg as the film that was sent, picture and sound: ${ContainerFormat}`, async () => {
        const address = await onDemand({ ContainerFormat });
        for (const stream of ['v', 'a'] as const) {
          const { checksums } = await play(film.source, stream);
          assert.deepEqual(await play(address, stream), { checksums, complaints: '' });
        }
        assert.deepEqual(codecsOf(await probe(address)), new Set(['aac', 'h264']));
      });
    }

    it('are listed as the real service lists them', async () => {
      const address = await onDemand({ DisplayFragmentTimestamp: 'ALWAYS' });
      const token = new URL(address).searchParams.get('SessionToken') ?? '';
      assert.match(address, /\/hls\/v1\/getHLSMasterPlaylist\.m3u8\?SessionToken=[A-Za-z0-9_-]+~$/);
      const master = await fetchText(address);
      assert.match(
        master,
        /^#EXTM3U\n#EXT-X-VERSION:1\n#EXT-X-MEDIA:TYPE=AUDIO,.*\n#EXT-X-STREAM-INF:CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2",RESOLUTION=160x120,FRAME-RATE=25\.0,BANDWIDTH=\d+,AUDIO="audio"\ngetHLSMediaPlaylist\.m3u8\?SessionToken=.*&TrackNumber=1\n$/,
      );
      const starts = film.fragments.map(({ offsetMs }) => BASE + offsetMs);
      const fragments = numbers.flatMap((number, index) => {
        const start = starts[index] ?? 0;
        // How long the last one lasts only the archive knows.
        const seconds = ((starts[index + 1] ?? Number.NaN) - start) / 1000;
        return [
          `#EXT-X-PROGRAM-DATE-TIME:${new Date(start).toISOString()}`,
          `#EXTINF:${Number.isInteger(seconds) ? `${seconds}.0` : seconds},`,
          `getMP4MediaFragment.mp4?FragmentNumber=${number}&SessionToken=${token}&TrackNumber=1`,
        ];
      });
      const playlist = await fetchText(trackPlaylist(address));
      assert.deepEqual(playlist.replace(/EXTINF:1\.0\d*,(?=\n[^\n]*\n#EXT-X-ENDLIST)/, 'EXTINF:NaN,').split('\n'), [
        '#EXTM3U',
        '#EXT-X-VERSION:7',
        '#EXT-X-PLAYLIST-TYPE:VOD',
        '#EXT-X-TARGETDURATION:2',
        '#EXT-X-MEDIA-SEQUENCE:0',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        `#EXT-X-MAP:URI="getMP4InitFragment.mp4?SessionToken=${token}&TrackNumber=1&SequenceNumber=0"`,
        ...fragments,
        '#EXT-X-ENDLIST',
        '',
      ]);
    });

    it('mark every fragment as a new timeline by server timestamps, and none by the producer’s', async () => {
      const HLSFragmentSelector = {
        FragmentSelectorType: 'SERVER_TIMESTAMP' as const,
        TimestampRange: { StartTimestamp: new Date(Date.now() - 600_000), EndTimestamp: new Date() },
      };
      const byServer = await fetchText(trackPlaylist(await onDemand({ HLSFragmentSelector })));
      assert.equal(byServer.match(/^#EXT-X-DISCONTINUITY$/gm)?.length, numbers.length);
      const asked = await onDemand({ HLSFragmentSelector, DiscontinuityMode: 'NEVER' });
      assert.doesNotMatch(await fetchText(trackPlaylist(asked)), /DISCONTINUITY/);
      assert.doesNotMatch(await fetchText(trackPlaylist(await onDemand())), /DISCONTINUITY|DATE-TIME/);
    });

    it('have no more fragments than were asked for', async () => {
      const playlist = await fetchText(trackPlaylist(await onDemand({ MaxMediaPlaylistFragmentResults: 2 })));
      const named = [...playlist.matchAll(/FragmentNumber=(\d+)/g)].map(([, number]) => number);
      assert.deepEqual(named, numbers.slice(0, 2));
    });

    it('have of fragments with the same producer timestamp the newest', async () => {
      await createStream(sessions.platform, 'twice');
      const older = await sessions.produce('twice', film, BASE);
      const newer = await sessions.produce('twice', film, BASE);
      const address = await onDemand({ StreamName: 'twice' });
      const playlist = await fetchText(trackPlaylist(address));
      assert.deepEqual(
        [...playlist.matchAll(/FragmentNumber=(\d+)/g)].map(([, number]) => number),
        newer,
      );
      assert.ok(older.every((number) => !playlist.includes(number)));
      assert.equal((await play(address, 'v')).checksums.length, 100);
    });

    it('give out nothing that lies outside their range, or in another stream', async () => {
      await createStream(sessions.platform, 'other');
      const [foreign = ''] = await sessions.produce('other', film, BASE);
      const TimestampRange = { StartTimestamp: new Date(BASE), EndTimestamp: new Date(BASE + 1500) };
      const narrow = await onDemand({
        HLSFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP', TimestampRange },
      });
      const [, inside = ''] = addressesIn(await fetchText(trackPlaylist(narrow)), narrow);
      assert.ok((await fetchBytes(inside)).length > 1000);
      const fragment = (number: string) => inside.replace(/FragmentNumber=\d+/, `FragmentNumber=${number}`);
      for (const number of [numbers[3] ?? '', foreign, '1', '9'.repeat(128)]) {
        const [status, type] = await refusalOf(fragment(number));
        assert.deepEqual([status, type], [404, 'ResourceNotFoundException']);
      }
      for (const number of ['', 'x', '-1', '9'.repeat(129)]) {
        const [status, type] = await refusalOf(fragment(number));
        assert.deepEqual([status, type], [400, 'InvalidArgumentException']);
      }
    });

    it('refuse tracks, configurations and containers that they do not have', async () => {
      const address = await onDemand();
      const [init = '', media = ''] = addressesIn(await fetchText(trackPlaylist(address)), address);
      const [status, type] = await refusalOf(media.replace('TrackNumber=1', 'TrackNumber=9'));
      assert.deepEqual([status, type], [400, 'UnsupportedStreamMediaTypeException']);
      assert.equal((await refusalOf(init.replace('SequenceNumber=0', 'SequenceNumber=7')))[0], 404);
      assert.equal((await refusalOf(init.replace('SequenceNumber=0', 'SequenceNumber=x')))[0], 400);
      assert.equal((await refusalOf(media.replace('getMP4MediaFragment.mp4', 'getTSFragment.ts')))[0], 400);
      assert.equal(
        (await refusalOf(address.replace('hls/v1/getHLSMasterPlaylist.m3u8', 'dash/v1/getDASHManifest.mpd')))[0],
        400,
      );
    });
  });

  describe('live', () => {
    it('begin within the first fragment, slide, and never end', async () => {
      await createStream(sessions.platform, 'live');
      const producer = await sessions.connect('live', film);
      const now = Date.now();
      const sent: string[] = [];
      const send = async (index: number): Promise<void> => {
        const fragment = film.fragments[index % film.fragments.length];
        const round = Math.floor(index / film.fragments.length);
        producer.send(fragment?.cluster(now + round * 4000) ?? Buffer.alloc(0));
        // What ends a fragment is the next one, or this.
        producer.send(endOfFragment());
        sent.push((await producer.ack('PERSISTED')).FragmentNumber ?? '');
      };
      await send(0);
      const address = await sessions.hls({ StreamName: 'live', MaxMediaPlaylistFragmentResults: 3 });
      const playlist = () => fetchText(trackPlaylist(address));
      const numbersIn = (text: string) => [...text.matchAll(/FragmentNumber=(\d+)/g)].map(([, number]) => number);
      const first = await playlist();
      assert.deepEqual(numbersIn(first), sent);
      assert.match(first, /#EXT-X-MEDIA-SEQUENCE:0\n/);
      assert.doesNotMatch(first, /ENDLIST|PLAYLIST-TYPE/);
      for (let index = 1; index < 5; index++) await send(index);
      const later = await playlist();
      assert.deepEqual(numbersIn(later), sent.slice(-3));
      assert.match(later, /#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n/);
      assert.deepEqual(codecsOf(await probe(address)), new Set(['aac', 'h264']));
      // A player that was slow still gets what has left the playlist.
      const [, gone = ''] = addressesIn(first, address);
      assert.ok((await fetchBytes(gone)).length > 1000);
      producer.end();
    });

    it('of another playback mode begin in the past and go on', async () => {
      await createStream(sessions.platform, 'replayed');
      const begun = new Date();
      const replayed = await sessions.produce('replayed', film, BASE);
      const TimestampRange = { StartTimestamp: begun };
      const address = await sessions.hls({
        StreamName: 'replayed',
        PlaybackMode: 'LIVE_REPLAY',
        HLSFragmentSelector: { FragmentSelectorType: 'SERVER_TIMESTAMP', TimestampRange },
      });
      const playlist = await fetchText(trackPlaylist(address));
      assert.deepEqual(
        [...playlist.matchAll(/FragmentNumber=(\d+)/g)].map(([, number]) => number),
        replayed,
      );
      assert.doesNotMatch(playlist, /ENDLIST|PLAYLIST-TYPE/);
    });
  });

  it('survive another configuration of the same tracks, with an initialisation fragment of its own', async () => {
    await createStream(sessions.platform, 'resized');
    const larger = makeMedia({ audio: 'aac', size: '320x240' });
    await sessions.produce('resized', film, BASE);
    await sessions.produce('resized', larger, BASE + 10_000);
    const end = BASE + 20_000;
    const TimestampRange = { StartTimestamp: new Date(BASE), EndTimestamp: new Date(end) };
    const address = await onDemand({
      StreamName: 'resized',
      HLSFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP', TimestampRange },
    });
    const playlist = await fetchText(trackPlaylist(address));
    assert.deepEqual(playlist.match(/SequenceNumber=\d/g), ['SequenceNumber=0', 'SequenceNumber=1']);
    const [, init = '', ...media] = addressesIn(playlist, address);
    const second = await Promise.all([init, ...media.slice(4)].map(fetchBytes));
    const { checksums } = await play(larger.source, 'v');
    assert.deepEqual(await play(Buffer.concat(second), 'v'), { checksums, complaints: '' });
  });

  it('play sound alone, and refuse sound that is no AAC', async () => {
    const sound = makeMedia({ video: 'none', audio: 'aac' });
    await createStream(sessions.platform, 'sound');
    await sessions.produce('sound', sound, BASE);
    const range = { HLSFragmentSelector: producerRange(BASE, sound), PlaybackMode: 'ON_DEMAND' } as const;
    const address = await sessions.hls({ StreamName: 'sound', ...range });
    assert.match(await fetchText(address), /STREAM-INF:CODECS="mp4a\.40\.2",BANDWIDTH=\d+\n/);
    assert.deepEqual((await play(address, 'a')).checksums, (await play(sound.source, 'a')).checksums);
    const speech = makeMedia({ audio: 'alaw' });
    await createStream(sessions.platform, 'speech');
    await sessions.produce('speech', speech, BASE);
    await assert.rejects(sessions.hls({ StreamName: 'speech', ...range }), {
      name: 'UnsupportedStreamMediaTypeException',
    });
  });

  it('of H.265 play too', async () => {
    const hevc = makeMedia({ video: 'hevc' });
    await createStream(sessions.platform, 'hevc');
    await sessions.produce('hevc', hevc, BASE);
    const { checksums } = await play(hevc.source, 'v');
    for (const ContainerFormat of ['FRAGMENTED_MP4', 'MPEG_TS'] as const) {
      const address = await onDemand({ StreamName: 'hevc', ContainerFormat });
      assert.match(await fetchText(address), /CODECS="hvc1\.1\.6\.L\d+/);
      assert.deepEqual(await play(address, 'v'), { checksums, complaints: '' });
    }
  });
});
