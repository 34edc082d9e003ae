import type { CodecContext, Frame } from 'node-av/lib';
import { CORE_DELAY, StereoEncoder } from '../parametric-stereo/stereo-encoder.ts';
import type { StereoGrid } from '../parametric-stereo/stereo-data.ts';
import { FRAME_SAMPLES } from '../sbr/band-signal.ts';
import type { BitWriter } from '../sbr/bit-writer.ts';
import type { FrequencyBands } from '../sbr/frequency-bands.ts';
import { CORE_FRAME, type CoreSource, floatSamples } from './core-source.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { type SampleForm, silentFrame } from './sample-target.ts';

/** Of HE-AAC v2: the core has one channel, and its extensions make two of it. */
export class StereoCore implements CoreSource {
  readonly delay: number = CORE_DELAY;
  readonly #ffmpeg: FFmpeg;
  readonly #form: SampleForm;
  readonly #encoder: StereoEncoder;
  readonly #extensions: BitWriter[] = [];
  #frames = 0;

  constructor(ffmpeg: FFmpeg, core: CodecContext, bands: FrequencyBands, grid: StereoGrid) {
    this.#ffmpeg = ffmpeg;
    this.#form = { format: core.sampleFormat, layout: core.channelLayout, sampleRate: core.sampleRate };
    this.#encoder = new StereoEncoder(bands, grid);
  }

  encode(frame: Frame, emit: (frame: Frame) => void): void {
    this.#encode(floatSamples(frame, 2), emit);
  }

  finish(silence: number, emit: (frame: Frame) => void): void {
    for (let at = 0; at < silence; at += FRAME_SAMPLES) this.#encode([], emit);
  }

  nextExtension(): BitWriter {
    return this.#extensions.shift() ?? this.#encoder.encode([]).extension;
  }

  #encode(channels: readonly Float32Array[], emit: (frame: Frame) => void): void {
    const { core, extension } = this.#encoder.encode(channels);
    this.#extensions.push(extension);
    const frame = silentFrame(this.#ffmpeg, this.#form, CORE_FRAME);
    const [plane] = frame.extendedData ?? frame.data ?? [];
    plane?.set(new Uint8Array(core.buffer, core.byteOffset, core.byteLength));
    frame.pts = BigInt(this.#frames * CORE_FRAME);
    this.#frames += 1;
    emit(frame);
    frame.free();
  }
}
