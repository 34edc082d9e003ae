import { dashManifest } from '../packaging/dash-manifest.ts';
import type { Rendition } from '../packaging/hls-manifest.ts';
import { mainManifest } from '../packaging/hls-manifest.ts';
import { putDashManifest, putHlsManifest } from '../packaging/manifest-store.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { FragmentedGroup, HlsGroup, OutputGroup } from '../output-group.ts';
import type { GroupResult } from '../transcode-report.ts';
import type { FragmentedOutputHandle } from './fragmented-outputs.ts';
import type { SegmentedOutput } from './hls-outputs.ts';
import type { Output, OutputTracks } from './outputs.ts';

export interface RunningGroup {
  readonly group: OutputGroup;
  /** Its place among the job's groups. */
  readonly index: number;
  readonly outputs: readonly Output[];
  readonly tracks: readonly OutputTracks[];
}

/** Ends a group's outputs, and then writes the manifests that name them. */
export function finishGroup(running: RunningGroup, sink: PartSink, startedAt: number): GroupResult {
  const { group, outputs, tracks } = running;
  const results = outputs.map((output) => output.finish());
  if (group.kind === 'file') return { kind: 'file', playlistPaths: [], outputs: results };
  const playlistPaths: string[] = [];
  const put = (modifier: string, extension: string, store: (key: string) => void): void => {
    const facts = { time: startedAt, inputName: group.inputName, extension };
    const key = expandIdentifiers(`${group.keyBase}${modifier}.${extension}`, facts);
    store(key);
    playlistPaths.push(`s3://${group.bucket}/${key}`);
  };
  const dash = group.kind === 'hls' ? undefined : group.dash;
  const mains = mainManifests(group);
  if (dash !== undefined) {
    const representations = outputs.filter(isFragmented).map((output) => output.representation());
    for (const main of mains) {
      const chosen = representations.filter((_, index) => main.isNamed(index));
      put(main.modifier, 'mpd', (key) => putDashManifest(sink, key, dashManifest(dash, chosen)));
    }
  }
  const hls = group.kind === 'hls' ? (group.areManifestsWritten ? group : undefined) : group.hls;
  if (hls !== undefined) {
    const renditions = group.outputs.map((_, index) => describeRendition(group, index, outputs, tracks));
    for (const main of mains) {
      const chosen = renditions.filter((_, index) => main.isNamed(index));
      const text = mainManifest(hls, chosen, group.kind !== 'hls');
      put(main.modifier, 'm3u8', (key) => putHlsManifest(sink, hls, key, text));
    }
  }
  return { kind: group.kind, playlistPaths, outputs: results };
}

interface MainManifest {
  readonly modifier: string;
  /** Whether it names an output, by its place in the group. */
  isNamed(output: number): boolean;
}

/** The one that names all outputs, and those beside it. */
function mainManifests({ additionalManifests = [], outputs }: HlsGroup | FragmentedGroup): MainManifest[] {
  return [
    { modifier: '', isNamed: () => true },
    ...additionalManifests.map(({ nameModifier, selectedOutputs }) => ({
      modifier: nameModifier,
      isNamed: (output: number) =>
        selectedOutputs === undefined || selectedOutputs.includes(outputs[output]?.nameModifier ?? ''),
    })),
  ];
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
