import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { GetClipCommand, type GetClipInput } from '@aws-sdk/client-kinesis-video-archived-media';
import { createStream, putFragments } from '../harness/archived-video.ts';
import { type FfmpegMedia, makeMedia, type MediaFacts, play, probe, withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import { cluster, element, header } from '../harness/matroska-builder.ts';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import { blindCluster, blindHeader, MediaSessions, producerRange } from '../harness/media-sessions.ts';

const BASE = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;

describe('clips', () => {
  let sessions: MediaSessions;

  before(async () => {
    sessions = await MediaSessions.start();
  });
  after(() => sessions.stop());

  async function clip(StreamName: string, ClipFragmentSelector: GetClipInput['ClipFragmentSelector']): Promise<Buffer> {
    const { ContentType, Payload } = await sessions.archived.send(
      new GetClipCommand({ StreamName, ClipFragmentSelector }),
    );
    assert.equal(ContentType, 'video/mp4');
    return await buffer(Payload as Readable);
  }

  const selector = (start: number, end: number, type: 'PRODUCER' | 'SERVER' = 'PRODUCER') => ({
    FragmentSelectorType: `${type}_TIMESTAMP` as const,
    TimestampRange: { StartTimestamp: new Date(start), EndTimestamp: new Date(end) },
  });

  describe('of films', { skip: withoutFfmpeg }, () => {
    const films: readonly (readonly [string, MediaFacts])[] = [
      ['H.264 with AAC', { audio: 'aac' }],
      ['H.265 alone', { video: 'hevc' }],
      ['H.264 with G.711', { audio: 'alaw' }],
    ];
    for (const [name, facts] of films) {
      it(`are one file with the pictures and the sound that were sent: ${name}`, async () => {
        const film = makeMedia(facts);
        const stream = name.replaceAll(/\W/g, '');
        await createStream(sessions.platform, stream);
        await sessions.produce(stream, film, BASE);
        const file = await clip(stream, producerRange(BASE, film));
        assert.equal(file.toString('latin1', 4, 8), 'ftyp');
        assert.ok(file.indexOf('moov') < file.indexOf('mdat'), 'the index stands in front');
        for (const kind of facts.audio === undefined ? (['v'] as const) : (['v', 'a'] as const)) {
          assert.deepEqual((await play(file, kind)).checksums, (await play(film.source, kind)).checksums);
        }
        assert.equal((await probe(file))[0]?.['duration'], '4.000000');
      });
    }

    it('are put together without gaps, by server timestamps too', async () => {
      const film: FfmpegMedia = makeMedia({ audio: 'aac', seconds: 2 });
      await createStream(sessions.platform, 'gaps');
      await sessions.produce('gaps', film, BASE);
      await sessions.produce('gaps', film, BASE + 60_000);
      const { checksums } = await play(film.source, 'v');
      for (const range of [selector(BASE, BASE + HOUR), selector(Date.now() - HOUR, Date.now(), 'SERVER')]) {
        const file = await clip('gaps', range);
        assert.deepEqual((await play(file, 'v')).checksums, [...checksums, ...checksums]);
        const seconds = Number((await probe(file))[0]?.['duration']);
        assert.ok(seconds > 3.9 && seconds < 4.2, String(seconds));
      }
    });
  });

  it('have the first 200 fragments of their range, and of those with one timestamp the newest', async () => {
    await createStream(sessions.platform, 'long');
    const clusters = Array.from({ length: 205 }, (_, index) => blindCluster(BASE + index * 1000));
    await putFragments(sessions.platform, 'long', blindHeader, clusters);
    await putFragments(sessions.platform, 'long', blindHeader, clusters.slice(0, 3));
    const file = await clip('long', selector(BASE, BASE + HOUR));
    const sizes = file.indexOf('stsz');
    assert.equal(file.readUInt32BE(sizes + 12), 400, 'each has two frames');
  });

  it('that cannot be made are refused before anything of them is sent', async () => {
    const { platform } = sessions;
    const now = Date.now();
    await createStream(platform, 'forgetful', { DataRetentionInHours: 0 });
    await createStream(platform, 'empty');
    const all = selector(BASE, BASE + HOUR);
    await assert.rejects(clip('forgetful', all), { name: 'NoDataRetentionException' });
    await assert.rejects(clip('empty', all), { name: 'ResourceNotFoundException', message: /No fragments/ });
    await assert.rejects(clip('nowhere', all), { name: 'ResourceNotFoundException' });
    const wrong = [selector(BASE, BASE), selector(BASE, BASE + 24 * HOUR + 1), selector(now, now + HOUR, 'SERVER')];
    for (const range of wrong) await assert.rejects(clip('empty', range), { name: 'InvalidArgumentException' });
    await assert.rejects(clip('empty', undefined), { name: 'InvalidArgumentException' });

    const withPrivate = (hex: string) =>
      header({ number: 1, extra: [element(ELEMENT.codecPrivate, Buffer.from(hex, 'hex'))] });
    const soundPrivate = [element(ELEMENT.codecPrivate, Buffer.from('1190', 'hex'))];
    const streams: Readonly<Record<string, readonly Buffer[]>> = {
      MissingCodecPrivateDataException: [header({ number: 1 })],
      InvalidCodecPrivateDataException: [withPrivate('0164000dffe0')],
      UnsupportedStreamMediaTypeException: [header({ number: 1, type: 'audio', extra: soundPrivate })],
    };
    for (const [name, [bytes = Buffer.alloc(0)]] of Object.entries(streams)) {
      await createStream(platform, name);
      await putFragments(platform, name, bytes, [blindCluster(BASE)]);
      await assert.rejects(clip(name, all), { name });
    }
    // The frames of the harness's own builder are no NAL units.
    await createStream(platform, 'broken');
    await putFragments(platform, 'broken', blindHeader, [blindCluster(BASE), BROKEN_CLUSTER]);
    await assert.rejects(clip('broken', all), { name: 'InvalidMediaFrameException' });
    // One file has one configuration.
    await createStream(platform, 'changed');
    await putFragments(platform, 'changed', blindHeader, [blindCluster(BASE)]);
    const other = blindHeader.toString('hex').replace('0164000dff', '01640014ff');
    await putFragments(platform, 'changed', Buffer.from(other, 'hex'), [blindCluster(BASE + 1000)]);
    await assert.rejects(clip('changed', all), { name: 'InvalidCodecPrivateDataException', message: /changes/ });
  });
});

const BROKEN_CLUSTER = cluster(BASE + 1000);
