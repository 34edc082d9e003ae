import type { InputCleaning, NoiseReduction } from '../picture-settings.ts';

/** What an output does against noise, in FFmpeg's filters. Nothing where the strength is 0. */
export function noiseSteps(noise: NoiseReduction | undefined): string[] {
  if (noise === undefined || noise.strength === 0) return [];
  const { strength } = noise;
  switch (noise.kind) {
    case 'bilateral':
      return [`bilateral=sigmaS=${1 + strength}:sigmaR=${strength * 0.05}:planes=7`];
    case 'mean':
      return [`avgblur=sizeX=${strength}`];
    case 'gaussian':
      return [`gblur=sigma=${strength * 0.5}`];
    case 'lanczos':
      return ['row', 'column'].map((mode) => lanczos(strength, mode));
    case 'sharpen':
      return [sharpen(strength * 0.4)];
    case 'conserve':
      // The nth mode holds a sample between the nth smallest and largest of its neighbours.
      return [`removegrain=m0=${strength}:m1=${strength}:m2=${strength}`];
    case 'spatial':
      return [
        `fftdnoiz=sigma=${strength}:overlap=${SPATIAL_OVERLAPS[noise.speed] ?? 0.5}`,
        ...(noise.sharpening > 0 ? [sharpen(noise.sharpening * 0.3)] : []),
      ];
    case 'temporal': {
      const threshold = (0.02 + (strength / 16) * 0.15) * (1 + noise.aggressiveness / 4);
      const limits = [0, 1, 2].map(
        (plane) => `${plane}a=${threshold.toFixed(4)}:${plane}b=${(2 * threshold).toFixed(4)}`,
      );
      return [
        `atadenoise=${limits.join(':')}:s=${TEMPORAL_PICTURES[noise.speed] ?? 9}`,
        ...(noise.sharpening > 0 ? [sharpen(noise.sharpening)] : []),
      ];
    }
  }
}

/** How much of a block is looked at twice, by speed. */
const SPATIAL_OVERLAPS: Readonly<Record<number, number>> = { [-2]: 0.8, [-1]: 0.65, 0: 0.5, 1: 0.4, 2: 0.3, 3: 0.2 };
/** How many pictures are compared, by speed. */
const TEMPORAL_PICTURES: Readonly<Record<number, number>> = { [-1]: 13, 0: 9, 1: 7, 2: 5, 3: 5 };

function sharpen(amount: number): string {
  return `unsharp=luma_msize_x=5:luma_msize_y=5:luma_amount=${amount.toFixed(2)}`;
}

const TAPS = 7;
const LOBES = 3;

/** A low pass of Lanczos' form, in one direction. The stronger, the less of the high frequencies is left. */
function lanczos(strength: number, mode: string): string {
  const cutoff = 1 + strength / 3;
  const taps = Array.from({ length: TAPS }, (_, index) => {
    const x = (index - (TAPS - 1) / 2) / cutoff;
    return Math.round(1000 * sinc(x) * sinc(x / LOBES));
  });
  const scale = 1 / taps.reduce((sum, tap) => sum + tap, 0);
  const planes = [0, 1, 2].map((plane) => `${plane}m='${taps.join(' ')}':${plane}mode=${mode}:${plane}rdiv=${scale}`);
  return `convolution=${planes.join(':')}`;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** What is done to all of an input's pictures against its own compression. */
export function cleaningSteps(cleaning: InputCleaning | undefined): string[] {
  if (cleaning === undefined) return [];
  const { strength, isDeblocked, isDenoised } = cleaning;
  const [alpha, beta] = [0.04 + 0.03 * strength, 0.02 + 0.015 * strength];
  const deblock = `deblock=filter=${strength > 2 ? 'strong' : 'weak'}:block=8:alpha=${alpha}:beta=${beta}:gamma=${beta}:delta=${beta}`;
  return [...(isDeblocked ? [deblock] : []), ...(isDenoised ? [`hqdn3d=luma_spatial=${strength * 2}`] : [])];
}
