/** How the spectrum above the core's is divided. All borders are bands of the 64-band filter bank. */
export interface FrequencyBands {
  /** `bs_start_freq` and `bs_stop_freq`. */
  readonly startIndex: number;
  readonly stopIndex: number;
  /** The first band that is replicated. */
  readonly start: number;
  /** The first band above all. */
  readonly stop: number;
  /** Borders of the envelope's bands at the higher resolution, at the lower one, and of the noise floor's. */
  readonly high: readonly number[];
  readonly low: readonly number[];
  readonly noise: readonly number[];
  /** For each replicated band, from `start` on, the band below that it is copied from; -1 for none. */
  readonly origins: readonly number[];
}

/** Added to the least start, by `bs_start_freq`. Source: ISO/IEC 14496-3, 4.6.18.3.2.1. */
const START_OFFSETS: readonly { readonly upTo: number; readonly offsets: readonly number[] }[] = [
  { upTo: 16_000, offsets: [-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7] },
  { upTo: 22_050, offsets: [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13] },
  { upTo: 24_000, offsets: [-5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16] },
  { upTo: 32_000, offsets: [-6, -4, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16] },
  { upTo: 64_000, offsets: [-4, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20] },
  { upTo: 192_000, offsets: [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20, 24] },
];

const ALL = 64;
/** Of the whole scale, in two regions: the standard's own, which a header need not say. */
const BANDS_PER_HALF_OCTAVE = 5;
const UPPER_WARP = 1.3;
const NOISE_BANDS_PER_OCTAVE = 2;
const MAX_NOISE_BANDS = 5;
const MAX_PATCHES = 5;
const HIGHEST_START = 32;

/** Where replication may start, by `bs_start_freq`. */
function startBand(sampleRate: number, index: number): number {
  const offsets = START_OFFSETS.find(({ upTo }) => sampleRate <= upTo)?.offsets ?? [];
  return Math.round((128 * leastStartHz(sampleRate)) / sampleRate) + (offsets[index] ?? 0);
}

function leastStartHz(sampleRate: number): number {
  return sampleRate < 32_000 ? 3000 : sampleRate < 64_000 ? 4000 : 5000;
}

/** Where it may stop, by `bs_stop_freq` up to 13. */
function stopBand(sampleRate: number, index: number): number {
  const least = Math.round((256 * leastStartHz(sampleRate)) / sampleRate);
  const widths = geometric(least, ALL, 13);
  return Math.min(ALL, least + widths.slice(0, index).reduce((sum, width) => sum + width, 0));
}

/** @returns undefined where the standard has no such division */
export function frequencyBands(sampleRate: number, startIndex: number, stopIndex: number): FrequencyBands | undefined {
  const start = startBand(sampleRate, startIndex);
  const stop = stopBand(sampleRate, stopIndex);
  const most = sampleRate <= 32_000 ? 48 : sampleRate <= 44_100 ? 35 : 32;
  if (start < 1 || start > HIGHEST_START || stop <= start || stop - start > most) return undefined;
  const high = masterBorders(start, stop);
  if (high === undefined) return undefined;
  const odd = (high.length - 1) & 1;
  const low = high.filter((_, index) => index === 0 || index % 2 === odd);
  const noise = noiseBorders(low, stop / start);
  const origins = patchOrigins(sampleRate, start, high);
  if (noise === undefined || origins === undefined) return undefined;
  return { startIndex, stopIndex, start, stop, high, low, noise, origins };
}

/** Widths of bands that grow by a constant factor, smallest first. */
function geometric(from: number, to: number, count: number): number[] {
  const borders = Array.from({ length: count + 1 }, (_, index) => Math.round(from * (to / from) ** (index / count)));
  return borders
    .slice(1)
    .map((border, index) => border - (borders[index] ?? 0))
    .sort((a, b) => a - b);
}

function masterBorders(start: number, stop: number): number[] | undefined {
  const isSplit = stop / start > 110 / 49;
  const middle = isSplit ? 2 * start : stop;
  const lower = geometric(start, middle, 2 * Math.round(BANDS_PER_HALF_OCTAVE * Math.log2(middle / start)));
  if (lower.length === 0) return undefined;
  const upper = isSplit
    ? geometric(middle, stop, 2 * Math.round((BANDS_PER_HALF_OCTAVE / UPPER_WARP) * Math.log2(stop / middle)))
    : [];
  const widest = lower.at(-1) ?? 0;
  const [first, last] = [upper[0], upper.at(-1)];
  if (first !== undefined && last !== undefined && first < widest) {
    const change = Math.min(widest - first, (last - first) >> 1);
    upper[0] = first + change;
    upper[upper.length - 1] = last - change;
    upper.sort((a, b) => a - b);
  }
  const widths = [...lower, ...upper];
  if (widths.some((width) => width < 1)) return undefined;
  const borders = [start];
  for (const width of widths) borders.push((borders.at(-1) ?? 0) + width);
  return borders;
}

function noiseBorders(low: readonly number[], span: number): number[] | undefined {
  const count = Math.max(1, Math.round(NOISE_BANDS_PER_OCTAVE * Math.log2(span)));
  if (count > MAX_NOISE_BANDS || count > low.length - 1) return undefined;
  const borders = [low[0] ?? 0];
  let at = 0;
  for (let left = count; left > 0; left--) {
    at += Math.floor((low.length - 1 - at) / left);
    borders.push(low[at] ?? 0);
  }
  return borders;
}

/** Which bands a decoder copies where (ISO/IEC 14496-3, 4.6.18.6.3). */
function patchOrigins(sampleRate: number, start: number, borders: readonly number[]): number[] | undefined {
  const stop = borders.at(-1) ?? 0;
  const goal = Math.round(2_048_000 / sampleRate);
  const last = borders.length - 1;
  let upTo = goal < stop ? borders.findIndex((border) => border >= goal) : last;
  let source = start;
  let reached = start;
  let end = 0;
  const patches: { readonly from: number; readonly count: number }[] = [];
  // Each round takes the highest border that what is there already can fill.
  for (let round = 0; round < 2 * MAX_PATCHES && end !== stop; round++) {
    let index = upTo;
    let odd = 0;
    for (; index >= 0; index--) {
      end = borders[index] ?? 0;
      odd = (end + start) & 1;
      if (end <= start - 1 + source - odd) break;
    }
    const count = Math.max(end - reached, 0);
    if (count > 0) {
      patches.push({ from: start - odd - count, count });
      reached = end;
      source = end;
    } else {
      source = start;
    }
    if ((borders[upTo] ?? 0) - end < 3) upTo = last;
  }
  if (end !== stop || patches.length > MAX_PATCHES) return undefined;
  if (patches.length > 1 && (patches.at(-1)?.count ?? 0) < 3) patches.pop();
  if (patches.some(({ from }) => from < 1)) return undefined;
  const origins = patches.flatMap(({ from, count }) => Array.from({ length: count }, (_, index) => from + index));
  while (origins.length < stop - start) origins.push(-1);
  return origins;
}
