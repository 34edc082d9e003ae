import type { Packet } from 'node-av/lib';
import type { AudioSettings } from '../audio-settings.ts';
import { type ContentEncryption, encryptionOf } from '../content-encryption.ts';
import type { OutputGroup } from '../output-group.ts';
import type { NameFacts } from '../packaging/output-name.ts';
import type { OutputResult } from '../transcode-report.ts';
import type { PredictedVideoSettings, VideoSettings } from '../video-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { MuxerTrack } from './muxer.ts';
import { PacketInterleaver } from './packet-interleaver.ts';
import { type AudioTrack, isCopied, type VideoTrack } from './track-format.ts';
import type { PacketReceiver } from './video-encoder.ts';

export interface OutputAudio {
  readonly settings: AudioSettings;
  readonly encoder: AudioTrack;
}

/** What an output is made from. The video encoder comes later, as it needs to know where its packets go. */
export interface OutputTracks {
  readonly video?: VideoTrack;
  readonly audios: readonly OutputAudio[];
}

/** A running output: packets in, objects out. */
export interface Output {
  readonly write: (track: number, packet: Packet) => void;
  endTrack(track: number): void;
  finish(): OutputResult;
  /** True for one that is finished after all others of its group. */
  readonly isLast?: boolean;
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

/** Takes the packets of several tracks, and passes them on in the order of their decoding times. */
export function interleaved(
  tracks: readonly MuxerTrack[],
  write: (track: number, packet: Packet) => void,
): Pick<Output, 'write' | 'endTrack'> {
  const interleaver = new PacketInterleaver(tracks.length, write);
  const receivers = tracks.map(({ encoder }, index) => receiverFor(interleaver, index, encoder.timeBase));
  return {
    write: (track, packet) => receivers[track]?.(packet),
    endTrack: (track) => interleaver.end(track),
  };
}

/** Seconds of an output: its picture's, or its first sound's. */
export function secondsOf({ video, audios }: OutputTracks): number {
  return video?.seconds ?? audios[0]?.encoder.seconds ?? 0;
}

/** What is told of the one object of an output, of so many bytes. */
export function fileResult(path: string, tracks: OutputTracks, bytes: number): OutputResult {
  const seconds = secondsOf(tracks);
  return {
    paths: [path],
    durationMs: Math.round(seconds * 1000),
    ...(seconds > 0 && { averageBitrate: Math.round((bytes * 8) / seconds) }),
    ...sizeOf(tracks),
  };
}

/** The size of an output's picture, where it has one. */
export function sizeOf({ video }: OutputTracks): Pick<OutputResult, 'width' | 'height'> {
  return video === undefined ? {} : { width: video.picture.width, height: video.picture.height };
}

/** @returns undefined for an output that stays in the clear */
export function renditionEncryption(content: ContentEncryption | undefined, { video, audios }: OutputTracks) {
  const channels = Math.max(0, ...audios.map(({ encoder }) => encoder.settings.channels));
  const pixels = video && video.picture.width * video.picture.height;
  return encryptionOf(content, { channels, ...(pixels !== undefined && { pixels }) });
}

export function muxerTracks(tracks: OutputTracks): MuxerTrack[] {
  const { video, audios } = tracks;
  return [
    ...(video === undefined
      ? []
      : [{ encoder: video.context, framerate: video.framerate, ...timecodeOf(video), ...tagOf(video) }]),
    ...audios.map(({ encoder, settings }) => ({
      encoder: encoder.context,
      ...(settings.language !== undefined && { language: settings.language }),
      ...(settings.streamName !== undefined && { title: settings.streamName }),
      ...(settings.audioType !== undefined && { audioType: settings.audioType }),
    })),
  ];
}

function timecodeOf({ settings, timecode }: VideoTrack): { readonly timecode?: string } {
  const isWanted = settings.picture?.hasTimecodeTrack === true && timecode !== undefined;
  return isWanted ? { timecode } : {};
}

function tagOf({ settings: { codec } }: VideoTrack): { readonly tag?: string; readonly isTagKept?: boolean } {
  if (codec.kind === 'h264') return codec.tag === undefined ? {} : { tag: codec.tag };
  if (codec.kind === 'prores') return { isTagKept: true };
  return codec.kind === 'h265' ? { tag: codec.tag } : {};
}

/** Which of the codecs of segmented outputs it is. */
export function segmentedKind(video: VideoTrack): 'h264' | 'h265' {
  const { settings, context } = video;
  if (settings.codec.kind !== 'passthrough') return predicted(video).kind;
  const name = isCopied(context) ? (context.parameters.getCodecString() ?? '') : '';
  if (name.startsWith('avc')) return 'h264';
  if (name.startsWith('hvc') || name.startsWith('hev')) return 'h265';
  const text = 'Only H.264 and H.265 can be copied into segments';
  throw new TranscodeError(ERROR_CODES.settingsDoNotFit, text);
}

/** The settings of a codec whose pictures depend on others, as all segmented outputs have. */
export function predicted({ settings: { codec } }: VideoTrack): PredictedVideoSettings {
  if (codec.kind !== 'h264' && codec.kind !== 'h265') throw new RangeError(`${codec.kind} is not segmented.`);
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
  const audioBitrate = soundBitrate(tracks.audios[0]?.settings);
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
  if (codec.kind === 'mp3') return codec.rate.mode === 'cbr' ? codec.rate.bitrate : undefined;
  if ('bitDepth' in codec) return codec.sampleRate * codec.channels * codec.bitDepth;
  return 'bitrate' in codec && codec.bitrate > 0 ? codec.bitrate : undefined;
}

/** Bits a second, as the settings say. */
export function nominalBitrate(video: VideoSettings | undefined): number | undefined {
  const control = video !== undefined && 'rateControl' in video.codec ? video.codec.rateControl : undefined;
  if (control === undefined) return undefined;
  return control.mode === 'qvbr' || control.mode === 'factor' ? control.maxBitrate : control.bitrate;
}
