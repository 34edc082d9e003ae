import type { FragmentedGroup, HlsGroup, TrickPlayImages } from '../output-group.ts';
import type { ImageRendition } from '../packaging/image-manifests.ts';
import { imageManifest } from '../packaging/image-manifests.ts';
import { putHlsManifest } from '../packaging/manifest-store.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { Rational, VideoSettings } from '../video-settings.ts';

/** How the pictures of a set of images come about: as those of the group's first picture, smaller and fewer. */
export function thumbnailSettings(
  images: TrickPlayImages,
  first: VideoSettings,
  framerate: Rational,
  segmentSeconds: number,
): VideoSettings {
  const seconds = images.intervalSeconds ?? segmentSeconds;
  const frames = Math.max(1, Math.round((seconds * framerate.num) / framerate.den));
  const { width = first.width, height } = images;
  const wholeHeight = images.width === undefined ? first.height : undefined;
  const shown = height ?? wholeHeight;
  const { width: _width, height: _height, interlaced: _interlaced, ...rest } = first;
  return {
    ...rest,
    scaling: 'fit-and-pad',
    ...(width !== undefined && { width }),
    ...(shown !== undefined && { height: shown }),
    framerate: { num: framerate.num, den: framerate.den * frames },
    codec: { kind: 'jpeg', quality: 90 },
  };
}

/** Where a set of images is kept. */
export function imageBase(
  group: HlsGroup | FragmentedGroup,
  { nameModifier }: TrickPlayImages,
  startedAt: number,
): string {
  return expandIdentifiers(`${group.keyBase}${nameModifier}`, { time: startedAt, inputName: group.inputName });
}

/** Stores the HLS manifests of images, where the group has such. */
export function putImageManifests(
  group: HlsGroup | FragmentedGroup,
  renditions: readonly ImageRendition[],
  sink: PartSink,
  startedAt: number,
): void {
  const hls = group.kind === 'hls' ? (group.areManifestsWritten ? group : undefined) : group.hls;
  if (hls === undefined) return;
  renditions.forEach((rendition, index) => {
    const images = group.trickPlayImages?.[index];
    if (images === undefined) return;
    putHlsManifest(sink, hls, `${imageBase(group, images, startedAt)}.m3u8`, imageManifest(hls, rendition));
  });
}
