import type { RenditionEncryption } from '../content-encryption.ts';
import type { DashManifestSettings } from '../output-group.ts';
import { contentProtections, protectionId } from './dash-protection.ts';
import type { FragmentedSegment } from './fragmented-segmenter.ts';
import { type DashText, textSet, textSetKey } from './dash-captions.ts';
import { averageBandwidth } from './hls-manifest.ts';

/** What an MPD says about a rendition. */
export interface DashRepresentation {
  readonly id: string;
  readonly codec: string;
  /** Bits a second that the settings name as the most. */
  readonly maxBandwidth: number;
  readonly timescale: number;
  readonly segments: readonly FragmentedSegment[];
  /** What all segments but the last should last, in seconds. */
  readonly segmentSeconds: number;
  readonly seconds: number;
  readonly media:
    | { readonly kind: 'segments'; readonly init: string; readonly template: string }
    | { readonly kind: 'file'; readonly name: string; readonly initBytes: number; readonly indexBytes: number }
    /** Captions that are not in segments. */
    | { readonly kind: 'text'; readonly name: string };
  readonly picture?: {
    readonly width: number;
    readonly height: number;
    readonly framerate: { readonly num: number; readonly den: number };
    readonly pixelAspect: { readonly num: number; readonly den: number };
  };
  /** Absent: it is not encrypted. */
  readonly encryption?: RenditionEncryption;
  readonly sound?: { readonly sampleRate: number; readonly channels: number; readonly language?: string };
  readonly text?: DashText;
}

/** The manifest (MPD) of a finished group. Source: ISO 23009-1. */
export function dashManifest(settings: DashManifestSettings, representations: readonly DashRepresentation[]): string {
  const pictures = representations.filter(({ picture }) => picture !== undefined);
  // Sound ends within a frame of the picture, which players must not look for in a segment of its own.
  const leading = pictures.length > 0 ? pictures : representations;
  const seconds = Math.max(0, ...leading.map((one) => one.seconds));
  const longest = Math.max(0, ...representations.map(({ segmentSeconds }) => segmentSeconds));
  const buffer = settings.minBufferMs === undefined ? longest : settings.minBufferMs / 1000;
  const sets = new Map<string, DashRepresentation[]>();
  for (const one of representations) {
    const key = `${setKey(one)} ${protectionId(one.encryption)}`;
    sets.set(key, [...(sets.get(key) ?? []), one]);
  }
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:${PROFILES[settings.profile]}:2011"` +
      ` type="static" mediaPresentationDuration="${period(seconds)}" minBufferTime="${period(buffer)}">`,
    ...(settings.baseUrl === '' ? [] : [`  <BaseURL>${escaped(settings.baseUrl)}</BaseURL>`]),
    `  <Period id="1" start="PT0S" duration="${period(seconds)}">`,
    ...[...sets.values()].flatMap((set, index) => adaptationSet(settings, set, index + 1)),
    '  </Period>',
    '</MPD>',
    '',
  ];
  return lines.join('\n');
}

function setKey({ text, sound, codec, id }: DashRepresentation): string {
  if (text !== undefined) return textSetKey(text, id);
  return sound === undefined ? 'video' : `audio ${sound.language ?? ''} ${codec}`;
}

const PROFILES = { main: 'isoff-main', 'on-demand': 'isoff-on-demand' } as const;

function adaptationSet(settings: DashManifestSettings, set: readonly DashRepresentation[], id: number): string[] {
  const [first] = set;
  if (first === undefined) return [];
  const kind = first.sound === undefined ? 'video' : 'audio';
  const language = first.sound?.language;
  const representations = set.flatMap((one) => representation(settings, one));
  if (first.text !== undefined) {
    const { attributes, elements } = textSet(first.text, settings.profile === 'on-demand');
    const opened = `    <AdaptationSet id="${id}" ${attributes.join(' ')}>`;
    return [opened, ...elements, ...representations, '    </AdaptationSet>'];
  }
  const attributes = [
    `id="${id}"`,
    `contentType="${kind}"`,
    `mimeType="${kind}/mp4"`,
    ...(language === undefined ? [] : [`lang="${escaped(language)}"`]),
    'segmentAlignment="true"',
    'startWithSAP="1"',
    ...(settings.profile === 'on-demand' ? ['subsegmentAlignment="true"', 'subsegmentStartsWithSAP="1"'] : []),
  ];
  return [
    `    <AdaptationSet ${attributes.join(' ')}>`,
    ...contentProtections(first.encryption, '      '),
    ...representations,
    '    </AdaptationSet>',
  ];
}

function representation(settings: DashManifestSettings, one: DashRepresentation): string[] {
  const { picture, sound } = one;
  const isMax = settings.bandwidth === 'max' && picture !== undefined;
  const attributes = [
    `id="${one.id}"`,
    `bandwidth="${Math.max(1, isMax ? one.maxBandwidth : averageBandwidth(one))}"`,
    ...(one.codec === '' ? [] : [`codecs="${one.codec}"`]),
    ...(picture === undefined
      ? []
      : [
          `width="${picture.width}"`,
          `height="${picture.height}"`,
          `frameRate="${picture.framerate.num}/${picture.framerate.den}"`,
          `sar="${picture.pixelAspect.num}:${picture.pixelAspect.den}"`,
        ]),
    ...(sound === undefined ? [] : [`audioSamplingRate="${sound.sampleRate}"`]),
  ];
  return [
    `      <Representation ${attributes.join(' ')}>`,
    ...(sound === undefined
      ? []
      : [
          '        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011"' +
            ` value="${sound.channels}"/>`,
        ]),
    ...mediaLines(settings, one),
    '      </Representation>',
  ];
}

function mediaLines(settings: DashManifestSettings, one: DashRepresentation): string[] {
  const { media } = one;
  if (media.kind === 'text') return [`        <BaseURL>${escaped(encodeURIComponent(media.name))}</BaseURL>`];
  return media.kind === 'file' ? fileLines(media, one.timescale) : templateLines(settings, one, media);
}

function fileLines(media: Extract<DashRepresentation['media'], { kind: 'file' }>, timescale: number): string[] {
  const { initBytes, indexBytes } = media;
  return [
    `        <BaseURL>${escaped(encodeURIComponent(media.name))}</BaseURL>`,
    `        <SegmentBase timescale="${timescale}" indexRange="${initBytes}-${initBytes + indexBytes - 1}">`,
    `          <Initialization range="0-${initBytes - 1}"/>`,
    '        </SegmentBase>',
  ];
}

function templateLines(
  settings: DashManifestSettings,
  one: DashRepresentation,
  media: Extract<DashRepresentation['media'], { kind: 'segments' }>,
): string[] {
  const { timescale, segments } = one;
  const attributes = [
    `timescale="${timescale}"`,
    'startNumber="1"',
    `initialization="${escaped(address(media.init.replaceAll('$', '$$$$')))}"`,
    `media="${escaped(address(media.template))}"`,
  ];
  if (!settings.isTimelineWritten) {
    // As many as players count from it: the last segment may be longer than the others by a picture.
    const total = segments.reduce((sum, { ticks }) => sum + ticks, 0);
    const length = Math.max(one.segmentSeconds * timescale, total / Math.max(1, segments.length));
    return [`        <SegmentTemplate ${attributes.join(' ')} duration="${Math.max(1, Math.ceil(length - 1e-6))}"/>`];
  }
  return [
    `        <SegmentTemplate ${attributes.join(' ')}>`,
    '          <SegmentTimeline>',
    ...timeline(segments),
    '          </SegmentTimeline>',
    '        </SegmentTemplate>',
  ];
}

/** Segments of the same length in a row are one element. */
function timeline(segments: readonly FragmentedSegment[]): string[] {
  const runs: { start: number; ticks: number; count: number }[] = [];
  for (const { start, ticks } of segments) {
    const last = runs.at(-1);
    if (last?.ticks === ticks) last.count += 1;
    else runs.push({ start, ticks, count: 1 });
  }
  return runs.map(
    ({ start, ticks, count }) => `            <S t="${start}" d="${ticks}"${count > 1 ? ` r="${count - 1}"` : ''}/>`,
  );
}

/** A length of time in XML: `PT3.5S`. */
function period(seconds: number): string {
  return `PT${Number(seconds.toFixed(3))}S`;
}

/** A name as an address; the template's own signs stay. */
function address(template: string): string {
  return encodeURI(template)
    .replace(/[?#]/g, encodeURIComponent)
    .replace(/%25(0\d{1,2}d\$)/g, '%$1');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
