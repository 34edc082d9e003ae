import { AudioEncoder } from '#media/ffmpeg/audio-encoder.ts';
import type { FFmpeg } from '#media/ffmpeg/load-ffmpeg.ts';
import { silentFrame } from '#media/ffmpeg/sample-target.ts';
import { adtsHeader } from '#media/packaging/adts-header.ts';

export interface HeAacFacts {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitrate: number;
  /** Version 2. */
  readonly isParametric?: boolean;
}

export interface EncodedHeAac {
  /** As players are told it. */
  readonly codecName: string;
  readonly packets: readonly { readonly data: Buffer; readonly pts: number; readonly duration: number }[];
  readonly config: Buffer;
  /** All packets, each behind its header. */
  readonly adts: Buffer;
  /** Bits a second. */
  readonly bitrate: number;
}

/** Encodes `length` samples of a sound. */
export function encodeHeAac(
  ffmpeg: FFmpeg,
  facts: HeAacFacts,
  length: number,
  source: (sample: number, channel: number) => number,
): EncodedHeAac {
  const encoder = new AudioEncoder(ffmpeg, { kind: 'aac', isReplicated: true, ...facts }, 1);
  const { context, codecName } = encoder;
  const { sampleRate } = facts;
  const form = { sampleRate, format: context.sampleFormat, layout: context.channelLayout };
  const config = Buffer.from(context.extraData ?? []);
  const packets: EncodedHeAac['packets'][number][] = [];
  encoder.addReceiver(({ data, pts, duration }) => {
    packets.push({ data: Buffer.from(data ?? []), pts: Number(pts), duration: Number(duration) });
  });
  // Of lengths that are no frame's.
  for (let at = 0; at < length; at += 1500) {
    const frame = silentFrame(ffmpeg, form, Math.min(1500, length - at));
    for (const [channel, plane] of (frame.extendedData ?? []).entries()) {
      for (let index = 0; index < frame.nbSamples; index++) plane.writeFloatLE(source(at + index, channel), index * 4);
    }
    encoder.encode(frame);
    frame.free();
  }
  encoder.finish();
  const bytes = packets.reduce((sum, { data }) => sum + data.length, 0);
  const adts = Buffer.concat(packets.flatMap(({ data }) => [adtsHeader(config, data.length), data]));
  return { codecName, packets, config, adts, bitrate: (bytes * 8 * sampleRate) / (packets.length * 2048) };
}
