import type { PredictedVideoSettings, Rational, VideoSettings } from '../video-settings.ts';
import { h264RateFactor } from './h264-options.ts';
import { h265RateFactor } from './h265-options.ts';
import { type FirstPass, RateGuide } from './rate-guide.ts';

/** What the first pass encodes with; the sizes at others follow. */
const FACTORS = { h264: 24, h265: 27 } as const;

type Predicted = VideoSettings & { readonly codec: PredictedVideoSettings };

/** True where the whole film has to be known before: its average is said, and no rate is constant. */
export function needsFirstPass(video: VideoSettings | undefined): video is Predicted {
  if (video?.codec.kind !== 'h264' && video?.codec.kind !== 'h265') return false;
  const { isMultiPass, rateControl } = video.codec;
  if (isMultiPass !== true) return false;
  return rateControl.mode === 'vbr' || (rateControl.mode === 'qvbr' && rateControl.maxAverageBitrate !== undefined);
}

/**
 * The settings of the first pass. H.264 takes the quickest that tells enough, as its second pass is corrected on the
 * way; H.265's is not, and so the passes are alike.
 */
export function firstPassSettings(video: Predicted): Predicted {
  const { codec } = video;
  const rateControl = { mode: 'factor', factor: FACTORS[codec.kind] } as const;
  if (codec.kind === 'h265') return { ...video, codec: { ...codec, rateControl } };
  return { ...video, codec: { ...codec, preset: 'veryfast', rateControl } };
}

/** What the first pass made of a picture. */
export function firstPassOf(video: Predicted, bits: readonly number[]): FirstPass {
  return { factor: FACTORS[video.codec.kind], bits };
}

/** The settings of the second pass, and what leads it. */
export function secondPass(
  video: Predicted,
  pass: FirstPass,
  framerate: Rational,
): { readonly settings: VideoSettings; readonly guide: RateGuide } {
  const { codec } = video;
  const { rateControl: control } = codec;
  const seconds = (pass.bits.length * framerate.den) / framerate.num;
  const average = control.mode === 'vbr' ? control.bitrate : averageOf(control);
  const guide = new RateGuide(pass, average * seconds, leastFactor(codec));
  const maximum = control.mode === 'vbr' ? (control.maxBitrate ?? Math.round(control.bitrate * 1.5)) : mostOf(control);
  const rateControl = { mode: 'factor', factor: guide.factor, ...(maximum > 0 && { maxBitrate: maximum }) } as const;
  const settings =
    codec.kind === 'h264'
      ? { ...video, codec: { ...codec, rateControl } }
      : { ...video, codec: { ...codec, rateControl } };
  return { settings, guide };
}

type Control = PredictedVideoSettings['rateControl'];

function averageOf(control: Control): number {
  return control.mode === 'qvbr' ? (control.maxAverageBitrate ?? control.maxBitrate) : 0;
}

function mostOf(control: Control): number {
  return control.mode === 'qvbr' ? control.maxBitrate : 0;
}

/** A quality that is asked for is not exceeded. */
function leastFactor({ kind, rateControl }: PredictedVideoSettings): number | undefined {
  if (rateControl.mode !== 'qvbr') return undefined;
  return kind === 'h264' ? h264RateFactor(rateControl.level) : h265RateFactor(rateControl.level);
}
