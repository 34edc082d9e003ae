import type { Packet } from 'node-av/lib';
import type { Segment } from '../packaging/hls-manifest.ts';
import { averageBandwidth } from '../packaging/hls-manifest.ts';
import { HlsSegmenter } from '../packaging/hls-segmenter.ts';
import { IndexedWriter } from '../packaging/indexed-writer.ts';
import { Mp4Writer } from '../packaging/mp4-writer.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { ObjectWriter } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { NameFacts } from '../packaging/output-name.ts';
import type {
  AudioSettings,
  FileGroup,
  FileOutput,
  HlsGroup,
  HlsOutput,
  OutputGroup,
  OutputResult,
  PredictedVideoSettings,
  VideoSettings,
} from '../transcode-job.ts';
import type { AudioEncoder } from './audio-encoder.ts';
import { AAC_CODEC_NAME } from './audio-encoder.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { MuxerTrack } from './muxer.ts';
import { Muxer } from './muxer.ts';
import { PacketInterleaver } from './packet-interleaver.ts';
import type { PacketReceiver, VideoEncoder } from './video-encoder.ts';

export interface OutputAudio {
  readonly settings: AudioSettings;
  readonly encoder: AudioEncoder;
}

/** What an output is made from. The video encoder comes later, as it needs to know where its packets go. */
export interface OutputTracks {
  readonly video?: VideoEncoder;
  readonly audios: readonly OutputAudio[];
}

/** A running output: packets in, objects out. */
export interface Output {
  readonly write: (track: number, packet: Packet) => void;
  endTrack(track: number): void;
  finish(): OutputResult;
}

/** Copies packets into an output's queue, in the order of their decoding times. */
export function receiverFor(interleaver: PacketInterleaver, track: number, timeBase: { num: number; den: number }) {
  const toSeconds = timeBase.num / timeBase.den;
  const receive: PacketReceiver = (packet) => {
    const copy = packet.clone();
    if (copy === null) throw new Error('Out of memory.');
    interleaver.push(track, copy, Number(copy.dts) * toSeconds);
  };
  return receive;
}

export function muxerTracks(tracks: OutputTracks): MuxerTrack[] {
  const { video, audios } = tracks;
  return [
    ...(video === undefined ? [] : [{ encoder: video.context, framerate: video.framerate, ...tagOf(video) }]),
    ...audios.map(({ encoder, settings }) => ({
      encoder: encoder.context,
      ...(settings.language !== undefined && { language: settings.language }),
      ...(settings.streamName !== undefined && { title: settings.streamName }),
    })),
  ];
}

function tagOf({ settings: { codec } }: VideoEncoder): { readonly tag?: string } {
  return codec.kind === 'h265' ? { tag: codec.tag } : {};
}

/** The settings of a codec whose pictures depend on others, as all segmented outputs have. */
export function predicted({ settings: { codec } }: VideoEncoder): PredictedVideoSettings {
  if (codec.kind === 'jpeg' || codec.kind === 'av1') throw new RangeError(`${codec.kind} is not segmented.`);
  return codec;
}

/** What the names of an output's objects may say. */
export function nameFacts(
  group: OutputGroup,
  extension: string,
  tracks: OutputTracks,
  settings: { readonly video?: VideoSettings; readonly audios: readonly AudioSettings[] },
  time: number,
): NameFacts {
  const videoBitrate = nominalBitrate(settings.video);
  const audioBitrate = soundBitrate(settings.audios[0]);
  const { video } = tracks;
  return {
    time,
    inputName: group.inputName,
    extension,
    ...(video !== undefined && {
      width: video.picture.width,
      height: video.picture.height,
      framesPerSecond: video.framerate.num / video.framerate.den,
    }),
    ...(videoBitrate !== undefined && { videoBitrate }),
    ...(audioBitrate !== undefined && { audioBitrate }),
  };
}

function soundBitrate(audio: AudioSettings | undefined): number | undefined {
  if (audio === undefined) return undefined;
  const { codec } = audio;
  if (codec.kind === 'aac') return codec.bitrate;
  if (codec.kind === 'mp3') return codec.rate.mode === 'cbr' ? codec.rate.bitrate : undefined;
  return codec.sampleRate * codec.channels * codec.bitDepth;
}

/** Bits a second, as the settings say. */
export function nominalBitrate(video: VideoSettings | undefined): number | undefined {
  const control = video === undefined || video.codec.kind === 'jpeg' ? undefined : video.codec.rateControl;
  return control?.mode === 'qvbr' ? control.maxBitrate : control?.bitrate;
}

/** A file, or pictures. */
export function openFileOutput(
  ffmpeg: FFmpeg,
  group: FileGroup,
  output: FileOutput,
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const { container } = output;
  if (container === 'pictures') return openPictures(group, output, tracks, sink, startedAt);
  if (container !== 'mp4' && container !== 'mov') {
    return openSound(ffmpeg, group, { ...output, container }, tracks, sink, startedAt);
  }
  return openMovie(ffmpeg, group, { ...output, container }, tracks, sink, startedAt);
}

const CONTENT_TYPES = { mp4: 'video/mp4', mov: 'video/quicktime' };

/** An MP4 or MOV file. */
function openMovie(
  ffmpeg: FFmpeg,
  group: FileGroup,
  output: FileOutput & { readonly container: keyof typeof CONTENT_TYPES },
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const facts = nameFacts(group, output.extension, tracks, output, startedAt);
  const key = expandIdentifiers(`${group.keyBase}${output.nameModifier}.${output.extension}`, facts);
  const { compositionShift } = output;
  const target = { key, contentType: CONTENT_TYPES[output.container] };
  const writer = new Mp4Writer(sink, target, output.moov ?? 'front', compositionShift);
  const list = muxerTracks(tracks);
  const options = compositionShift === undefined ? {} : { movflags: 'negative_cts_offsets' };
  const muxer = new Muxer(ffmpeg, output.container, list, writer, options);
  const interleaver = new PacketInterleaver(list.length, (track, packet) => muxer.write(track, packet));
  const receivers = list.map((track, index) => receiverFor(interleaver, index, track.encoder.timeBase));
  return {
    write: (track, packet) => receivers[track]?.(packet),
    endTrack: (track) => interleaver.end(track),
    finish() {
      muxer.flush();
      writer.beginTrailer();
      muxer.finish();
      writer.end();
      const seconds = tracks.video?.seconds ?? tracks.audios[0]?.encoder.seconds ?? 0;
      return {
        paths: [`s3://${group.bucket}/${key}`],
        durationMs: Math.round(seconds * 1000),
        ...(seconds > 0 && { averageBitrate: Math.round((writer.length * 8) / seconds) }),
        ...(tracks.video !== undefined && { width: tracks.video.picture.width, height: tracks.video.picture.height }),
      };
    },
  };
}

const SOUND_TYPES = { wav: 'audio/wav', mp3: 'audio/mpeg', flac: 'audio/flac' };

/** A file of one sound; its head is complete in the end only. */
function openSound(
  ffmpeg: FFmpeg,
  group: FileGroup,
  output: FileOutput & { readonly container: keyof typeof SOUND_TYPES },
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const facts = nameFacts(group, output.extension, tracks, output, startedAt);
  const key = expandIdentifiers(`${group.keyBase}${output.nameModifier}.${output.extension}`, facts);
  const writer = new IndexedWriter(sink, { key, contentType: SOUND_TYPES[output.container] });
  const list = muxerTracks(tracks);
  const codec = output.audios[0]?.codec;
  const options = codec?.kind === 'wav' && codec.isRf64 === true ? { rf64: 'always' } : {};
  const muxer = new Muxer(ffmpeg, output.container, list, writer, options);
  return {
    write(_, packet) {
      const copy = packet.clone();
      if (copy === null) throw new Error('Out of memory.');
      muxer.write(0, copy);
      copy.free();
    },
    endTrack: () => undefined,
    finish() {
      muxer.finish();
      writer.end(new Uint8Array(0));
      const seconds = tracks.audios[0]?.encoder.seconds ?? 0;
      return { paths: [`s3://${group.bucket}/${key}`], durationMs: Math.round(seconds * 1000) };
    },
  };
}

/** As the service counts them. */
const PICTURE_DIGITS = 7;

/** Each picture is an object: `name.0000000.jpg`. */
function openPictures(
  group: FileGroup,
  output: FileOutput,
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const facts = nameFacts(group, output.extension, tracks, output, startedAt);
  const base = expandIdentifiers(`${group.keyBase}${output.nameModifier}`, facts);
  let count = 0;
  let key: string | undefined;
  return {
    write(_, packet) {
      key = `${base}.${String(count).padStart(PICTURE_DIGITS, '0')}.${output.extension}`;
      count += 1;
      const writer = new ObjectWriter(sink, { key, contentType: 'image/jpeg' });
      writer.write(packet.data ?? new Uint8Array(0));
      writer.end();
    },
    endTrack: () => undefined,
    // The last one stands for all.
    finish: () => ({
      paths: key === undefined ? [] : [`s3://${group.bucket}/${key}`],
      durationMs: Math.round((tracks.video?.seconds ?? 0) * 1000),
      ...(tracks.video !== undefined && { width: tracks.video.picture.width, height: tracks.video.picture.height }),
    }),
  };
}

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
  const segmenter = new HlsSegmenter(ffmpeg, {
    group,
    sink,
    base,
    segmentBase: () =>
      base + expandIdentifiers(output.segmentModifier, { ...names, extension: 'ts', time: facts.now() }),
    tracks: list,
    transport,
    audioFrameBytes: Math.max(0, ...tracks.audios.map(({ encoder }) => frameBytes(encoder))),
    ...(tracks.video !== undefined && { videoKind: predicted(tracks.video).kind }),
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
