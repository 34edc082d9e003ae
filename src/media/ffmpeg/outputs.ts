import type { Packet } from 'node-av/lib';
import type { AudioSettings } from '../audio-settings.ts';
import type { OutputGroup } from '../output-group.ts';
import type { NameFacts } from '../packaging/output-name.ts';
import type { OutputResult } from '../transcode-report.ts';
import type { PredictedVideoSettings, VideoSettings } from '../video-settings.ts';
import type { AudioEncoder } from './audio-encoder.ts';
import type { MuxerTrack } from './muxer.ts';
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
