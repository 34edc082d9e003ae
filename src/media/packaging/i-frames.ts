import type { RenditionEncryption } from '../content-encryption.ts';
import type { HlsManifestSettings } from '../output-group.ts';
import { keyLines, keyVersion } from './hls-keys.ts';
import { type Segment, type SegmentMap, targetSeconds, uri } from './hls-manifest.ts';

/** A picture that can be decoded alone. */
export interface IFrame {
  readonly name: string;
  /** Where it stands in its file; absent: it is the file. */
  readonly offset?: number;
  readonly bytes: number;
  /** Seconds from the beginning. */
  readonly time: number;
  /** The number of the segment in which it is, from 1. */
  readonly segment: number;
}

/** Each picture is shown until the next one. */
export function iFrameSegments(frames: readonly IFrame[], end: number): Segment[] {
  return frames.map(({ name, offset, bytes, time }, index) => ({
    name,
    bytes,
    duration: Math.max(0, (frames[index + 1]?.time ?? end) - time),
    ...(offset !== undefined && { offset }),
  }));
}

/**
 * A manifest of pictures only, for seeking and fast forward. Source: RFC 8216, 4.3.3.6.
 *
 * @param end the stream's length in seconds
 */
export function iFrameManifest(
  group: HlsManifestSettings,
  frames: readonly IFrame[],
  end: number,
  map?: SegmentMap,
): string {
  const segments = iFrameSegments(frames, end);
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${map === undefined ? Math.max(4, keyVersion([group.encryption])) : 7}`,
    `#EXT-X-TARGETDURATION:${targetSeconds(group, segments)}`,
    '#EXT-X-MEDIA-SEQUENCE:1',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-I-FRAMES-ONLY',
  ];
  if (map !== undefined) lines.push(`#EXT-X-MAP:URI="${uri(group, map.name)}",BYTERANGE="${map.bytes}@0"`);
  segments.forEach((segment, index) => {
    lines.push(...frameKeyLines(group.encryption, frames, index));
    lines.push(`#EXTINF:${segment.duration.toFixed(6).replace(/\.?0+$/, '')},`);
    if (segment.offset !== undefined) lines.push(`#EXT-X-BYTERANGE:${segment.bytes}@${segment.offset}`);
    lines.push(uri(group, segment.name));
  });
  lines.push('#EXT-X-ENDLIST', '');
  return lines.join('\n');
}

/** The vector is that of the segment in which a picture is, whose number is another here: it is always told. */
function frameKeyLines(
  encryption: RenditionEncryption | undefined,
  frames: readonly IFrame[],
  index: number,
): string[] {
  const segment = frames[index]?.segment ?? 0;
  if (encryption === undefined || segment === frames[index - 1]?.segment) return [];
  return keyLines({ ...encryption, isIvListed: encryption.isIvListed || encryption.iv === undefined }, segment);
}
