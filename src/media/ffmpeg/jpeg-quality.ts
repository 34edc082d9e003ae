/** FFmpeg's JPEG quantiser goes from 1 (best) to 31. */
const COARSEST = 31;
const FINEST = 1;
/** FFmpeg takes a quantiser in units of its lambda. */
const LAMBDA = 118;

/** The encoder's options with which the best quality can be reached. */
export const JPEG_OPTIONS: Readonly<Record<string, number>> = { qmin: FINEST };

/**
 * Quality 1 to 100 → quantiser, in FFmpeg's lambda. Along this line 50 to 100 come out about as with libjpeg, whose
 * tables shrink in proportion; below 25 libjpeg's grow faster than FFmpeg's can.
 */
export function jpegLambda(quality: number): number {
  return (COARSEST - Math.round(((COARSEST - FINEST) * (quality - 1)) / 99)) * LAMBDA;
}
