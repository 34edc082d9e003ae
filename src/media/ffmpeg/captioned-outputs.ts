import type { CaptionOutput } from '../caption-settings.ts';
import type { FragmentedOutput, HlsGroup, OutputGroup } from '../output-group.ts';
import type { Segment } from '../packaging/hls-manifest.ts';
import type { Rational } from '../video-settings.ts';
import { CaptionBurner } from './caption-burner.ts';
import { CaptionEmbedder } from './caption-embedder.ts';
import {
  type CaptionOutputFacts,
  openCaptionFile,
  openFragmentedCaptions,
  openHlsCaptions,
  sidecarOf,
} from './caption-outputs.ts';
import type { CaptionTracks } from './caption-tracks.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { Output } from './outputs.ts';

/** What draws an output's captions and puts them into the stream. */
export function captionedVideo(
  ffmpeg: FFmpeg,
  tracks: CaptionTracks,
  captions: readonly CaptionOutput[],
  framerate: Rational,
): { readonly burners: readonly CaptionBurner[]; readonly embedder?: CaptionEmbedder } {
  const burners: CaptionBurner[] = [];
  const embedded: ConstructorParameters<typeof CaptionEmbedder>[1][number][] = [];
  for (const { selector, destination } of captions) {
    if (destination.kind === 'burn-in') burners.push(new CaptionBurner(ffmpeg, tracks.get(selector), destination));
    if (destination.kind !== 'embedded') continue;
    const channel = destination.channel ?? 1 + 2 * embedded.length;
    embedded.push({ track: tracks.get(selector), channel, isCopied: tracks.isEmbedded(selector) });
  }
  if (embedded.length === 0) return { burners };
  return { burners, embedder: new CaptionEmbedder(ffmpeg, embedded, framerate) };
}

export interface OpenedGroupFacts extends Pick<CaptionOutputFacts, 'sink' | 'startedAt' | 'now' | 'seconds'> {
  readonly tracks: CaptionTracks;
  readonly segmentSeconds: number;
  /** The outputs of the group, all of which are there when the first one is finished. */
  outputs(): readonly Output[];
}

/** Opens an output that is captions alone; `undefined` for any other. */
export function openCaptionOutput(group: OutputGroup, place: number, facts: OpenedGroupFacts): Output | undefined {
  if (group.kind === 'smooth') return undefined;
  const output = group.outputs[place];
  const caption = output === undefined ? undefined : sidecarOf(output);
  if (output === undefined || caption === undefined) return undefined;
  const own: CaptionOutputFacts = {
    sink: facts.sink,
    startedAt: facts.startedAt,
    now: () => facts.now(),
    seconds: () => facts.seconds(),
    track: facts.tracks.get(caption.selector),
    leadingSegments: () => leadingSegments(group, facts.outputs()),
  };
  const isDefault = group.outputs.findIndex((one) => sidecarOf(one) !== undefined) === place;
  switch (group.kind) {
    case 'file': {
      const file = group.outputs[place];
      return file === undefined ? undefined : openCaptionFile(group, file, own);
    }
    case 'hls': {
      const hls = group.outputs[place];
      if (hls === undefined) return undefined;
      return openHlsCaptions(group, hls, { ...own, isDefault, clockOffsetSeconds: clockOffset(group) });
    }
    default: {
      const { segmentSeconds } = facts;
      const fragmented: FragmentedOutput | undefined = group.outputs[place];
      if (fragmented === undefined) return undefined;
      return openFragmentedCaptions(group, fragmented, { ...own, isDefault, segmentSeconds, id: String(place + 1) });
    }
  }
}

function clockOffset(group: HlsGroup): number {
  const leading = group.outputs.find(({ video }) => video !== undefined) ?? group.outputs[0];
  return leading?.transport.clockOffsetSeconds ?? 0;
}

function leadingSegments(group: OutputGroup, outputs: readonly Output[]): readonly Segment[] | undefined {
  const place = group.outputs.findIndex(({ video }) => video !== undefined);
  const leading = outputs[place];
  return leading !== undefined && 'segmenter' in leading
    ? (leading as { readonly segmenter: { readonly segments: readonly Segment[] } }).segmenter.segments
    : undefined;
}
