import { KWeighting } from './k-weighting.ts';
import { TruePeak } from './true-peak.ts';

/** What was measured. */
export interface Loudness {
  /** LKFS of the whole; minus infinity for silence. */
  readonly integrated: number;
  /** LKFS of the loudest 400 ms. */
  readonly loudest: number;
  /** dBTP. */
  readonly truePeak: number;
}

/** Steps of 100 ms; a block is four of them, and begins with each. */
const STEPS_PER_SECOND = 10;
const STEPS_PER_BLOCK = 4;
const ABSOLUTE_GATE = -70;
const RELATIVE_GATE = -10;

const SURROUND = 1.41;
/** How much each channel counts, by the number of channels in their usual order; low-frequency effects do not. */
const WEIGHTS: Readonly<Record<number, readonly number[]>> = {
  3: [1, 1, 0],
  5: [1, 1, 1, SURROUND, SURROUND],
  6: [1, 1, 1, 0, SURROUND, SURROUND],
  7: [1, 1, 1, 0, 1, SURROUND, SURROUND],
  8: [1, 1, 1, 0, 1, 1, SURROUND, SURROUND],
};

/** Measures the loudness of sound (ITU-R BS.1770). */
export class LoudnessMeter {
  readonly #channels: readonly { readonly weight: number; readonly filter: KWeighting; readonly peak: TruePeak }[];
  readonly #stepSamples: number;
  readonly #blocks: number[] = [];
  readonly #steps: number[] = [];
  #energy = 0;
  #samples = 0;
  #totalEnergy = 0;
  #totalSamples = 0;

  constructor(rate: number, channels: number) {
    this.#stepSamples = Math.round(rate / STEPS_PER_SECOND);
    this.#channels = Array.from({ length: channels }, (_, index) => ({
      weight: WEIGHTS[channels]?.[index] ?? 1,
      filter: new KWeighting(rate),
      peak: new TruePeak(),
    }));
  }

  /** @param planes the samples of each channel, equally many */
  add(planes: readonly Float32Array[]): void {
    const length = planes[0]?.length ?? 0;
    for (let at = 0; at < length; ) {
      const to = Math.min(length, at + this.#stepSamples - this.#samples);
      for (const [index, { weight, filter }] of this.#channels.entries()) {
        const plane = planes[index];
        if (plane !== undefined && weight > 0) this.#energy += weight * filter.energyOf(plane, at, to);
      }
      this.#samples += to - at;
      at = to;
      if (this.#samples === this.#stepSamples) this.#endStep();
    }
    for (const [index, { peak }] of this.#channels.entries()) {
      const plane = planes[index];
      if (plane !== undefined) peak.add(plane);
    }
  }

  /** @param isGated leaves quiet passages out, as all versions but the first do */
  measured(isGated: boolean): Loudness {
    const peak = Math.max(0, ...this.#channels.map((channel) => channel.peak.peak));
    const energy = this.#totalEnergy + this.#energy;
    const samples = this.#totalSamples + this.#samples;
    const whole = samples === 0 ? 0 : energy / samples;
    return {
      integrated: lkfs(isGated ? gatedMean(this.#blocks) : whole),
      loudest: lkfs(this.#blocks.reduce((most, block) => Math.max(most, block), 0)),
      truePeak: 20 * Math.log10(peak),
    };
  }

  #endStep(): void {
    this.#totalEnergy += this.#energy;
    this.#totalSamples += this.#samples;
    this.#steps.push(this.#energy / this.#samples);
    this.#energy = 0;
    this.#samples = 0;
    if (this.#steps.length < STEPS_PER_BLOCK) return;
    this.#blocks.push(mean(this.#steps));
    this.#steps.shift();
  }
}

function gatedMean(blocks: readonly number[]): number {
  const audible = blocks.filter((block) => lkfs(block) > ABSOLUTE_GATE);
  const gate = lkfs(mean(audible)) + RELATIVE_GATE;
  return mean(audible.filter((block) => lkfs(block) > gate));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function lkfs(energy: number): number {
  return -0.691 + 10 * Math.log10(energy);
}
