import type { RenditionEncryption } from '../content-encryption.ts';
import type { HlsGroup, HlsOutput } from '../output-group.ts';
import { type Segment, averageBandwidth } from '../packaging/hls-manifest.ts';
import { HlsSegmenter } from '../packaging/hls-segmenter.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import { AAC_CODEC_NAME, type AudioEncoder } from './audio-encoder.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import {
  type Output,
  type OutputTracks,
  muxerTracks,
  nameFacts,
  receiverFor,
  renditionEncryption,
  segmentedKind,
} from './outputs.ts';
import { PacketInterleaver } from './packet-interleaver.ts';

/** The usual size of an AAC frame with its ADTS header. */
function frameBytes(encoder: AudioEncoder): number {
  const { settings } = encoder;
  const bitrate = settings.kind === 'aac' ? settings.bitrate : 0;
  return Math.ceil((bitrate * encoder.context.frameSize) / settings.sampleRate / 8) + 7;
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
  };
}

/** One rendition of an HLS group: MPEG-TS segments and their child manifest. */
export function openHlsOutput(
  ffmpeg: FFmpeg,
  group: HlsGroup,
  output: HlsOutput,
  tracks: OutputTracks,
  sink: PartSink,
  facts: { readonly startedAt: number; readonly segmentSeconds: number; readonly now: () => number },
): SegmentedOutput {
  const names = nameFacts(group, 'm3u8', tracks, output, facts.startedAt);
  const base = expandIdentifiers(`${group.keyBase}${output.nameModifier}`, names);
  const { transport } = output;
  const list = muxerTracks(tracks).map((track, index) => {
    const isVideo = tracks.video !== undefined && index === 0;
    const pid = isVideo ? transport.videoPid : transport.audioPids[index - (tracks.video === undefined ? 0 : 1)];
    return { ...track, ...(pid !== undefined && { id: pid }) };
  });
  const encryption = renditionEncryption(group.content, tracks);
  const segmenter = new HlsSegmenter(ffmpeg, {
    group: { ...group, ...(encryption !== undefined && { encryption }) },
    sink,
    base,
    segmentBase: () =>
      base + expandIdentifiers(output.segmentModifier, { ...names, extension: 'ts', time: facts.now() }),
    tracks: list,
    transport,
    audioFrameBytes: Math.max(0, ...tracks.audios.map(({ encoder }) => frameBytes(encoder))),
    ...(tracks.video !== undefined && { videoKind: segmentedKind(tracks.video) }),
    segmentSeconds: facts.segmentSeconds,
    audioCodecs: tracks.audios.map(() => AAC_CODEC_NAME),
  });
  const interleaver = new PacketInterleaver(list.length, (track, packet) => segmenter.write(track, packet));
  const receivers = list.map((track, index) => receiverFor(interleaver, index, track.encoder.timeBase));
  return {
    segmenter,
    write: (track, packet) => receivers[track]?.(packet),
    endTrack: (track) => interleaver.end(track),
    finish() {
      const seconds = tracks.video?.seconds ?? tracks.audios[0]?.encoder.seconds ?? 0;
      segmenter.finish(seconds);
      return {
        paths: [`s3://${group.bucket}/${base}.m3u8`],
        durationMs: Math.round(seconds * 1000),
        averageBitrate: averageBandwidth({ segments: segmenter.segments }),
        ...(tracks.video !== undefined && { width: tracks.video.picture.width, height: tracks.video.picture.height }),
      };
    },
  };
}
