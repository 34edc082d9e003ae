import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hlsGroup } from '#test/fixtures/media/transcode-jobs.ts';
import { videoCodecName } from './video-codec-name.ts';
import { childManifest, mainManifest, type Segment } from './hls-manifest.ts';
import { DESTINATION_IDENTIFIERS, expandIdentifiers, MODIFIER_IDENTIFIERS, unknownIdentifiers } from './output-name.ts';
import { partSize } from './object-writer.ts';

describe('format identifiers', () => {
  const facts = {
    time: Date.UTC(2026, 0, 2, 3, 4, 5),
    inputName: 'holiday',
    extension: 'mp4',
    width: 1280,
    height: 720,
    framesPerSecond: 29.97,
    videoBitrate: 4_500_500,
    audioBitrate: 96_000,
  };

  test('stand for date, time, sizes, rates and names', () => {
    assert.equal(expandIdentifiers('$dt$/$d$-$t$', facts), '20260102T030405/20260102-030405');
    assert.equal(expandIdentifiers('$fn$_$w$x$h$@$f$.$ex$', facts), 'holiday_1280x720@29.mp4');
    assert.equal(expandIdentifiers('$rv$,$ra$,$rc$', facts), '4500,96,4596');
  });

  test('are padded with zeros where a width is given, and $$ is a dollar', () => {
    assert.equal(expandIdentifiers('$h%05$ costs $$5', facts), '00720 costs $5');
  });

  test('that are unknown, or not for this place, are found', () => {
    assert.deepEqual(unknownIdentifiers('$w$$nope$', MODIFIER_IDENTIFIERS), ['$nope$']);
    assert.deepEqual(unknownIdentifiers('s3://b/$w$/$dt$', DESTINATION_IDENTIFIERS), ['$w$']);
  });
});

describe('manifests', () => {
  const segments = [
    { name: 'a b_00001.ts', duration: 4.004, bytes: 500_500 },
    { name: 'a b_00002.ts', duration: 1.5, bytes: 100_000 },
  ];
  const group = hlsGroup([]);

  test('show durations as whole seconds or exactly, with a target no segment exceeds', () => {
    assert.match(childManifest(group, segments), /#EXT-X-TARGETDURATION:5\n.*#EXTINF:4,\na%20b_00001\.ts\n#EXTINF:2,/s);
    const exact = childManifest({ ...group, durationFormat: 'floating-point', targetDuration: 'nearest' }, segments);
    assert.match(exact, /#EXT-X-TARGETDURATION:4\n.*#EXTINF:4\.004,\n.*#EXTINF:1\.5,/s);
    assert.ok(exact.endsWith('#EXT-X-ENDLIST\n'));
  });

  test('of no segments are still whole', () => {
    assert.match(childManifest(group, []), /TARGETDURATION:1\n.*ENDLIST\n$/s);
  });

  test('take no peak from a segment that is too short to tell', () => {
    const last = { name: 'a_00003.ts', duration: 0.066, bytes: 20_000 };
    const bandwidthOf = (these: readonly Segment[]): string | undefined =>
      /BANDWIDTH=(\d+)/.exec(
        mainManifest(group, [{ name: 'a.m3u8', segments: these, codecs: [], audioGroupIds: [] }]),
      )?.[1];
    assert.equal(bandwidthOf([...segments, last]), '1000000');
    // Together with the one before it is long enough: 620,000 bytes in 4.07 seconds.
    assert.equal(
      bandwidthOf([
        { name: 'a_00001.ts', duration: 4, bytes: 400_000 },
        { ...last, bytes: 220_000 },
      ]),
      '1219873',
    );
    assert.equal(bandwidthOf([last]), String(Math.ceil((20_000 * 8) / 0.066)));
  });

  test('name peak and average bandwidth, and codecs in both forms', () => {
    const rendition = { name: 'a.m3u8', segments, codecs: ['avc1.640028', 'mp4a.40.2'], audioGroupIds: [] };
    const main = mainManifest(group, [rendition]);
    assert.match(main, /BANDWIDTH=1000000,AVERAGE-BANDWIDTH=872820,CODECS="avc1\.640028,mp4a\.40\.2"\na\.m3u8/);
    const old = mainManifest({ ...group, codecSpecification: 'RFC_4281' }, [rendition]);
    assert.match(old, /CODECS="avc1\.100\.40,mp4a\.40\.2"/);
  });

  test('put the base address before every name, and take no quotes into quoted strings', () => {
    const audio = { groupId: 'g"\n#EXT', title: 'De"utsch', isDefault: false, isAutoSelected: false, channels: 2 };
    const rendition = { name: 'a.m3u8', segments, codecs: [], audioGroupIds: [], audio };
    const main = mainManifest({ ...group, baseUrl: 'https://cdn.example/x/' }, [rendition]);
    assert.match(main, /GROUP-ID="g#EXT",NAME="Deutsch".*URI="https:\/\/cdn\.example\/x\/a\.m3u8"/);
    assert.equal(main.split('\n').length, 5);
  });
});

test('the name of an H.264 stream comes from its parameter set', () => {
  assert.equal(videoCodecName('h264', Buffer.from('0000000109f000000001674d401eabcd', 'hex')), 'avc1.4d401e');
  assert.equal(videoCodecName('h264', Buffer.from('0000000109f0', 'hex')), undefined);
  assert.equal(videoCodecName('h264', Buffer.alloc(0)), undefined);
});

test('ten thousand parts hold the largest object', () => {
  let total = 0;
  for (let part = 1; part <= 10_000; part++) total += partSize(part);
  assert.ok(total > 5 * 1024 ** 4);
  assert.equal(partSize(1), 8 * 1024 * 1024);
});
