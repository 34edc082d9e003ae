import { dashManifest } from '../packaging/dash-manifest.ts';
import type { Rendition } from '../packaging/hls-manifest.ts';
import { mainManifest } from '../packaging/hls-manifest.ts';
import { clientManifest, serverManifest } from '../packaging/smooth-manifests.ts';
import { imageLines } from '../packaging/image-manifests.ts';
import type { ThumbnailEncoder } from './thumbnail-encoder.ts';
import { putImageManifests } from './trick-play-images.ts';
import { putDashManifest, putHlsManifest, putSmoothManifest } from '../packaging/manifest-store.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { FragmentedGroup, HlsGroup, OutputGroup, SmoothGroup } from '../output-group.ts';
import type { GroupResult, OutputResult } from '../transcode-report.ts';
import type { FragmentedOutputHandle } from './fragmented-outputs.ts';
import { FEWEST_SEGMENTS, type SegmentedOutput } from './hls-outputs.ts';
import type { SmoothOutputHandle } from './smooth-outputs.ts';
import type { Output, OutputTracks } from './outputs.ts';

export interface RunningGroup {
  readonly group: OutputGroup;
  /** Its place among the job's groups. */
  readonly index: number;
  readonly outputs: readonly Output[];
  readonly tracks: readonly OutputTracks[];
  /** Of trick play, in the order of the settings. */
  readonly images?: readonly ThumbnailEncoder[];
}

export interface OpenedOutput {
  readonly output: Output;
  readonly tracks: OutputTracks;
}

export function runningGroup(
  group: OutputGroup,
  index: number,
  opened: readonly OpenedOutput[],
  images?: ThumbnailEncoder[],
): RunningGroup {
  const [outputs, tracks] = [opened.map(({ output }) => output), opened.map((each) => each.tracks)];
  return { group, index, outputs, tracks, ...(images !== undefined && { images }) };
}

/** Ends a group's outputs, and then writes the manifests that name them. */
export function finishGroup(running: RunningGroup, sink: PartSink, startedAt: number): GroupResult {
  const { group, outputs, tracks } = running;
  const results = finishAll(outputs);
  if (group.kind === 'file') return { kind: 'file', playlistPaths: [], outputs: results };
  const playlistPaths: string[] = [];
  const put = (modifier: string, extension: string, store: (key: string) => void): void => {
    const facts = { time: startedAt, inputName: group.inputName, extension };
    const key = expandIdentifiers(`${group.keyBase}${modifier}.${extension}`, facts);
    store(key);
    playlistPaths.push(`s3://${group.bucket}/${key}`);
  };
  if (group.kind === 'smooth') {
    writeSmoothManifests(group, outputs, mainManifests(group), sink, put);
    return { kind: 'smooth', playlistPaths, outputs: results };
  }
  const images = (running.images ?? []).map(({ rendition }) => rendition);
  putImageManifests(group, images, sink, startedAt);
  const dash = group.kind === 'hls' ? undefined : group.dash;
  const mains = mainManifests(group);
  if (dash !== undefined) {
    const representations = outputs.filter(isFragmented).map((output) => output.representation());
    for (const main of mains) {
      const chosen = representations.filter((_, index) => main.isNamed(index));
      put(main.modifier, 'mpd', (key) => putDashManifest(sink, key, dashManifest(dash, chosen, images)));
    }
  }
  const hls = group.kind === 'hls' ? (group.areManifestsWritten ? group : undefined) : group.hls;
  if (hls !== undefined) {
    const renditions = group.outputs.map((_, index) => describeRendition(group, index, outputs, tracks));
    for (const main of mains) {
      const chosen = renditions.filter((_, index) => main.isNamed(index));
      const text = mainManifest(hls, chosen, group.kind !== 'hls') + imageLines(hls, images);
      put(main.modifier, 'm3u8', (key) => putHlsManifest(sink, hls, key, text));
    }
  }
  return { kind: group.kind, playlistPaths, outputs: results };
}

/** Writes the manifests that name an HLS group's outputs while these grow, once there is something of each. */
export function writeRunningManifests(
  { group, outputs, tracks }: RunningGroup,
  sink: PartSink,
  startedAt: number,
): void {
  if (group.kind !== 'hls') return;
  // Text is written in the end, and has its place in the manifests then; so have pictures that can be decoded alone.
  const begun = outputs.flatMap((output, index) => (output.isLast === true ? [] : [index]));
  const renditions = new Map(begun.map((index) => [index, describeRendition(group, index, outputs, tracks)]));
  if ([...renditions.values()].some(({ segments }) => segments.length < FEWEST_SEGMENTS)) return;
  for (const main of mainManifests(group)) {
    const facts = { time: startedAt, inputName: group.inputName, extension: 'm3u8' };
    const key = expandIdentifiers(`${group.keyBase}${main.modifier}.m3u8`, facts);
    const chosen = [...renditions].flatMap(([index, { iFrames: _later, ...rendition }]) =>
      main.isNamed(index) ? [rendition] : [],
    );
    putHlsManifest(sink, group, key, mainManifest(group, chosen));
  }
}

interface MainManifest {
  readonly modifier: string;
  /** Whether it names an output, by its place in the group. */
  isNamed(output: number): boolean;
}

/** What the manifests of a finished Smooth Streaming group say, for a server and for players. */
function writeSmoothManifests(
  group: SmoothGroup,
  outputs: readonly Output[],
  mains: readonly MainManifest[],
  sink: PartSink,
  put: (modifier: string, extension: string, store: (key: string) => void) => void,
): void {
  const { encoding } = group;
  for (const main of mains) {
    const chosen = outputs.filter((_, index) => main.isNamed(index)).filter(isSmooth);
    const tracks = chosen.flatMap((output) => output.smoothTracks());
    const seconds = Math.max(0, ...chosen.map(({ seconds: length }) => length));
    put(main.modifier, 'ism', (key) => {
      const client = `${key.slice(key.lastIndexOf('/') + 1)}c`;
      putSmoothManifest(sink, key, serverManifest(tracks, client, encoding), encoding);
    });
    put(main.modifier, 'ismc', (key) =>
      putSmoothManifest(sink, key, clientManifest(tracks, seconds, encoding, group.content?.keys[0]?.smooth), encoding),
    );
  }
}

/** The one that names all outputs, and those beside it. */
function mainManifests({
  additionalManifests = [],
  outputs,
}: HlsGroup | FragmentedGroup | SmoothGroup): MainManifest[] {
  return [
    { modifier: '', isNamed: () => true },
    ...additionalManifests.map(({ nameModifier, selectedOutputs }) => ({
      modifier: nameModifier,
      isNamed: (output: number) =>
        selectedOutputs === undefined || selectedOutputs.includes(outputs[output]?.nameModifier ?? ''),
    })),
  ];
}

/** In the outputs' order, but for text, whose segments are as long as the pictures'. */
function finishAll(outputs: readonly Output[]): OutputResult[] {
  const results = new Map<Output, OutputResult>();
  for (const isLast of [false, true]) {
    for (const output of outputs) if ((output.isLast === true) === isLast) results.set(output, output.finish());
  }
  return outputs.flatMap((output) => results.get(output) ?? []);
}

function describeRendition(
  group: HlsGroup | FragmentedGroup,
  index: number,
  outputs: readonly Output[],
  tracks: readonly OutputTracks[],
): Rendition {
  const output = outputs[index];
  const settings = group.outputs[index];
  const made = tracks[index];
  if (output === undefined || settings === undefined || made === undefined || !isSegmented(output)) {
    throw new RangeError(`There is no output ${index}.`);
  }
  const audio = made.audios[0];
  const title = audio?.settings.streamName ?? audio?.settings.language ?? settings.nameModifier;
  return {
    name: output.segmenter.manifestName,
    segments: output.segmenter.segments,
    codecs: output.segmenter.codecs,
    audioGroupIds: settings.audioGroupIds,
    ...(output.subtitles !== undefined && { subtitles: output.subtitles }),
    ...(output.segmenter.encryption !== undefined && { encryption: output.segmenter.encryption }),
    ...(output.segmenter.iFrameRendition !== undefined && { iFrames: output.segmenter.iFrameRendition }),
    ...(made.video !== undefined && {
      width: made.video.picture.width,
      height: made.video.picture.height,
      framesPerSecond: made.video.framerate.num / made.video.framerate.den,
    }),
    ...(settings.audioRendition !== undefined && {
      audio: {
        ...settings.audioRendition,
        title: title === '' ? 'audio' : title,
        channels: audio?.settings.codec.channels ?? 2,
        ...(audio?.settings.language !== undefined && { language: audio.settings.language }),
      },
    }),
  };
}

function isSegmented(output: Output): output is SegmentedOutput {
  return 'segmenter' in output;
}

function isFragmented(output: Output): output is FragmentedOutputHandle {
  return 'representation' in output;
}

function isSmooth(output: Output): output is SmoothOutputHandle {
  return 'smoothTracks' in output;
}
