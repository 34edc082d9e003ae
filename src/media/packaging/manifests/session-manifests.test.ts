import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionDashManifest, type TimelineFragment } from './session-dash.ts';
import {
  type MediaPlaylistFacts,
  type PlaylistFragment,
  sessionMasterPlaylist,
  sessionMediaPlaylist,
} from './session-hls.ts';
import type { ManifestTrack } from './session-media.ts';

const token = 'CiB-_9~';
const video: ManifestTrack = {
  number: 1,
  codec: 'avc1.4d4029',
  bandwidth: 1_900_000,
  picture: { width: 1280, height: 720, framesPerSecond: 15 },
};
const audio: ManifestTrack = {
  number: 2,
  codec: 'mp4a.40.2',
  bandwidth: 53_544,
  sound: { sampleRate: 48_000, channels: 2 },
};
const FIRST = Date.UTC(2022, 0, 28, 7, 0, 35, 931);

describe('a master playlist', () => {
  it('names the one variant as the real service does', () => {
    assert.equal(
      sessionMasterPlaylist({ token, video, isMuxed: false }),
      [
        '#EXTM3U',
        '#EXT-X-VERSION:1',
        '#EXT-X-STREAM-INF:CODECS="avc1.4d4029",RESOLUTION=1280x720,FRAME-RATE=15.0,BANDWIDTH=1900000',
        `getHLSMediaPlaylist.m3u8?SessionToken=${token}&TrackNumber=1`,
        '',
      ].join('\n'),
    );
  });

  it('has the sound as a rendition of its own', () => {
    const lines = sessionMasterPlaylist({ token, video, audio, isMuxed: false }).split('\n');
    assert.deepEqual(lines.slice(2, 5), [
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,URI="getHLSMediaPlaylist.m3u8?SessionToken=${token}&TrackNumber=2"`,
      '#EXT-X-STREAM-INF:CODECS="avc1.4d4029,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=15.0,BANDWIDTH=1953544,AUDIO="audio"',
      `getHLSMediaPlaylist.m3u8?SessionToken=${token}&TrackNumber=1`,
    ]);
  });

  it('has no such rendition where all tracks are in one file, or there is only sound', () => {
    const muxed = sessionMasterPlaylist({ token, video, audio, isMuxed: true });
    assert.doesNotMatch(muxed, /EXT-X-MEDIA:|AUDIO=/);
    assert.match(muxed, /CODECS="avc1\.4d4029,mp4a\.40\.2"/);
    const sound = sessionMasterPlaylist({ token, audio, isMuxed: false });
    assert.match(sound, /#EXT-X-STREAM-INF:CODECS="mp4a\.40\.2",BANDWIDTH=53544\n.*TrackNumber=2\n$/);
  });
});

describe('a media playlist', () => {
  const fragments: PlaylistFragment[] = [0, 1, 2].map((index) => ({
    number: `9134${index}`,
    timestamp: FIRST + index * 1857,
    durationMs: [1857, 2000, 998][index] ?? 0,
    isDiscontinuous: false,
    initSequence: 0,
  }));
  const facts: MediaPlaylistFacts = {
    token,
    trackNumber: 1,
    container: 'FRAGMENTED_MP4',
    fragments,
    mediaSequence: 1,
    discontinuitySequence: 0,
    longestMs: 2000,
    isStatic: true,
    hasEnded: true,
    areTimestampsShown: true,
  };

  it('on demand is whole, with the times at which fragments were made', () => {
    assert.equal(
      sessionMediaPlaylist(facts),
      [
        '#EXTM3U',
        '#EXT-X-VERSION:7',
        '#EXT-X-PLAYLIST-TYPE:VOD',
        '#EXT-X-TARGETDURATION:2',
        '#EXT-X-MEDIA-SEQUENCE:1',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        `#EXT-X-MAP:URI="getMP4InitFragment.mp4?SessionToken=${token}&TrackNumber=1&SequenceNumber=0"`,
        '#EXT-X-PROGRAM-DATE-TIME:2022-01-28T07:00:35.931Z',
        '#EXTINF:1.857,',
        `getMP4MediaFragment.mp4?FragmentNumber=91340&SessionToken=${token}&TrackNumber=1`,
        '#EXT-X-PROGRAM-DATE-TIME:2022-01-28T07:00:37.788Z',
        '#EXTINF:2.0,',
        `getMP4MediaFragment.mp4?FragmentNumber=91341&SessionToken=${token}&TrackNumber=1`,
        '#EXT-X-PROGRAM-DATE-TIME:2022-01-28T07:00:39.645Z',
        '#EXTINF:0.998,',
        `getMP4MediaFragment.mp4?FragmentNumber=91342&SessionToken=${token}&TrackNumber=1`,
        '#EXT-X-ENDLIST',
        '',
      ].join('\n'),
    );
  });

  it('of a live session slides: no end, counted fragments and discontinuities', () => {
    const live = sessionMediaPlaylist({
      ...facts,
      fragments: fragments.map((fragment) => ({ ...fragment, isDiscontinuous: true })),
      mediaSequence: 7,
      discontinuitySequence: 7,
      longestMs: 2001,
      isStatic: false,
      hasEnded: false,
      areTimestampsShown: false,
    });
    assert.deepEqual(live.split('\n').slice(2, 8), [
      '#EXT-X-TARGETDURATION:3',
      '#EXT-X-MEDIA-SEQUENCE:7',
      '#EXT-X-DISCONTINUITY-SEQUENCE:7',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      '#EXT-X-DISCONTINUITY',
      `#EXT-X-MAP:URI="getMP4InitFragment.mp4?SessionToken=${token}&TrackNumber=1&SequenceNumber=0"`,
    ]);
    assert.equal(live.match(/#EXT-X-DISCONTINUITY$/gm)?.length, 3);
    assert.doesNotMatch(live, /ENDLIST|PLAYLIST-TYPE|DATE-TIME/);
  });

  it('names another initialisation segment from where it is needed on', () => {
    const changed = fragments.map((fragment, index) => ({ ...fragment, initSequence: index === 0 ? 3 : 4 }));
    const maps = sessionMediaPlaylist({ ...facts, fragments: changed }).match(/SequenceNumber=\d+/g);
    assert.deepEqual(maps, ['SequenceNumber=3', 'SequenceNumber=4']);
  });

  it('of MPEG-TS needs no initialisation segment', () => {
    const lines = sessionMediaPlaylist({ ...facts, container: 'MPEG_TS', areTimestampsShown: false }).split('\n');
    assert.deepEqual(lines.slice(6, 8), [
      '#EXTINF:1.857,',
      `getTSFragment.ts?FragmentNumber=91340&SessionToken=${token}`,
    ]);
    assert.equal(lines[1], '#EXT-X-VERSION:3');
  });

  it('without fragments is still a playlist', () => {
    assert.match(sessionMediaPlaylist({ ...facts, fragments: [], longestMs: 0 }), /TARGETDURATION:1\n/);
  });
});

describe('a DASH manifest', () => {
  const fragments: TimelineFragment[] = [4, 5].map((sequence) => ({
    sequence,
    number: `9134${sequence}`,
    timestamp: FIRST + sequence * 60_000,
    mediaTime: sequence * 2000,
    durationMs: sequence === 4 ? 2000 : 1500,
  }));
  const facts = {
    token,
    tracks: [video, audio],
    fragments,
    mediaOffsetMs: 10_000,
    hasEnded: false,
    zeroAt: FIRST,
    now: FIRST + 12_000,
    areTimestampsShown: true,
    areNumbersShown: true,
  };

  it('of a live session lists the newest fragments, by their place in the session', () => {
    const text = sessionDashManifest(facts);
    assert.match(text, /<MPD [^>]*type="dynamic" availabilityStartTime="2022-01-28T07:00:35\.931Z"/);
    assert.match(
      text,
      /minimumUpdatePeriod="PT1S" timeShiftBufferDepth="PT3\.5S" suggestedPresentationDelay="PT3\.5S"/,
    );
    assert.match(
      text,
      /<Representation id="1" codecs="avc1\.4d4029" bandwidth="1900000" width="1280" height="720" frameRate="15">/,
    );
    assert.match(text, /<Representation id="2" codecs="mp4a\.40\.2" bandwidth="53544" audioSamplingRate="48000">/);
    assert.match(
      text,
      new RegExp(
        'timescale="1000" presentationTimeOffset="10000" startNumber="4" ' +
          `initialization="getMP4InitFragment\\.mp4\\?SessionToken=${token}&amp;TrackNumber=1&amp;SequenceNumber=0" ` +
          `media="getMP4MediaFragment\\.mp4\\?FragmentNumber=\\$Number\\$&amp;SessionToken=${token}&amp;TrackNumber=1"`,
      ),
    );
    assert.equal(text.match(/<S t="18000" d="2000" kvs:ts="1643353475\.931" kvs:fn="91344"\/>/g)?.length, 2);
    assert.match(text, /<S t="20000" d="1500" kvs:ts="1643353535\.931" kvs:fn="91345"\/>/);
    assert.match(text, /<UTCTiming /);
  });

  it('that will have no more fragments is static, on the same timeline, and shows only what was asked for', () => {
    const text = sessionDashManifest({ ...facts, hasEnded: true, areTimestampsShown: false, areNumbersShown: false });
    assert.match(text, /type="static" mediaPresentationDuration="PT11\.5S"/);
    assert.match(text, /presentationTimeOffset="10000"/);
    assert.doesNotMatch(text, /kvs|availability|UTCTiming/);
    assert.match(text, /<S t="18000" d="2000"\/>/);
  });

  it('writes rates that are no whole numbers as fractions', () => {
    const picture = { width: 1280, height: 720, framesPerSecond: 29.97 };
    assert.match(sessionDashManifest({ ...facts, tracks: [{ ...video, picture }] }), /frameRate="29970\/1000"/);
  });
});
