import type { Deinterlacing, Rational } from '../video-settings.ts';

/** Every pair of fields becomes one picture. */
export function deinterlaceSteps(deinterlacing: Deinterlacing | undefined, isInterlaced: boolean): string[] {
  if (deinterlacing === undefined) return [];
  const { method, pictures, isDetected } = deinterlacing;
  if (method === 'inverse-telecine') {
    return ['fieldmatch=order=auto:combmatch=full', 'bwdif=mode=send_frame:deint=interlaced', 'decimate'];
  }
  if (method === 'blend') {
    // Each line is mixed with those of the other field; the filter itself knows no marks.
    const isWanted = pictures === 'all' || isInterlaced;
    const planes = [0, 1, 2].map((plane) => `${plane}m='1 2 1':${plane}mode=column:${plane}rdiv=0.25`);
    return isWanted ? [`convolution=${planes.join(':')}`, 'setfield=prog'] : [];
  }
  return [...(isDetected ? ['idet'] : []), METHODS[method] + pictures];
}

const METHODS = {
  interpolate: 'bwdif=mode=send_frame:deint=',
  // Looks at several pictures for each line: what moves sideways stays whole.
  ticker: 'w3fdif=filter=complex:mode=frame:deint=',
  // One field alone, twice as high.
  linear: 'estdif=mode=frame:interp=2p:deint=',
} as const;

/** Four of five pictures are left of film that was made into video. */
export function deinterlacedRate(rate: Rational, deinterlacing: Deinterlacing | undefined): Rational {
  return deinterlacing?.method === 'inverse-telecine' ? { num: rate.num * 4, den: rate.den * 5 } : rate;
}
