import type { RenditionEncryption } from '../content-encryption.ts';
import type { Packet } from 'node-av/lib';
import type { HlsGroup, HlsOutput } from '../output-group.ts';
import type { SubtitleRendition } from '../packaging/hls-captions.ts';
import { type Rendition, type Segment, averageBandwidth, childManifest } from '../packaging/hls-manifest.ts';
import { HlsSegmenter } from '../packaging/hls-segmenter.ts';
import { putHlsManifest } from '../packaging/manifest-store.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import type { ProgramDates } from '../packaging/program-dates.ts';
import { PACKED_EXTENSIONS, PackedAudioSegmenter, type PackedCodec } from '../packaging/packed-audio-segmenter.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { Rational } from '../video-settings.ts';
import { type TimedTag, TimedTags } from '../packaging/timed-tags.ts';
import { tagStream } from './timed-tags-of.ts';
import type { AudioTrack } from './track-format.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import {
  type Output,
  type OutputTracks,
  muxerTracks,
  nameFacts,
  interleaved,
  secondsOf,
  sizeOf,
  renditionEncryption,
  segmentedKind,
} from './outputs.ts';

/** The usual size of a frame, an AAC one with its ADTS header. */
export function frameBytes(encoder: AudioTrack): number {
  const { settings } = encoder;
  const bitrate = 'bitrate' in settings ? settings.bitrate : 0;
  return Math.ceil((bitrate * encoder.frameSize) / settings.sampleRate / 8) + 7;
}

const PACKED: Readonly<Record<string, PackedCodec>> = { 'ac-3': 'ac3', 'ec-3': 'eac3', 'mp4a.40.34': 'mp3' };

/** The codec of a sound that is alone in its segments; the rules let in those that HLS has. */
function packedCodec({ audios: [audio] }: OutputTracks): PackedCodec {
  return PACKED[audio?.encoder.codecName ?? ''] ?? 'aac';
}

/** An output that HLS manifests name. */
export interface SegmentedOutput extends Output {
  readonly segmenter: {
    readonly manifestName: string;
    readonly segments: readonly Segment[];
    /** RFC 6381. */
    readonly codecs: readonly string[];
    /** Absent: it is not encrypted. */
    readonly encryption: RenditionEncryption | undefined;
    readonly iFrameRendition?: Rendition['iFrames'] | undefined;
  };
  /** Of text. */
  readonly subtitles?: SubtitleRendition;
}

/** One rendition of an HLS group: MPEG-TS segments and their child manifest. */
export function openHlsOutput(
  ffmpeg: FFmpeg,
  group: HlsGroup,
  output: HlsOutput,
  tracks: OutputTracks,
  sink: PartSink,
  facts: {
    readonly startedAt: number;
    readonly segmentSeconds: number;
    readonly now: () => number;
    /** Told when the output's manifest was written while the job still runs. */
    readonly onManifest: () => void;
    readonly dates?: ProgramDates;
    readonly tags: (rate: Rational | undefined) => TimedTag[];
    /** The date of the outputs' beginning, in milliseconds since the epoch. */
    readonly startMs: () => number;
  },
): SegmentedOutput {
  const names = nameFacts(group, 'm3u8', tracks, output, facts.startedAt);
  const base = expandIdentifiers(`${group.keyBase}${output.nameModifier}`, names);
  const { transport } = output;
  const list = muxerTracks(tracks).map((track, index) => {
    const isVideo = tracks.video !== undefined && index === 0;
    const pid = isVideo ? transport.videoPid : transport.audioPids[index - (tracks.video === undefined ? 0 : 1)];
    const offset = isVideo ? undefined : transport.audioOffsetSeconds;
    return { ...track, ...(pid !== undefined && { id: pid }), ...(offset !== undefined && { offsetSeconds: offset }) };
  });
  const encryption = renditionEncryption(group.content, tracks);
  const extension = output.packedAudio === undefined ? 'ts' : PACKED_EXTENSIONS[packedCodec(tracks)];
  const common = {
    group: { ...group, ...(encryption !== undefined && { encryption }) },
    sink,
    base,
    segmentKey: (number: number) => {
      const modifier = expandIdentifiers(output.segmentModifier, { ...names, extension, time: facts.now() });
      return segmentKey(group, base, modifier, number, extension);
    },
    segmentSeconds: facts.segmentSeconds,
    ...(facts.dates !== undefined && { dates: facts.dates }),
  };
  const tagsOf = ({ transport: { clockOffsetSeconds } }: HlsOutput, { stamps }: NonNullable<HlsOutput['tags']>) =>
    new TimedTags(
      facts.tags(tracks.video?.framerate),
      stamps && { ...stamps, startMs: facts.startMs(), clockOffsetSeconds },
    );
  const [first] = list;
  const segmenter =
    output.packedAudio !== undefined && first !== undefined
      ? new PackedAudioSegmenter({
          ...common,
          track: first,
          codec: packedCodec(tracks),
          codecName: tracks.audios[0]?.encoder.codecName ?? '',
          clockOffsetSeconds: transport.clockOffsetSeconds + (transport.audioOffsetSeconds ?? 0),
          isTimed: output.packedAudio.isTimed,
        })
      : new HlsSegmenter(ffmpeg, {
          ...common,
          tracks: output.tags === undefined ? list : [...list, { encoder: tagStream(ffmpeg), id: output.tags.pid }],
          ...(output.tags !== undefined && { tags: tagsOf(output, output.tags) }),
          transport,
          audioFrameBytes: Math.max(0, ...tracks.audios.map(({ encoder }) => frameBytes(encoder))),
          ...(tracks.video !== undefined && { videoKind: segmentedKind(tracks.video) }),
          audioCodecs: tracks.audios.map(({ encoder }) => encoder.codecName),
          ...(output.iFrames !== undefined && { iFrames: output.iFrames }),
        });
  let toldSegments = FEWEST_SEGMENTS - 1;
  const write = (track: number, packet: Packet): void => {
    if (segmenter instanceof HlsSegmenter) segmenter.write(track, packet);
    else segmenter.write(packet);
    const { segments } = segmenter;
    if (group.areManifestsProgressive !== true || segments.length <= toldSegments) return;
    toldSegments = segments.length;
    const text = childManifest(common.group, segments, undefined, facts.dates, facts.segmentSeconds);
    putHlsManifest(sink, group, `${base}.m3u8`, text);
    facts.onManifest();
  };
  return {
    segmenter,
    ...interleaved(list, write),
    finish() {
      const seconds = secondsOf(tracks);
      segmenter.finish(seconds);
      return {
        paths: [`s3://${group.bucket}/${base}.m3u8`],
        durationMs: Math.round(seconds * 1000),
        averageBitrate: averageBandwidth({ segments: segmenter.segments }),
        ...sizeOf(tracks),
      };
    },
  };
}

/** With so many of them, a manifest is written while there are more to come. */
export const FEWEST_SEGMENTS = 3;

const SEGMENT_DIGITS = 5;

/**
 * Where a segment is kept: `base_00001.ts`, in an output's own folder `base/` where there are folders, and in that in
 * others that are numbered from 1 (`base/00001/`) where these take a number of segments each.
 */
function segmentKey(
  { isSingleFile, directories }: Pick<HlsGroup, 'isSingleFile' | 'directories'>,
  base: string,
  modifier: string,
  number: number,
  extension: string,
): string {
  const padded = (value: number): string => String(value).padStart(SEGMENT_DIGITS, '0');
  const name = `${base}${modifier}`;
  const file = isSingleFile === true ? `${name}.${extension}` : `${name}_${padded(number)}.${extension}`;
  if (directories === undefined) return file;
  const { segmentsPerDirectory } = directories;
  const inner =
    segmentsPerDirectory === undefined || isSingleFile === true
      ? ''
      : `${padded(Math.floor((number - 1) / segmentsPerDirectory) + 1)}/`;
  return `${base}/${inner}${file.slice(file.lastIndexOf('/') + 1)}`;
}
