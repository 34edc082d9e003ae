import type { H265Settings as H265, VideoCodecSettings, VideoDescription } from '@aws-sdk/client-mediaconvert';
import type { VideoSettings } from '#media/video-settings.ts';
import { planDeinterlacer } from './noise-plan.ts';
import { planOutputPicture } from './picture-plan.ts';
import { planScan, type Scan } from './scan-plan.ts';
import { videoCodecPlan } from './video-codec-plan.ts';

/** What every codec's settings say of rate and shape. */
type Timing = Pick<
  H265,
  | 'FramerateControl'
  | 'FramerateNumerator'
  | 'FramerateDenominator'
  | 'FramerateConversionAlgorithm'
  | 'ParControl'
  | 'ParNumerator'
  | 'ParDenominator'
> &
  Scan;

/** The settings of the codec that is used, where they say something of rate and shape. */
function timingOf(settings: VideoCodecSettings): Timing {
  const { XavcSettings: xavc, AvcIntraSettings: intra } = settings;
  const first = settings.H264Settings ?? settings.H265Settings ?? settings.Av1Settings ?? settings.Mpeg2Settings;
  const second = settings.ProresSettings ?? settings.Vp9Settings ?? settings.Vp8Settings ?? settings.Vc3Settings;
  const third = settings.UncompressedSettings ?? settings.GifSettings ?? intra;
  return first ?? second ?? third ?? { ...xavc, ...xavc?.XavcHdProfileSettings };
}

/**
 * Turns a video description into what a worker does; `undefined` for an output without picture.
 *
 * @param container of the output
 */
export function videoSettings(video: VideoDescription | undefined, container?: string): VideoSettings | undefined {
  if (video === undefined) return undefined;
  const { FrameCaptureSettings: capture, ...settings } = video.CodecSettings ?? {};
  const codec = timingOf(settings);
  const framerate =
    capture === undefined
      ? ratio(codec.FramerateControl, codec.FramerateNumerator, codec.FramerateDenominator)
      : ratio('SPECIFIED', capture.FramerateNumerator, capture.FramerateDenominator);
  const pixelAspect = ratio(codec.ParControl, codec.ParNumerator, codec.ParDenominator);
  const deinterlacer = video.VideoPreprocessors?.Deinterlacer;
  return {
    ...(video.Width !== undefined && { width: video.Width }),
    ...(video.Height !== undefined && { height: video.Height }),
    scaling: SCALING[video.ScalingBehavior ?? 'DEFAULT'] ?? 'fit-and-pad',
    scaler: scalerOf(video.Sharpness ?? 50),
    ...(framerate !== undefined && { framerate }),
    ...(pixelAspect !== undefined && { pixelAspect }),
    isColorTagged: video.ColorMetadata !== 'IGNORE',
    ...(codec.FramerateConversionAlgorithm === 'INTERPOLATE' && { rateConversion: 'blend' }),
    ...(codec.FramerateConversionAlgorithm === 'FRAMEFORMER' && { rateConversion: 'motion' }),
    ...(deinterlacer !== undefined && { deinterlace: planDeinterlacer(deinterlacer) }),
    picture: planOutputPicture(video),
    ...planScan(codec),
    codec: videoCodecPlan(video.CodecSettings ?? {}, container),
  };
}

const SCALING: Readonly<Record<string, VideoSettings['scaling']>> = {
  DEFAULT: 'fit-and-pad',
  STRETCH_TO_OUTPUT: 'stretch',
  FIT: 'fit',
  FIT_NO_UPSCALE: 'fit-no-upscale',
  FILL: 'fill',
};

/** Sharpness 0 to 100, usually 50, chooses the kernel of the scaler. */
function scalerOf(sharpness: number): VideoSettings['scaler'] {
  if (sharpness < 34) return 'bilinear';
  return sharpness > 66 ? 'lanczos' : 'bicubic';
}

function ratio(control: string | undefined, num: number | undefined, den: number | undefined) {
  return control === 'SPECIFIED' && num !== undefined && den !== undefined ? { num, den } : undefined;
}
