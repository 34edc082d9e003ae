import { type FrequencyBands, frequencyBands } from './frequency-bands.ts';

/** Up to which frequency the core is to reach, by bits a second of each channel; the last one for all above. */
const CROSSOVERS: readonly { readonly upTo: number; readonly hz: number }[] = [
  { upTo: 8000, hz: 3600 },
  { upTo: 12_000, hz: 4500 },
  { upTo: 16_000, hz: 5300 },
  { upTo: 20_000, hz: 6400 },
  { upTo: 24_000, hz: 7500 },
  { upTo: 32_000, hz: 8700 },
  { upTo: Number.POSITIVE_INFINITY, hz: 10_000 },
];
/** Nothing is replicated above. */
const HIGHEST_HZ = 18_000;
/** Of the sample rate. */
const HIGHEST_SHARE = 0.46;
const INDEXES: readonly number[] = Array.from({ length: 16 }, (_, index) => index);
const LAST_STOP = 13;
/** Of the 32 bands that the core has, its resampler rounds off the last ones. */
const HIGHEST_START = 29;

/**
 * Where the core ends and how far replication goes, for a bitrate.
 *
 * @throws RangeError where there is no division for the sample rate
 */
export function chooseBands(sampleRate: number, bitrate: number, channels: number): FrequencyBands {
  const each = bitrate / channels;
  const crossover = CROSSOVERS.find(({ upTo }) => each <= upTo)?.hz ?? 0;
  const highest = Math.min(HIGHEST_HZ, HIGHEST_SHARE * sampleRate);
  const hzOf = (band: number): number => (band * sampleRate) / 128;
  const all = INDEXES.flatMap((start) =>
    INDEXES.slice(0, LAST_STOP + 1).flatMap((stop) => frequencyBands(sampleRate, start, stop) ?? []),
  );
  const distance = ({ start, stop }: FrequencyBands): number =>
    Math.abs(hzOf(start) - crossover) + Math.abs(hzOf(stop) - highest) / 2;
  const [best] = all.filter(({ start }) => start <= HIGHEST_START).sort((a, b) => distance(a) - distance(b));
  if (best === undefined) throw new RangeError(`There is no replication at ${sampleRate} Hz.`);
  return best;
}
