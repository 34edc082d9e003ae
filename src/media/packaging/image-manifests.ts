import type { HlsManifestSettings } from '../output-group.ts';
import { type Segment, averageBandwidth, peakBandwidth, uri } from './hls-manifest.ts';

/** Pictures of trick play: images of some thumbnails each. */
export interface ImageRendition {
  /** Of the manifest. */
  readonly name: string;
  /** An image each; all but the last show as many thumbnails. */
  readonly images: readonly Segment[];
  /** How MPDs name the images, by `$Number…$`. */
  readonly template: string;
  readonly columns: number;
  readonly rows: number;
  /** Of one thumbnail. */
  readonly width: number;
  readonly height: number;
  /** Between two thumbnails. */
  readonly seconds: number;
}

/** The manifest of the images. Source: Roku, "Trick mode"; the tags are not in RFC 8216. */
export function imageManifest(group: HlsManifestSettings, rendition: ImageRendition): string {
  const { images, width, height, columns, rows, seconds } = rendition;
  const longest = Math.max(1, ...images.map(({ duration }) => Math.ceil(duration - 0.001)));
  const tiles = `#EXT-X-TILES:RESOLUTION=${width}x${height},LAYOUT=${columns}x${rows},DURATION=${exact(seconds)}`;
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${longest}`,
    '#EXT-X-MEDIA-SEQUENCE:1',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-IMAGES-ONLY',
    ...images.flatMap(({ name, duration }) => [`#EXTINF:${exact(duration)},`, tiles, uri(group, name)]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/** Lines of the main manifest. */
export function imageLines(group: HlsManifestSettings, renditions: readonly ImageRendition[]): string {
  const lines = renditions.map((rendition) => {
    const { name, images, width, height } = rendition;
    const bandwidth = Math.max(1, peakBandwidth(group, { segments: images }));
    const attributes = `BANDWIDTH=${bandwidth},RESOLUTION=${width}x${height},CODECS="jpeg"`;
    return `#EXT-X-IMAGE-STREAM-INF:${attributes},URI="${uri(group, name)}"\n`;
  });
  return lines.join('');
}

/** Adaptation sets of an MPD. Source: DASH-IF, "Interoperability Points", 6.2.6. */
export function imageSets(renditions: readonly ImageRendition[], firstId: number): string[] {
  return renditions.flatMap((rendition, index) => {
    const { images, template, columns, rows, width, height, seconds } = rendition;
    const MILLISECONDS = 1000;
    const length = Math.round(seconds * columns * rows * MILLISECONDS);
    const size = `width="${width * columns}" height="${height * rows}"`;
    const bandwidth = Math.max(1, averageBandwidth({ segments: images }));
    return [
      `    <AdaptationSet id="${firstId + index}" contentType="image" mimeType="image/jpeg">`,
      `      <SegmentTemplate timescale="${MILLISECONDS}" startNumber="1" duration="${length}" media="${template}"/>`,
      `      <Representation id="images_${index + 1}" bandwidth="${bandwidth}" ${size}>`,
      '        <EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile"' +
        ` value="${columns}x${rows}"/>`,
      '      </Representation>',
      '    </AdaptationSet>',
    ];
  });
}

function exact(seconds: number): string {
  return seconds.toFixed(6).replace(/\.?0+$/, '');
}
