import type { Frame } from 'node-av/lib';
import { ERROR_CODES } from '../transcode-error.ts';
import { check } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';

/** Where prepared sound goes, end to end: an encoder, a meter or a mixer. */
export interface SampleTarget {
  readonly sampleRate: number;
  readonly channels: number;
  /** The filters that bring sound of that rate and those channels into the target's own form. */
  readonly formatFilter: string;
  /** Seconds of sound so far. */
  readonly seconds: number;
  /** Takes samples in the target's own form, directly behind the ones before. */
  encode(frame: Frame): void;
  /** Fills with silence up to a time. */
  fillTo(seconds: number): void;
}

/** What sound is made of. */
export interface SampleForm {
  readonly sampleRate: number;
  readonly format: Frame['format'];
  readonly layout: Frame['channelLayout'];
}

/** A frame of silence, which the caller frees. */
export function silentFrame(ffmpeg: FFmpeg, form: SampleForm, samples: number): Frame {
  const frame = new ffmpeg.Frame();
  frame.alloc();
  frame.nbSamples = samples;
  frame.format = form.format;
  frame.sampleRate = form.sampleRate;
  frame.channelLayout = form.layout;
  check(ffmpeg, frame.getBuffer(), ERROR_CODES.unknown, 'Making silence failed');
  for (const plane of frame.extendedData ?? frame.data ?? []) plane.fill(0);
  return frame;
}

/** Sends silence to a target from one sample to another, in pieces of at most a second. */
export function sendSilence(
  ffmpeg: FFmpeg,
  form: SampleForm,
  span: { readonly from: number; readonly to: number },
  send: (frame: Frame) => void,
): void {
  let at = span.from;
  while (at < span.to) {
    const count = Math.min(span.to - at, form.sampleRate);
    const frame = silentFrame(ffmpeg, form, count);
    send(frame);
    frame.free();
    at += count;
  }
}
