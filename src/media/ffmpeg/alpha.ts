import type { InputPicture } from '../picture-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';

/**
 * Makes a picture's transparency the picture: what is opaque is white.
 *
 * @throws TranscodeError 1040 where the input has none
 */
export function alphaSteps({ isAlphaShown }: InputPicture, pixelFormat: string): string[] {
  if (isAlphaShown !== true) return [];
  if (/^(yuva|gbrap|rgba|bgra|argb|abgr|ya\d|pal8)/.test(pixelFormat)) {
    return [
      'format=rgba',
      'alphaextract',
      'setparams=range=pc:colorspace=bt709',
      'scale=out_range=tv',
      'format=yuv420p',
    ];
  }
  throw new TranscodeError(ERROR_CODES.settingsDoNotFit, `The input's pictures [${pixelFormat}] have no alpha channel`);
}
