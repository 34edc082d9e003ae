import type { H264Settings as H264, VideoDescription } from '@aws-sdk/client-mediaconvert';
import type { H264Settings, VideoSettings } from '#media/transcode-job.ts';

/** Turns a video description into what a worker does; `undefined` for an output without picture. */
export function videoSettings(video: VideoDescription | undefined): VideoSettings | undefined {
  if (video === undefined) return undefined;
  const h264 = video.CodecSettings?.H264Settings ?? {};
  const framerate = ratio(h264.FramerateControl, h264.FramerateNumerator, h264.FramerateDenominator);
  const pixelAspect = ratio(h264.ParControl, h264.ParNumerator, h264.ParDenominator);
  return {
    ...(video.Width !== undefined && { width: video.Width }),
    ...(video.Height !== undefined && { height: video.Height }),
    scaling: SCALING[video.ScalingBehavior ?? 'DEFAULT'] ?? 'fit-and-pad',
    scaler: scalerOf(video.Sharpness ?? 50),
    ...(framerate !== undefined && { framerate }),
    ...(pixelAspect !== undefined && { pixelAspect }),
    isColorTagged: video.ColorMetadata !== 'IGNORE',
    codec: codecSettings(h264),
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

function codecSettings(h264: H264): H264Settings {
  const { gopSize, strength } = { gopSize: h264.GopSize ?? 0, strength: strengthOf(h264) };
  const isGopGiven = gopSize > 0 && h264.GopSizeUnits !== 'AUTO';
  return {
    rateControl: rateControl(h264),
    ...(h264.HrdBufferSize !== undefined && { bufferSize: h264.HrdBufferSize }),
    ...(h264.HrdBufferInitialFillPercentage !== undefined && {
      bufferInitialFill: h264.HrdBufferInitialFillPercentage,
    }),
    preset: h264.QualityTuningLevel === 'SINGLE_PASS' ? 'veryfast' : 'medium',
    ...(isGopGiven && { gop: { size: gopSize, unit: h264.GopSizeUnits === 'SECONDS' ? 'seconds' : 'frames' } }),
    ...(h264.MinIInterval !== undefined && h264.MinIInterval > 0 && { minKeyInterval: h264.MinIInterval }),
    isSceneChangeDetected: h264.SceneChangeDetect !== 'DISABLED',
    isGopOpen: h264.GopClosedCadence === 0,
    ...(h264.NumberBFramesBetweenReferenceFrames !== undefined && {
      bFrames: h264.NumberBFramesBetweenReferenceFrames,
    }),
    isBFrameCountAdaptive: h264.DynamicSubGop !== 'STATIC',
    ...(h264.GopBReference !== undefined && { areBFramesReferences: h264.GopBReference === 'ENABLED' }),
    ...(h264.NumberReferenceFrames !== undefined && { references: h264.NumberReferenceFrames }),
    ...(h264.Slices !== undefined && { slices: h264.Slices }),
    profile: PROFILES[h264.CodecProfile ?? 'MAIN'] ?? 'main',
    ...(h264.CodecLevel !== undefined && h264.CodecLevel !== 'AUTO' && { level: levelOf(h264.CodecLevel) }),
    ...(h264.EntropyEncoding !== undefined && { entropy: h264.EntropyEncoding === 'CAVLC' ? 'cavlc' : 'cabac' }),
    ...(strength !== undefined && { adaptiveQuantization: strength }),
    isTemporalAdaptive: h264.TemporalAdaptiveQuantization !== 'DISABLED',
  };
}

const PROFILES: Readonly<Record<string, H264Settings['profile']>> = {
  BASELINE: 'baseline',
  MAIN: 'main',
  HIGH: 'high',
};

/** `LEVEL_4_1` → `4.1`. */
function levelOf(level: string): string {
  const [, major = '4', minor = '0'] = level.split('_');
  return `${major}.${minor}`;
}

const STRENGTHS: Readonly<Record<string, number>> = { OFF: 0, LOW: 0.6, MEDIUM: 0.8, HIGH: 1, HIGHER: 1.2, MAX: 1.4 };

function strengthOf(h264: H264): number | undefined {
  if (h264.SpatialAdaptiveQuantization === 'DISABLED') return 0;
  return STRENGTHS[h264.AdaptiveQuantization ?? 'AUTO'];
}

function rateControl(h264: H264): H264Settings['rateControl'] {
  const bitrate = h264.Bitrate ?? 0;
  if (h264.RateControlMode === 'CBR') return { mode: 'cbr', bitrate };
  if (h264.RateControlMode === 'VBR') {
    return { mode: 'vbr', bitrate, ...(h264.MaxBitrate !== undefined && { maxBitrate: h264.MaxBitrate }) };
  }
  const { QvbrQualityLevel = 7, QvbrQualityLevelFineTune = 0 } = h264.QvbrSettings ?? {};
  return { mode: 'qvbr', level: QvbrQualityLevel + QvbrQualityLevelFineTune, maxBitrate: h264.MaxBitrate ?? 0 };
}
