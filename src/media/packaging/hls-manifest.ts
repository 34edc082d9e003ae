import type { RenditionEncryption } from '../content-encryption.ts';
import type { HlsManifestSettings } from '../output-group.ts';
import { captionAttributes, closedCaptionLines, type SubtitleRendition, subtitleLine } from './hls-captions.ts';
import { keyLines, keyVersion, sessionKeyLines } from './hls-keys.ts';
import { type ProgramDates, programDateLines } from './program-dates.ts';
import { relativeAddress } from './relative-address.ts';

export interface Segment {
  readonly name: string;
  /** Seconds. */
  readonly duration: number;
  readonly bytes: number;
  /** Where it stands in a file that holds several. */
  readonly offset?: number;
}

/** What players need before the segments, where these are fragmented MP4. */
export interface SegmentMap {
  readonly name: string;
  readonly bytes: number;
}

/** What the main manifest says about a rendition. */
export interface Rendition {
  /** The child manifest's name. */
  readonly name: string;
  readonly segments: readonly Segment[];
  /** RFC 6381 names. */
  readonly codecs: readonly string[];
  readonly width?: number;
  readonly height?: number;
  readonly framesPerSecond?: number;
  readonly audio?: {
    readonly groupId: string;
    readonly title: string;
    readonly language?: string;
    readonly isDefault: boolean;
    readonly isAutoSelected: boolean;
    readonly isDescriptive?: boolean;
    readonly channels: number;
  };
  /** The manifest of the pictures that can be decoded alone. */
  readonly iFrames?: {
    readonly name: string;
    readonly segments: readonly Segment[];
    readonly codecs: readonly string[];
  };
  readonly audioGroupIds: readonly string[];
  /** Set on renditions of text. */
  readonly subtitles?: SubtitleRendition;
  /** Absent: it is not encrypted. */
  readonly encryption?: RenditionEncryption;
}

/**
 * A child manifest (media playlist) of a rendition. Source: RFC 8216.
 *
 * @param growsBy set while there are more segments to come: the seconds that each is to have
 */
export function childManifest(
  group: HlsManifestSettings,
  segments: readonly Segment[],
  map?: SegmentMap,
  dates?: ProgramDates,
  growsBy?: number,
): string {
  const durations = segments.map((segment) => Math.max(1, Math.round(segment.duration)));
  const { encryption } = group;
  const dateLines =
    dates === undefined
      ? []
      : programDateLines(
          dates,
          segments.map(({ duration }) => duration),
        );
  const version = Math.max(versionOf([encryption], map !== undefined), segments[0]?.offset === undefined ? 0 : 4);
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${version}`];
  // While it grows it is to stay what it was.
  const least = Math.ceil(growsBy ?? 0);
  lines.push(`#EXT-X-TARGETDURATION:${Math.max(least, targetSeconds(group, segments))}`);
  if (!group.isClientCacheAllowed) lines.push('#EXT-X-ALLOW-CACHE:NO');
  lines.push('#EXT-X-MEDIA-SEQUENCE:1', `#EXT-X-PLAYLIST-TYPE:${growsBy === undefined ? 'VOD' : 'EVENT'}`);
  if (map !== undefined) {
    const range = segments[0]?.offset === undefined ? '' : `,BYTERANGE="${map.bytes}@0"`;
    lines.push(`#EXT-X-MAP:URI="${uri(group, map.name)}"${range}`);
  }
  segments.forEach((segment, index) => {
    lines.push(...keyLines(encryption, index + 1));
    const date = dateLines[index];
    if (date !== undefined) lines.push(date);
    const exact = segment.duration.toFixed(6).replace(/\.?0+$/, '');
    lines.push(`#EXTINF:${group.durationFormat === 'integer' ? durations[index] : exact},`);
    if (segment.offset !== undefined) lines.push(`#EXT-X-BYTERANGE:${segment.bytes}@${segment.offset}`);
    lines.push(uri(group, segment.name));
  });
  if (growsBy === undefined) lines.push('#EXT-X-ENDLIST');
  lines.push('');
  return lines.join('\n');
}

/** The most seconds that a segment lasts, as the settings round it. */
export function targetSeconds({ targetDuration }: HlsManifestSettings, segments: readonly Segment[]): number {
  const longest = segments.reduce((most, segment) => Math.max(most, segment.duration), 0);
  // A segment that is a rounding error over whole seconds is not a second longer.
  return Math.max(1, targetDuration === 'up' ? Math.ceil(longest - 0.001) : Math.round(longest));
}

/** The main manifest (multivariant playlist) of a group. */
export function mainManifest(
  group: HlsManifestSettings,
  renditions: readonly Rendition[],
  isFragmented = false,
): string {
  const encryptions = renditions.map(({ encryption }) => encryption);
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${versionOf(encryptions, isFragmented)}`, '#EXT-X-INDEPENDENT-SEGMENTS'];
  lines.push(...sessionKeyLines(encryptions));
  const audios = renditions.filter((rendition) => rendition.audio !== undefined);
  for (const rendition of audios) lines.push(mediaLine(group, rendition));
  const texts = renditions.filter((rendition) => rendition.subtitles !== undefined);
  for (const { subtitles, name } of texts) {
    if (subtitles !== undefined) lines.push(subtitleLine(subtitles, uri(group, name)));
  }
  lines.push(...closedCaptionLines(group.closedCaptions));
  for (const rendition of renditions) {
    if (rendition.audio !== undefined || rendition.subtitles !== undefined) continue;
    // Real jobs name groups that no output is in.
    const known = rendition.audioGroupIds.filter((id) => audios.some(({ audio }) => audio?.groupId === id));
    for (const groupId of known.length === 0 ? [undefined] : known) {
      const companions = audios.filter((audio) => audio.audio?.groupId === groupId);
      lines.push(variantLine(group, rendition, groupId, [...companions, ...texts]), uri(group, rendition.name));
    }
  }
  for (const { iFrames, width, height } of renditions) {
    if (iFrames !== undefined) lines.push(iFrameLine(group, iFrames, { width, height }));
  }
  lines.push('');
  return lines.join('\n');
}

function iFrameLine(
  group: HlsManifestSettings,
  { name, segments, codecs }: NonNullable<Rendition['iFrames']>,
  { width, height }: { readonly width: number | undefined; readonly height: number | undefined },
): string {
  const attributes = [
    `BANDWIDTH=${peakBandwidth(group, { segments })}`,
    `AVERAGE-BANDWIDTH=${averageBandwidth({ segments })}`,
    `CODECS="${codecNames(group, codecs).join(',')}"`,
  ];
  if (group.isResolutionShown && width !== undefined && height !== undefined) {
    attributes.push(`RESOLUTION=${width}x${height}`);
  }
  return `#EXT-X-I-FRAME-STREAM-INF:${attributes.join(',')},URI="${uri(group, name)}"`;
}

function codecNames(group: HlsManifestSettings, codecs: Iterable<string>): string[] {
  return [...codecs].map((name) => (group.codecSpecification === 'RFC_4281' ? rfc4281(name) : name));
}

/** RFC 8216, section 7: `EXT-X-MAP` came with version 6. */
function versionOf(encryptions: readonly (RenditionEncryption | undefined)[], isFragmented: boolean): number {
  return isFragmented ? 7 : keyVersion(encryptions);
}

function mediaLine(group: HlsManifestSettings, rendition: Rendition): string {
  const audio = rendition.audio;
  if (audio === undefined) throw new TypeError('Not an audio rendition.');
  const attributes = [
    'TYPE=AUDIO',
    `GROUP-ID="${quoted(audio.groupId)}"`,
    `NAME="${quoted(audio.title)}"`,
    ...(audio.language === undefined ? [] : [`LANGUAGE="${quoted(audio.language)}"`]),
    `DEFAULT=${audio.isDefault ? 'YES' : 'NO'}`,
    `AUTOSELECT=${audio.isAutoSelected ? 'YES' : 'NO'}`,
    ...(audio.isDescriptive === true ? ['CHARACTERISTICS="public.accessibility.describes-video"'] : []),
    `CHANNELS="${audio.channels}"`,
    `URI="${uri(group, rendition.name)}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(',')}`;
}

function variantLine(
  group: HlsManifestSettings,
  rendition: Rendition,
  groupId: string | undefined,
  companions: readonly Rendition[],
): string {
  const highest = (pick: (rendition: Rendition) => number): number => Math.max(0, ...companions.map(pick));
  const codecs = new Set([...rendition.codecs, ...companions.flatMap((companion) => companion.codecs)]);
  const names = codecNames(group, codecs);
  const attributes = [
    `BANDWIDTH=${peakBandwidth(group, rendition) + highest((each) => peakBandwidth(group, each))}`,
    `AVERAGE-BANDWIDTH=${averageBandwidth(rendition) + highest(averageBandwidth)}`,
    `CODECS="${names.join(',')}"`,
  ];
  if (group.isResolutionShown && rendition.width !== undefined && rendition.height !== undefined) {
    attributes.push(`RESOLUTION=${rendition.width}x${rendition.height}`);
  }
  if (rendition.framesPerSecond !== undefined) attributes.push(`FRAME-RATE=${rendition.framesPerSecond.toFixed(3)}`);
  const hasSubtitles = companions.some(({ subtitles }) => subtitles !== undefined);
  attributes.push(...captionAttributes(group.closedCaptions, hasSubtitles));
  if (groupId !== undefined) attributes.push(`AUDIO="${quoted(groupId)}"`);
  return `#EXT-X-STREAM-INF:${attributes.join(',')}`;
}

/** The older form names the H.264 profile and level in decimal: `avc1.77.30`. */
function rfc4281(name: string): string {
  const match = /^avc1\.([0-9a-f]{2})[0-9a-f]{2}([0-9a-f]{2})$/i.exec(name);
  if (match === null) return name;
  return `avc1.${Number.parseInt(match[1] ?? '0', 16)}.${Number.parseInt(match[2] ?? '0', 16)}`;
}

/**
 * The highest bit rate of segments in a row that last about as long as the target duration. Source: RFC 8216bis, section
 * 4.1. A last segment of a few pictures says nothing about a stream by itself.
 */
export function peakBandwidth(group: HlsManifestSettings, { segments }: Pick<Rendition, 'segments'>): number {
  const target = targetSeconds(group, segments);
  let peak = 0;
  for (const first of segments.keys()) {
    let [bytes, seconds] = [0, 0];
    for (let index = first; index < segments.length && seconds < 1.5 * target; index += 1) {
      bytes += segments[index]?.bytes ?? 0;
      seconds += segments[index]?.duration ?? 0;
      if (seconds >= 0.5 * target && seconds <= 1.5 * target) peak = Math.max(peak, bandwidth(bytes, seconds));
    }
  }
  return peak > 0 ? peak : averageBandwidth({ segments });
}

export function averageBandwidth(rendition: Pick<Rendition, 'segments'>): number {
  const bytes = rendition.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const seconds = rendition.segments.reduce((sum, segment) => sum + segment.duration, 0);
  return bandwidth(bytes, seconds);
}

function bandwidth(bytes: number, seconds: number): number {
  return seconds > 0 ? Math.ceil((bytes * 8) / seconds - 1e-6) : 0;
}

export function uri(group: HlsManifestSettings, name: string): string {
  return group.baseUrl + relativeAddress(name);
}

/** A quoted string may hold neither quotes nor line ends. */
function quoted(text: string): string {
  return text.replace(/["\r\n]/g, '');
}
