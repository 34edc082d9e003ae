import type { PredictedPictureSettings, Rational } from '../video-settings.ts';

/** The frames of a GOP. */
export function gopFrames(settings: Pick<PredictedPictureSettings, 'gop'>, framerate: Rational): number {
  const rate = framerate.num / framerate.den;
  const gop = settings.gop ?? { size: 2, unit: 'seconds' };
  return Math.max(1, Math.round(gop.unit === 'frames' ? gop.size : gop.size * rate));
}

/** x264's and x265's own option for the buffer's first filling. */
export function bufferFill({ bufferInitialFill }: PredictedPictureSettings): Record<string, string | number> {
  return bufferInitialFill === undefined ? {} : { 'vbv-init': bufferInitialFill / 100 };
}

/**
 * FFmpeg's options for the rate control.
 *
 * @param rateFactor of a quality level from 1 to 10
 */
export function rateOptions(
  settings: PredictedPictureSettings,
  rateFactor: (level: number) => number,
): Record<string, string | number> {
  const control = settings.rateControl;
  switch (control.mode) {
    case 'cbr': {
      const { bitrate } = control;
      return { b: bitrate, maxrate: bitrate, minrate: bitrate, bufsize: settings.bufferSize ?? bitrate * 2 };
    }
    case 'vbr': {
      const maximum = control.maxBitrate ?? Math.round(control.bitrate * 1.5);
      return { b: control.bitrate, maxrate: maximum, bufsize: settings.bufferSize ?? maximum * 2 };
    }
    case 'factor': {
      const { factor, maxBitrate: most } = control;
      const limits = most === undefined ? {} : { maxrate: most, bufsize: settings.bufferSize ?? most * 2 };
      return { crf: factor, ...limits };
    }
    case 'qvbr':
      return {
        crf: rateFactor(control.level),
        maxrate: control.maxBitrate,
        bufsize: settings.bufferSize ?? control.maxBitrate * 2,
      };
  }
}
