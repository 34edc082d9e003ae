import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { XMLParser } from 'fast-xml-parser';
import { createStream } from '../harness/archived-video.ts';
import { codecsOf, type FfmpegMedia, makeMedia, play, probe, withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import { endOfFragment } from '../harness/matroska-builder.ts';
import { fetchBytes, fetchText, MediaSessions, producerRange, refusalOf } from '../harness/media-sessions.ts';

const BASE = Date.UTC(2026, 5, 1, 12);

interface Manifest {
  readonly type: string;
  readonly mediaPresentationDuration?: string;
  readonly availabilityStartTime?: string;
  readonly Period: { readonly AdaptationSet: readonly AdaptationSet[] };
}

interface AdaptationSet {
  readonly contentType: string;
  readonly Representation: {
    readonly codecs: string;
    readonly SegmentTemplate: {
      readonly startNumber: string;
      readonly timescale: string;
      readonly presentationTimeOffset: string;
      readonly initialization: string;
      readonly media: string;
      readonly SegmentTimeline: { readonly S: readonly Readonly<Record<string, string>>[] };
    };
  };
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  isArray: (name) => name === 'AdaptationSet' || name === 'S',
});

async function manifestAt(address: string): Promise<Manifest> {
  return (parser.parse(await fetchText(address)) as { readonly MPD: Manifest }).MPD;
}

describe('DASH sessions', { skip: withoutFfmpeg }, () => {
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

  const onDemand = (StreamName: string, media: FfmpegMedia, more: object = {}) =>
    sessions.dash({
      StreamName,
      PlaybackMode: 'ON_DEMAND',
      DASHFragmentSelector: producerRange(BASE, media),
      ...more,
    });

  it('on demand play in ffmpeg as the film that was sent, picture and sound', async () => {
    const address = await onDemand('camera', film);
    for (const stream of ['v', 'a'] as const) {
      const { checksums } = await play(film.source, stream);
      assert.deepEqual(await play(address, stream), { checksums, complaints: '' });
    }
    assert.deepEqual(codecsOf(await probe(address)), new Set(['aac', 'h264']));
  });

  it('by server timestamps play without gaps too, however the fragments came', async () => {
    const TimestampRange = { StartTimestamp: new Date(Date.now() - 600_000), EndTimestamp: new Date() };
    const address = await onDemand('camera', film, {
      DASHFragmentSelector: { FragmentSelectorType: 'SERVER_TIMESTAMP', TimestampRange },
    });
    const { checksums } = await play(film.source, 'v');
    assert.deepEqual(await play(address, 'v'), { checksums, complaints: '' });
  });

  it('name the fragments by their place, and by number and time where that is asked for', async () => {
    const plain = await fetchText(await onDemand('camera', film));
    assert.doesNotMatch(plain, /kvs:/);
    const shown = { DisplayFragmentNumber: 'ALWAYS', DisplayFragmentTimestamp: 'ALWAYS' };
    const address = await onDemand('camera', film, shown);
    const manifest = await manifestAt(address);
    assert.equal(manifest.type, 'static');
    const sets = manifest.Period.AdaptationSet;
    assert.deepEqual(
      sets.map(({ contentType, Representation: { codecs } }) => [contentType, codecs.slice(0, 4)]),
      [
        ['video', 'avc1'],
        ['audio', 'mp4a'],
      ],
    );
    for (const { Representation } of sets) {
      const { SegmentTemplate: template } = Representation;
      const entries = template.SegmentTimeline.S;
      assert.deepEqual(
        entries.map((entry) => entry['kvs:fn']),
        numbers,
      );
      assert.deepEqual(
        entries.map((entry) => entry['kvs:ts']),
        film.fragments.map(({ offsetMs }) => ((BASE + offsetMs) / 1000).toFixed(3)),
      );
      assert.match(template.media, /^getMP4MediaFragment\.mp4\?FragmentNumber=\$Number\$&SessionToken=/);
      const ends = entries.map(({ t = '', d = '' }) => Number(t) + Number(d));
      assert.deepEqual(
        ends.slice(0, -1).map(String),
        entries.slice(1).map(({ t }) => t),
        'there are no gaps',
      );
    }
  });

  it('live slide, and count the fragments on', async () => {
    await createStream(sessions.platform, 'live');
    const producer = await sessions.connect('live', film);
    const now = Date.now();
    const send = async (index: number): Promise<void> => {
      producer.send(film.fragments[index]?.cluster(now) ?? Buffer.alloc(0), endOfFragment());
      await producer.ack('PERSISTED');
    };
    await send(0);
    const address = await sessions.dash({ StreamName: 'live', MaxManifestFragmentResults: 2 });
    const first = await manifestAt(address);
    assert.equal(first.type, 'dynamic');
    const templateOf = ({ Period }: Manifest) => Period.AdaptationSet[0]?.Representation.SegmentTemplate;
    assert.equal(templateOf(first)?.startNumber, '0');
    for (const index of [1, 2, 3]) await send(index);
    const later = await manifestAt(address);
    assert.equal(later.availabilityStartTime, first.availabilityStartTime);
    const template = templateOf(later);
    assert.equal(template?.startNumber, '2');
    assert.equal(template.SegmentTimeline.S.length, 2);
    const fetchNumber = (number: number) =>
      fetchBytes(new URL(template.media.replace('$Number$', String(number)), address).href);
    const init = await fetchBytes(new URL(template.initialization, address).href);
    const whole = Buffer.concat([init, ...(await Promise.all([0, 1, 2, 3].map(fetchNumber)))]);
    assert.deepEqual((await play(whole, 'v')).checksums, (await play(film.source, 'v')).checksums);
    assert.deepEqual(codecsOf(await probe(address)), new Set(['aac', 'h264']));
    const missing = template.media.replace('$Number$', '4');
    assert.equal((await refusalOf(new URL(missing, address).href))[0], 404);
    producer.end();
  });

  it('carry G.711, and want a picture', async () => {
    const speech = makeMedia({ audio: 'ulaw' });
    await createStream(sessions.platform, 'speech');
    await sessions.produce('speech', speech, BASE);
    const address = await onDemand('speech', speech);
    assert.deepEqual((await play(address, 'a')).checksums, (await play(speech.source, 'a')).checksums);
    const sound = makeMedia({ video: 'none', audio: 'aac' });
    await createStream(sessions.platform, 'sound');
    await sessions.produce('sound', sound, BASE);
    await assert.rejects(onDemand('sound', sound), { name: 'UnsupportedStreamMediaTypeException' });
  });

  it('refuse a fragment with another configuration than the first', async () => {
    const larger = makeMedia({ audio: 'aac', size: '320x240', seconds: 1 });
    await createStream(sessions.platform, 'resized');
    await sessions.produce('resized', film, BASE);
    await sessions.produce('resized', larger, BASE + 10_000);
    const TimestampRange = { StartTimestamp: new Date(BASE), EndTimestamp: new Date(BASE + 20_000) };
    const address = await onDemand('resized', film, {
      DASHFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP', TimestampRange },
    });
    const manifest = await manifestAt(address);
    const media = manifest.Period.AdaptationSet[0]?.Representation.SegmentTemplate.media ?? '';
    const at = (number: number) => new URL(media.replace('$Number$', String(number)), address).href;
    assert.ok((await fetchBytes(at(3))).length > 1000);
    assert.deepEqual((await refusalOf(at(4))).slice(0, 2), [400, 'InvalidCodecPrivateDataException']);
  });
});
