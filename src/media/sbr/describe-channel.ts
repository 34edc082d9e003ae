import { type BandSignal, FRAME_SLOTS, QUARTERS } from './band-signal.ts';
import type { FrequencyBands } from './frequency-bands.ts';
import { BANDS } from './qmf-analysis.ts';
import type { ChannelFrame } from './sbr-payload.ts';

/** Decibels by which a frame's quarters differ, for two envelopes and for four. */
const CHANGE = 4;
const BURST = 9;
/** Levels count from 2 to the power of this up, noise floors down. */
const OFFSET = 6;
const LEAST_ENERGY: number = 2 ** OFFSET;
const HIGHEST_LEVELS = { fine: 60, coarse: 31 } as const;
/** Noise is at most 6 dB above the rest. */
const LOUDEST_NOISE = 4;
const FAINTEST_NOISE = 24;
/** What each way of whitening takes off the copied tones. */
const WHITENED: readonly number[] = [0, 0.4, 0.75, 0.92];

/** What a frame's high bands are, in the words of the bitstream. */
export function describeChannel(bands: FrequencyBands, signal: BandSignal): ChannelFrame {
  const envelopes = envelopeCount(bands, signal);
  const isHigh = envelopes < QUARTERS;
  const tones = isHigh ? tonesOf(bands, signal) : undefined;
  const borders = isHigh ? bands.high : bands.low;
  const quarters = QUARTERS / envelopes;
  const levels = Array.from({ length: envelopes }, (_, envelope) =>
    borders.slice(1).map((to, band) => {
      const from = borders[band] ?? 0;
      const energy = energyOf(signal, envelope * quarters, quarters, from, to);
      return levelOf(energy / (to - from), envelopes === 1);
    }),
  );
  const floor = noiseFloor(bands, signal);
  return {
    levels,
    isHigh,
    noise: envelopes === 1 ? [floor.noise] : [floor.noise, floor.noise],
    whitening: floor.whitening,
    ...(tones !== undefined && { tones }),
  };
}

/** Mean energy of a slot in some of the frame's quarters, summed over bands. */
function energyOf({ energies }: BandSignal, first: number, count: number, from: number, to: number): number {
  let sum = 0;
  for (let quarter = first; quarter < first + count; quarter++) {
    for (let band = from; band < to; band++) sum += energies[quarter * BANDS + band] as number;
  }
  return (sum * QUARTERS) / (count * FRAME_SLOTS);
}

function levelOf(energy: number, isFine: boolean): number {
  const steps = (Math.log2(Math.max(energy, LEAST_ENERGY)) - OFFSET) * (isFine ? 2 : 1);
  return Math.min(Math.round(steps), isFine ? HIGHEST_LEVELS.fine : HIGHEST_LEVELS.coarse);
}

/** 1, 2 or 4, by how much the bands change within the frame. */
function envelopeCount({ low, start, stop }: FrequencyBands, signal: BandSignal): 1 | 2 | 4 {
  const quartersOf = (from: number, to: number): number[] =>
    Array.from({ length: QUARTERS }, (_, quarter) => energyOf(signal, quarter, 1, from, to) + LEAST_ENERGY);
  let [range, step] = [0, 0];
  for (let index = 1; index < low.length; index++) {
    const quarters = quartersOf(low[index - 1] ?? 0, low[index] ?? 0);
    const [a = 1, b = 1, c = 1, d = 1] = quarters;
    range += rangeOf(quarters);
    step += Math.abs(10 * Math.log10((a + b) / (c + d)));
  }
  const bands = low.length - 1;
  // A tone on its way from one band to another changes them, but not the whole.
  if (range / bands > BURST && rangeOf(quartersOf(start, stop)) > BURST / 2) return 4;
  return step / bands > CHANGE ? 2 : 1;
}

/** Decibels between the loudest and the faintest. */
function rangeOf(energies: readonly number[]): number {
  return 10 * Math.log10(Math.max(...energies) / Math.min(...energies));
}

/** How noisy the high bands are, beside those that they are copied from. */
function noiseFloor({ noise: borders, start, origins }: FrequencyBands, signal: BandSignal) {
  const noise: number[] = [];
  const whitening: number[] = [];
  for (let index = 1; index < borders.length; index++) {
    let [energy, own, copied] = [LEAST_ENERGY, LEAST_ENERGY, LEAST_ENERGY];
    for (let band = borders[index - 1] ?? 0; band < (borders[index] ?? 0); band++) {
      const part = energyOf(signal, 0, QUARTERS, band, band + 1);
      const origin = origins[band - start] ?? -1;
      energy += part;
      own += part * (signal.noisiness[band] ?? 1);
      copied += part * (origin < 0 ? 1 : (signal.noisiness[origin] ?? 1));
    }
    const wanted = own / energy;
    const there = copied / energy;
    const lacking = wanted - there;
    const mode = lacking < 0.15 ? 0 : lacking < 0.35 ? 1 : lacking < 0.6 ? 2 : 3;
    const left = there + (1 - there) * (WHITENED[mode] ?? 0);
    const added = Math.max(0, wanted - left) / Math.max(1 - wanted, 1e-6);
    const level = Math.round(OFFSET - Math.log2(Math.max(added, 1e-9)));
    noise.push(Math.min(FAINTEST_NOISE, Math.max(LOUDEST_NOISE, level)));
    whitening.push(mode);
  }
  return { noise, whitening };
}

/** The least share of its band that a tone has, with the band beside it. */
const TONE_SHARE = 0.85;
const TONE_NOISINESS = 0.2;
/** From here on, what is copied is no tone. */
const COPIED_NOISINESS = 0.3;
/** The least share of all high bands that a tone of its own is worth. */
const WORTH = 0.002;

/** The bands in which a tone stands that is not among what is copied; undefined for none. */
function tonesOf({ high, start, stop, origins }: FrequencyBands, signal: BandSignal): boolean[] | undefined {
  const mean = (band: number): number => energyOf(signal, 0, QUARTERS, band, band + 1);
  const all = energyOf(signal, 0, QUARTERS, start, stop);
  const tones = high.slice(1).map((to, index) => {
    const from = high[index] ?? 0;
    let peak = from;
    for (let band = from + 1; band < to; band++) if (mean(band) > mean(peak)) peak = band;
    const [below, top, above] = [mean(peak - 1), mean(peak), mean(peak + 1)];
    const energy = energyOf(signal, 0, QUARTERS, from, to);
    const isWorth = energy > all * WORTH && energy > LEAST_ENERGY * 4;
    const isPeak = top >= below && top >= above && top + Math.max(below, above) > energy * TONE_SHARE;
    if (!isWorth || !isPeak || (signal.noisiness[peak] ?? 1) > TONE_NOISINESS) return false;
    const origin = origins[peak - start] ?? -1;
    return origin < 0 || (signal.noisiness[origin] ?? 1) > COPIED_NOISINESS || mean(origin) < energy * WORTH;
  });
  return tones.includes(true) ? tones : undefined;
}
