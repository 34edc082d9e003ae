import type { StereoGrid } from './stereo-data.ts';

/** Bits a second from which on stereo is told of 20 bands, and from which on in fine steps. */
const ALL_BANDS = 24_000;
const FINE_STEPS = 32_000;

/** How finely stereo is told, by the bits a second of all. */
export function gridFor(bitrate: number): StereoGrid {
  return { bands: bitrate < ALL_BANDS ? 10 : 20, isFine: bitrate >= FINE_STEPS };
}
