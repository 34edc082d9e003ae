import type { RenditionEncryption } from '../content-encryption.ts';
import type { EventMessages } from '../timed-metadata.ts';
import type { DashManifestSettings } from '../output-group.ts';
import { contentProtections, protectionId } from './dash-protection.ts';
import type { FragmentedSegment } from './fragmented-segmenter.ts';
import { closedCaptionHints, type DashText, textSet, textSetKey } from './dash-captions.ts';
import { type ImageRendition, imageSets } from './image-manifests.ts';
import { averageBandwidth } from './hls-manifest.ts';
import { relativeAddress } from './relative-address.ts';

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
  /** Captions in the picture: such as `CC1=eng`. */
  readonly closedCaptions?: string;
  /** Messages in the segments that are told of. */
  readonly events?: Pick<EventMessages, 'scheme' | 'value'>;
}

/** The manifest (MPD) of a finished group. Source: ISO 23009-1. */
export function dashManifest(
  settings: DashManifestSettings,
  representations: readonly DashRepresentation[],
  images: readonly ImageRendition[] = [],
): string {
  const pictures = representations.filter(({ picture }) => picture !== undefined);
  // Sound ends within a frame of the picture, which players must not look for in a segment of its own.
  const leading = pictures.length > 0 ? pictures : representations;
  const seconds = Math.max(0, ...leading.map((one) => one.seconds));
  const longest = Math.max(0, ...representations.map(({ segmentSeconds }) => segmentSeconds));
  const buffer = settings.minBufferMs === undefined ? longest : settings.minBufferMs / 1000;
  const sets = new Map<string, DashRepresentation[]>();
  /** The sets that would be one, if they had one key. */
  const families = new Map<string, number[]>();
  for (const one of representations) {
    const family = setKey(settings, one);
    const key = `${family} ${protectionId(one.encryption)}`;
    if (!sets.has(key)) families.set(family, [...(families.get(family) ?? []), sets.size + 1]);
    sets.set(key, [...(sets.get(key) ?? []), one]);
  }
  const others = (id: number): number[] =>
    [...families.values()].find((ids) => ids.includes(id))?.filter((one) => one !== id) ?? [];
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="${PROFILES[settings.profile]}"` +
      ` type="static" mediaPresentationDuration="${period(seconds)}" minBufferTime="${period(buffer)}">`,
    ...(settings.baseUrl === '' ? [] : [`  <BaseURL>${escaped(settings.baseUrl)}</BaseURL>`]),
    `  <Period id="1" start="PT0S" duration="${period(seconds)}">`,
    ...[...sets.values()].flatMap((set, index) => adaptationSet(settings, set, index + 1, others(index + 1))),
    ...imageSets(images, sets.size + 1),
    '  </Period>',
    '</MPD>',
    '',
  ];
  return lines.join('\n');
}

function setKey(
  { commonTimeline }: DashManifestSettings,
  { text, sound, codec, id, picture }: DashRepresentation,
): string {
  if (text !== undefined) return textSetKey(text, id);
  if (commonTimeline === 'rates' && picture !== undefined) {
    return `video ${picture.framerate.num / picture.framerate.den}`;
  }
  return sound === undefined ? 'video' : `audio ${sound.language ?? ''} ${codec}`;
}

/** DASH-IF's guidelines for content of several keys. */
const SWITCHING = 'urn:mpeg:dash:adaptation-set-switching:2016';

const PROFILES = {
  main: 'urn:mpeg:dash:profile:isoff-main:2011',
  'on-demand': 'urn:mpeg:dash:profile:isoff-on-demand:2011',
  hbbtv: 'urn:hbbtv:dash:profile:isoff-live:2012,urn:mpeg:dash:profile:isoff-live:2011',
} as const;

/** @param others the sets between which players may switch, as within this one */
function adaptationSet(
  settings: DashManifestSettings,
  set: readonly DashRepresentation[],
  id: number,
  others: readonly number[],
): string[] {
  const [first] = set;
  if (first === undefined) return [];
  const kind = first.sound === undefined ? 'video' : 'audio';
  const language = first.sound?.language;
  const common = first.text === undefined ? commonTimelineOf(settings, set) : undefined;
  const representations = set.flatMap((one) => representation(settings, one, common));
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
    ...(others.length === 0
      ? []
      : [`      <SupplementalProperty schemeIdUri="${SWITCHING}" value="${others.join(',')}"/>`]),
    ...eventStreams(set),
    ...closedCaptionHints(first.closedCaptions),
    ...(common === undefined ? [] : commonTemplate(common)),
    ...representations,
    '    </AdaptationSet>',
  ];
}

function eventStreams(set: readonly DashRepresentation[]): string[] {
  const lines = set.flatMap(({ events }) => {
    if (events === undefined) return [];
    const value = events.value === '' ? '' : ` value="${escaped(events.value)}"`;
    return [`      <InbandEventStream schemeIdUri="${escaped(events.scheme)}"${value}/>`];
  });
  return [...new Set(lines)];
}

/** The representation whose timeline stands for the others' of the set, where one is to. */
function commonTimelineOf(
  { commonTimeline }: DashManifestSettings,
  [first]: readonly DashRepresentation[],
): DashRepresentation | undefined {
  if (commonTimeline === undefined || first?.media.kind !== 'segments') return undefined;
  return first.picture !== undefined || commonTimeline === 'all' ? first : undefined;
}

function commonTemplate({ timescale, segments }: DashRepresentation): string[] {
  return [
    `      <SegmentTemplate timescale="${timescale}" startNumber="1">`,
    '        <SegmentTimeline>',
    ...timeline(segments).map((line) => line.slice(2)),
    '        </SegmentTimeline>',
    '      </SegmentTemplate>',
  ];
}

function isSameTimeline(one: DashRepresentation, other: DashRepresentation | undefined): boolean {
  if (other === undefined || one.timescale !== other.timescale) return false;
  return timeline(one.segments).join() === timeline(other.segments).join();
}

function representation(
  settings: DashManifestSettings,
  one: DashRepresentation,
  common: DashRepresentation | undefined,
): string[] {
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
    ...(sound === undefined ? [] : [channelLine(settings, sound.channels)]),
    ...mediaLines(settings, one, common),
    '      </Representation>',
  ];
}

/** By Dolby's scheme: the channels that there are, as bits of a hexadecimal number. */
const DOLBY_CHANNELS: Readonly<Record<number, string>> = { 1: '4000', 2: 'A000', 6: 'F801', 8: 'FA01' };

function channelLine({ channelScheme }: DashManifestSettings, channels: number): string {
  const dolby = DOLBY_CHANNELS[channels];
  const isDolby = channelScheme === 'dolby' && dolby !== undefined;
  const [scheme, value] = isDolby
    ? ['tag:dolby.com,2014:dash:audio_channel_configuration:2011', dolby]
    : ['urn:mpeg:dash:23003:3:audio_channel_configuration:2011', String(channels)];
  return `        <AudioChannelConfiguration schemeIdUri="${scheme}" value="${value}"/>`;
}

function mediaLines(
  settings: DashManifestSettings,
  one: DashRepresentation,
  common: DashRepresentation | undefined,
): string[] {
  const { media } = one;
  if (media.kind === 'text') return [`        <BaseURL>${escaped(encodeURIComponent(media.name))}</BaseURL>`];
  return media.kind === 'file' ? fileLines(media, one.timescale) : templateLines(settings, one, media, common);
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
  common: DashRepresentation | undefined,
): string[] {
  const { timescale, segments } = one;
  const attributes = [
    `timescale="${timescale}"`,
    'startNumber="1"',
    `initialization="${escaped(address(media.init.replaceAll('$', '$$$$')))}"`,
    `media="${escaped(address(media.template))}"`,
  ];
  if (isSameTimeline(one, common)) return [`        <SegmentTemplate ${attributes.join(' ')}/>`];
  if (!settings.isTimelineWritten && common === undefined) {
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
  return relativeAddress(template).replace(/%25(0\d{1,2}d\$)/g, '%$1');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
