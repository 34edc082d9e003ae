import type { Frame } from 'node-av/lib';
import type { AudioCodecSettings } from '../audio-codec-settings.ts';
import type { LoudnessSettings } from '../audio-settings.ts';
import { type Loudness, LoudnessMeter } from '../loudness/loudness-meter.ts';
import { codecFilters } from './audio-codec.ts';
import { layoutName } from './channel-mix.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { type SampleTarget, sendSilence } from './sample-target.ts';

/** Listens to what an encoder is going to get. */
export class LoudnessTarget implements SampleTarget {
  readonly sampleRate: number;
  readonly channels: number;
  /** Filters, each followed by a comma, that the sound goes through before it is heard. */
  correction = '';
  readonly #settings: AudioCodecSettings;
  readonly #ffmpeg: FFmpeg;
  readonly #meter: LoudnessMeter;
  #count = 0;

  /** @param settings of the encoder; its number of channels is known */
  constructor(ffmpeg: FFmpeg, settings: AudioCodecSettings) {
    this.#ffmpeg = ffmpeg;
    this.sampleRate = settings.sampleRate;
    this.channels = settings.channels;
    this.#meter = new LoudnessMeter(this.sampleRate, this.channels);
    this.#settings = settings;
  }

  get formatFilter(): string {
    const layout = layoutName(this.channels);
    const filters = `${this.correction}${codecFilters(this.#settings)}`;
    return (
      `aformat=channel_layouts=${layout},${filters}` +
      `aformat=sample_fmts=fltp:sample_rates=${this.sampleRate}:channel_layouts=${layout}`
    );
  }

  get seconds(): number {
    return this.#count / this.sampleRate;
  }

  encode(frame: Frame): void {
    this.#count += frame.nbSamples;
    const planes = (frame.extendedData ?? frame.data ?? []).slice(0, this.channels);
    this.#meter.add(planes.map((plane) => floatsOf(plane, frame.nbSamples)));
  }

  fillTo(seconds: number): void {
    const to = Math.round(seconds * this.sampleRate);
    const layout = this.#ffmpeg.avChannelLayoutDefault(this.channels);
    const form = { sampleRate: this.sampleRate, format: this.#ffmpeg.AV_SAMPLE_FMT_FLTP, layout };
    sendSilence(this.#ffmpeg, form, { from: this.#count, to }, (frame) => this.encode(frame));
  }

  measured(isGated: boolean): Loudness {
    return this.#meter.measured(isGated);
  }
}

const FLOAT_BYTES = 4;

function floatsOf(plane: Buffer, count: number): Float32Array {
  const bytes = count * FLOAT_BYTES;
  if (plane.byteOffset % FLOAT_BYTES === 0) return new Float32Array(plane.buffer, plane.byteOffset, count);
  return new Float32Array(new Uint8Array(plane.subarray(0, bytes)).buffer);
}

/** True where sound would be louder at its peaks than it may be. */
export function isLimited(settings: LoudnessSettings, measured: Loudness): boolean {
  return settings.isCorrected && measured.truePeak + gainFor(settings, measured) > settings.truePeakLimit;
}

/** The limiter leaves this much room for what is between its own samples, in decibels. */
const LIMITER_ROOM = 0.2;
const LIMITER_RATE = 192_000;

/** By how many decibels sound of a measured loudness is made louder, or quieter. */
export function gainFor(settings: LoudnessSettings, { integrated }: Loudness): number {
  const isCorrected = settings.isCorrected && Number.isFinite(integrated) && integrated > settings.correctionGate;
  return isCorrected ? settings.target - integrated : 0;
}

/**
 * The filters, each followed by a comma, that bring sound to its loudness: the same gain for all of it, and a limiter
 * where its peaks would be too high.
 *
 * @param extraGain decibels for what the limiter takes away
 */
export function correctionFilters(
  settings: LoudnessSettings,
  measured: Loudness,
  { rate, extraGain }: { readonly rate: number; readonly extraGain: number },
): string {
  if (!settings.isCorrected) return '';
  const gain = gainFor(settings, measured) + extraGain;
  const filters = gain === 0 ? [] : ['aformat=sample_fmts=fltp', `volume=${gain.toFixed(3)}dB:precision=float`];
  if (isLimited(settings, measured)) {
    const limit = 10 ** ((settings.truePeakLimit - LIMITER_ROOM) / 20);
    const limiter = `alimiter=limit=${limit.toFixed(6)}:attack=5:release=50:level=0:latency=1`;
    filters.push(...(rate < LIMITER_RATE ? [`aresample=${LIMITER_RATE}`, limiter, `aresample=${rate}`] : [limiter]));
  }
  return filters.map((filter) => `${filter},`).join('');
}
