import type { CodecContext } from 'node-av/lib';
import type { DashRepresentation } from '../packaging/dash-manifest.ts';
import { FragmentedSegmenter, nameOf } from '../packaging/fragmented-segmenter.ts';
import { averageBandwidth, childManifest } from '../packaging/hls-manifest.ts';
import { iFrameManifestKey } from '../packaging/hls-segmenter.ts';
import { iFrameManifest } from '../packaging/i-frames.ts';
import { putHlsManifest } from '../packaging/manifest-store.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import { segmentNames } from '../packaging/segment-template.ts';
import { videoCodecName } from '../packaging/video-codec-name.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { FragmentedGroup, FragmentedOutput } from '../output-group.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { SegmentedOutput } from './hls-outputs.ts';
import type { OutputTracks } from './outputs.ts';
import {
  muxerTracks,
  nameFacts,
  nominalBitrate,
  predicted,
  receiverFor,
  renditionEncryption,
  segmentedKind,
} from './outputs.ts';
import type { Rational } from '../video-settings.ts';
import { type TimedTag, TimedTags } from '../packaging/timed-tags.ts';
import { PacketInterleaver } from './packet-interleaver.ts';
import { type CopiedFormat, isCopied, type VideoTrack } from './track-format.ts';

export interface FragmentedOutputHandle extends SegmentedOutput {
  /** What the MPD says of it, once it is finished. */
  representation(): DashRepresentation;
}

/** One rendition of a DASH or CMAF group: the segments of its one track, and its HLS manifest where there is one. */
export function openFragmentedOutput(
  ffmpeg: FFmpeg,
  group: FragmentedGroup,
  output: FragmentedOutput,
  tracks: OutputTracks,
  sink: PartSink,
  facts: {
    readonly startedAt: number;
    readonly segmentSeconds: number;
    readonly fragmentSeconds: number;
    readonly id: string;
    readonly tags: (rate: Rational | undefined) => TimedTag[];
  },
): FragmentedOutputHandle {
  const named = nameFacts(group, output.extension, tracks, output, facts.startedAt);
  const expand = (text: string): string => expandIdentifiers(text, named);
  const names = segmentNames(group.keyBase, output.nameModifier, expand, facts.id);
  const [track] = muxerTracks(tracks);
  if (track === undefined) throw new RangeError('An output has one track.');
  const { video } = tracks;
  const encryption = renditionEncryption(group.content, tracks);
  const segmenter = new FragmentedSegmenter(ffmpeg, {
    sink,
    track,
    isVideo: video !== undefined,
    names,
    extension: output.extension,
    isSingleFile: group.isSingleFile,
    segmentSeconds: facts.segmentSeconds,
    fragmentSeconds: facts.fragmentSeconds,
    ...(group.minFinalSeconds !== undefined && { minFinalSeconds: group.minFinalSeconds }),
    hasIFrames: output.hasIFrameManifest === true,
    codec: video === undefined ? (tracks.audios[0]?.encoder.codecName ?? '') : codecOf(ffmpeg, video),
    ...(output.events !== undefined && {
      events: { settings: output.events, tags: new TimedTags(facts.tags(video?.framerate)) },
    }),
    ...(encryption !== undefined && {
      protection: { encryption, codec: video === undefined ? ('sound' as const) : segmentedKind(video) },
    }),
  });
  const interleaver = new PacketInterleaver(1, (_, packet) => segmenter.write(packet));
  const receive = receiverFor(interleaver, 0, track.encoder.timeBase);
  const manifestKey = `${names.stem}.m3u8`;
  const mediaKey = group.isSingleFile ? [`s3://${group.bucket}/${names.stem}.${output.extension}`] : [];
  return {
    segmenter,
    write: (_, packet) => receive(packet),
    endTrack: () => interleaver.end(0),
    finish() {
      segmenter.finish();
      const { encryption: told } = segmenter;
      const hls = group.hls && { ...group.hls, ...(told !== undefined && { encryption: told }) };
      if (hls !== undefined) {
        const { init, segments } = segmenter;
        putHlsManifest(sink, hls, manifestKey, childManifest(hls, segments, init));
        if (output.hasIFrameManifest === true) {
          const text = iFrameManifest(hls, segmenter.iFrames, segmenter.seconds, init);
          putHlsManifest(sink, hls, iFrameManifestKey(names.stem), text);
        }
      }
      return {
        paths: hls === undefined ? mediaKey : [`s3://${group.bucket}/${manifestKey}`],
        durationMs: Math.round((video?.seconds ?? segmenter.seconds) * 1000),
        averageBitrate: averageBandwidth({ segments: segmenter.segments }),
        ...(video !== undefined && { width: video.picture.width, height: video.picture.height }),
      };
    },
    representation: () => ({
      id: facts.id,
      codec: segmenter.facts.codec,
      maxBandwidth: nominalBitrate(output.video) ?? 0,
      timescale: segmenter.timescale,
      segments: segmenter.segments,
      segmentSeconds: facts.segmentSeconds,
      seconds: segmenter.seconds,
      media: mediaOf(segmenter, `${nameOf(names.template)}.${output.extension}`),
      ...(video === undefined ? {} : { picture: { ...video.picture, framerate: video.framerate } }),
      ...soundOf(tracks),
      ...closedCaptionsOf(output),
      ...(output.events?.isSignalled === true && { events: output.events }),
      ...(segmenter.encryption !== undefined && { encryption: segmenter.encryption }),
    }),
  };
}

function mediaOf(segmenter: FragmentedSegmenter, template: string): DashRepresentation['media'] {
  const { name, bytes, indexBytes } = segmenter.init;
  return segmenter.facts.isSingleFile
    ? { kind: 'file', name, initBytes: bytes, indexBytes }
    : { kind: 'segments', init: name, template };
}

function closedCaptionsOf({ captions = [], areCaptionsHinted }: FragmentedOutput): {
  readonly closedCaptions?: string;
} {
  const embedded = captions.filter(({ destination }) => destination.kind === 'embedded');
  if (areCaptionsHinted !== true || embedded.length === 0) return {};
  const channels = embedded.map(({ destination, language }, index) => {
    const channel = destination.kind === 'embedded' ? destination.channel : undefined;
    return `CC${channel ?? 1 + 2 * index}${language === undefined ? '' : `=${language}`}`;
  });
  return { closedCaptions: channels.join(';') };
}

function soundOf({ audios: [audio] }: OutputTracks): Pick<DashRepresentation, 'sound'> {
  if (audio === undefined) return {};
  const { sampleRate, channels } = audio.settings.codec;
  const { language } = audio.settings;
  return { sound: { sampleRate, channels, ...(language !== undefined && { language }) } };
}

/** As FFmpeg knows it from the encoder's description of its stream. */
function codecString(ffmpeg: FFmpeg, context: CodecContext): string {
  const parameters = new ffmpeg.CodecParameters();
  parameters.alloc();
  parameters.fromContext(context);
  const name = parameters.getCodecString();
  parameters.free();
  if (name === null) throw new TranscodeError(ERROR_CODES.unknown, 'The video encoder did not describe its stream.');
  return name;
}

function codecOf(ffmpeg: FFmpeg, video: VideoTrack): string {
  const { context } = video;
  if (isCopied(context)) return copiedName(context);
  if (video.settings.codec.kind === 'av1') return codecString(ffmpeg, context);
  const codec = predicted(video);
  const name = videoCodecName(codec.kind, context.extraData ?? Buffer.alloc(0));
  if (name === undefined) throw new TranscodeError(ERROR_CODES.unknown, 'The video encoder told no parameter sets.');
  return codec.kind === 'h265' ? name.replace(/^hvc1/, codec.tag) : name;
}

function copiedName({ parameters }: CopiedFormat): string {
  const name = parameters.getCodecString();
  if (name !== null) return name;
  throw new TranscodeError(ERROR_CODES.settingsDoNotFit, 'The picture of this input cannot be copied into segments');
}
