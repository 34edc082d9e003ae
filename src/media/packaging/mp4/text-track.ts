import { type Cue, inOrder } from '../../captions/cue.ts';
import { writeTtml } from '../../captions/ttml-writer.ts';
import { cuePayload, cueSettings } from '../../captions/webvtt-writer.ts';
import { box, fullBox, text, u16, u32, u64, u8, zeros } from './box.ts';
import { fileType } from './movie.ts';

/** How captions are kept in MP4: WebVTT as `wvtt` (ISO 14496-30, 7), TTML as `stpp` (6). */
export type TextKind = 'wvtt' | 'stpp';

/** Milliseconds. */
export const TEXT_TIMESCALE = 1000;
const TRACK = 1;
/** In a fragment; a feature film has two thousand. */
const MOST_CUES = 5000;
const UNITY_MATRIX = u32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);
const UNDETERMINED = 'und';
const TTML_NAMESPACE = 'http://www.w3.org/ns/ttml';

/** The name by which manifests know the codec (RFC 6381). */
export const TEXT_CODECS: Readonly<Record<TextKind, string>> = { wvtt: 'wvtt', stpp: 'stpp.ttml.im1t' };

/** The initialisation segment of a track of captions. */
export function textInit(kind: TextKind, language: string = UNDETERMINED): Buffer {
  const header = fullBox(
    'mvhd',
    1,
    0,
    u64(0),
    u64(0),
    u32(TEXT_TIMESCALE),
    u64(0),
    u32(0x1_0000),
    u16(0x100),
    zeros(10),
    UNITY_MATRIX,
    zeros(24),
    u32(TRACK + 1),
  );
  const ENABLED_IN_MOVIE = 3;
  const trackHeader = fullBox(
    'tkhd',
    1,
    ENABLED_IN_MOVIE,
    u64(0),
    u64(0),
    u32(TRACK, 0),
    u64(0),
    zeros(8),
    zeros(8),
    UNITY_MATRIX,
    u32(0, 0),
  );
  const mediaHeader = fullBox(
    'mdhd',
    1,
    0,
    u64(0),
    u64(0),
    u32(TEXT_TIMESCALE),
    u64(0),
    u16(packedLanguage(language), 0),
  );
  const handler = fullBox('hdlr', 0, 0, u32(0), text(kind === 'wvtt' ? 'text' : 'subt'), zeros(12), text('Captions\0'));
  const inThisFile = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const tables = [
    fullBox('stsd', 0, 0, u32(1), sampleEntry(kind)),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  ];
  const mediaKind = kind === 'wvtt' ? fullBox('nmhd', 0, 0) : fullBox('sthd', 0, 0);
  const media = box('mdia', mediaHeader, handler, box('minf', mediaKind, inThisFile, box('stbl', ...tables)));
  const extension = box('mvex', fullBox('trex', 0, 0, u32(TRACK, 1, 0, 0, 0)));
  const brand = kind === 'wvtt' ? 'cwvt' : 'im1t';
  return Buffer.concat([
    fileType('iso6', 'iso6', 'cmfc', brand),
    box('moov', header, box('trak', trackHeader, media), extension),
  ]);
}

function sampleEntry(kind: TextKind): Buffer {
  const head = Buffer.concat([zeros(6), u16(1)]);
  if (kind === 'wvtt') return box('wvtt', head, box('vttC', text('WEBVTT')));
  return box('stpp', head, text(`${TTML_NAMESPACE}\0`), u8(0), u8(0));
}

/** ISO 639-2: three letters of five bits. */
function packedLanguage(language: string): number {
  const code = /^[a-z]{3}$/.test(language) ? language : UNDETERMINED;
  return [0, 1, 2].reduce((packed, index) => (packed << 5) | (code.charCodeAt(index) - 0x60), 0);
}

interface Sample {
  readonly data: Buffer;
  /** Milliseconds. */
  readonly duration: number;
}

/**
 * A media fragment, `moof` and `mdat`, with the captions from one time to another. Those that reach beyond are in the
 * next one again.
 *
 * @param fromMs whole
 * @param toMs whole, later
 */
export function textFragment(
  kind: TextKind,
  cues: readonly Cue[],
  fromMs: number,
  toMs: number,
  facts: { readonly sequence: number; readonly language?: string },
): Buffer {
  const within = cues.filter((cue) => cue.startMs < toMs && cue.endMs > fromMs).slice(0, MOST_CUES);
  const cut = inOrder(within).map((cue) => ({
    ...cue,
    startMs: Math.round(Math.max(fromMs, cue.startMs)),
    endMs: Math.round(Math.min(toMs, cue.endMs)),
  }));
  const samples = kind === 'wvtt' ? webVttSamples(cut, fromMs, toMs) : [ttmlSample(cut, fromMs, toMs, facts.language)];
  const entries = samples.map(({ data, duration }) => u32(duration, data.length));
  const DEFAULT_BASE_IS_MOOF = 0x02_0000;
  const DEFAULT_FLAGS = 0x20;
  const KEYFRAME_FLAGS = 0x0200_0000;
  const OFFSET_DURATION_AND_SIZE = 0x0301;
  const fragment = (offset: number): Buffer =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(facts.sequence)),
      box(
        'traf',
        fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF | DEFAULT_FLAGS, u32(TRACK, KEYFRAME_FLAGS)),
        fullBox('tfdt', 1, 0, u64(fromMs)),
        fullBox('trun', 0, OFFSET_DURATION_AND_SIZE, u32(samples.length, offset), ...entries),
      ),
    );
  const moof = fragment(fragment(0).length + 8);
  return Buffer.concat([moof, box('mdat', ...samples.map(({ data }) => data))]);
}

/** A sample for each time in which the same captions are shown. */
function webVttSamples(cues: readonly Cue[], fromMs: number, toMs: number): Sample[] {
  const edges = new Set([fromMs, toMs, ...cues.flatMap(({ startMs, endMs }) => [startMs, endMs])]);
  const times = [...edges].sort((a, b) => a - b);
  return times.slice(0, -1).map((start, index) => {
    const end = times[index + 1] ?? toMs;
    const shown = cues.filter((cue) => cue.startMs <= start && cue.endMs >= end && cue.startMs < cue.endMs);
    const data = shown.length === 0 ? box('vtte') : Buffer.concat(shown.map(cueBox));
    return { data, duration: end - start };
  });
}

function cueBox(cue: Cue): Buffer {
  const settings = cueSettings(cue.place);
  return box(
    'vttc',
    ...(settings === '' ? [] : [box('sttg', Buffer.from(settings))]),
    box('payl', Buffer.from(cuePayload(cue))),
  );
}

/** One document for the whole time, whose times are those of the track. */
function ttmlSample(cues: readonly Cue[], fromMs: number, toMs: number, language: string | undefined): Sample {
  const document = writeTtml(cues, { profile: 'imsc', ...(language !== undefined && { language }) });
  return { data: Buffer.from(document), duration: toMs - fromMs };
}

/** `sidx` (ISO 14496-12, 8.16.3) of a file with all segments, each of which begins with an entry point. */
export function textIndex(segments: readonly { readonly bytes: number; readonly ticks: number }[]): Buffer {
  const STARTS_WITH_ENTRY = 0x9000_0000;
  const entries = segments.map(({ bytes, ticks }) => u32(bytes, ticks, STARTS_WITH_ENTRY));
  return fullBox('sidx', 1, 0, u32(TRACK, TEXT_TIMESCALE), u64(0), u64(0), u16(0, entries.length), ...entries);
}
