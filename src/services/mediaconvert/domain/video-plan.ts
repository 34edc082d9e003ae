import type {
  Deinterlacer,
  FrameCaptureSettings,
  H264Settings as H264,
  H265Settings as H265,
  VideoDescription,
} from '@aws-sdk/client-mediaconvert';
import type {
  H264Settings,
  H265Settings,
  JpegSettings,
  PredictedPictureSettings,
  VideoSettings,
} from '#media/transcode-job.ts';

/**
 * Turns a video description into what a worker does; `undefined` for an output without picture.
 *
 * @param container of the output
 */
export function videoSettings(video: VideoDescription | undefined, container?: string): VideoSettings | undefined {
  if (video === undefined) return undefined;
  const { H264Settings: h264 = {}, H265Settings: h265 = {}, FrameCaptureSettings: capture } = video.CodecSettings ?? {};
  const isH265 = video.CodecSettings?.Codec === 'H_265';
  const codec = isH265 ? h265 : h264;
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
    ...(deinterlacer !== undefined && { deinterlace: planDeinterlacer(deinterlacer) }),
    codec: capture !== undefined ? jpegSettings(capture) : isH265 ? h265Settings(h265, container) : h264Settings(h264),
  };
}

function jpegSettings({ Quality: quality = 80, MaxCaptures: most }: FrameCaptureSettings): JpegSettings {
  return { kind: 'jpeg', quality, ...(most !== undefined && { maxPictures: most }) };
}

function planDeinterlacer({ Mode: mode, Control: control }: Deinterlacer): NonNullable<VideoSettings['deinterlace']> {
  return { pictures: control === 'FORCE_ALL_FRAMES' ? 'all' : 'interlaced', isDetected: mode === 'ADAPTIVE' };
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

function h264Settings(h264: H264): H264Settings {
  return {
    kind: 'h264',
    ...predictedSettings(h264),
    profile: PROFILES[h264.CodecProfile ?? 'MAIN'] ?? 'main',
    ...(h264.EntropyEncoding !== undefined && { entropy: h264.EntropyEncoding === 'CAVLC' ? 'cavlc' : 'cabac' }),
  };
}

/** In MP4 the service writes `hev1` where nothing is said; QuickTime's players know `hvc1` alone. */
function h265Settings(h265: H265, container: string | undefined): H265Settings {
  const [profile, tier] = (h265.CodecProfile ?? 'MAIN_MAIN').split('_');
  return {
    kind: 'h265',
    ...predictedSettings(h265),
    profile: profile === 'MAIN10' ? 'main10' : 'main',
    tier: tier === 'HIGH' ? 'high' : 'main',
    isDeblocked: h265.Deblocking !== 'DISABLED',
    isSampleOffsetAdaptive: h265.SampleAdaptiveOffsetFilterMode !== 'OFF',
    ...(h265.TreeBlockSize === 'TREE_SIZE_32X32' && { treeBlockSize: 32 }),
    isMotionPredictedOverTime: h265.MvTemporalPredictor !== 'DISABLED',
    tag: (h265.WriteMp4PackagingType ?? (container === 'MOV' ? 'HVC1' : 'HEV1')) === 'HVC1' ? 'hvc1' : 'hev1',
  };
}

function predictedSettings(codec: H264 | H265): PredictedPictureSettings {
  const { gopSize, strength } = { gopSize: codec.GopSize ?? 0, strength: strengthOf(codec) };
  const isGopGiven = gopSize > 0 && codec.GopSizeUnits !== 'AUTO';
  return {
    rateControl: rateControl(codec),
    ...(codec.HrdBufferSize !== undefined && { bufferSize: codec.HrdBufferSize }),
    ...(codec.HrdBufferInitialFillPercentage !== undefined && {
      bufferInitialFill: codec.HrdBufferInitialFillPercentage,
    }),
    preset: codec.QualityTuningLevel === 'SINGLE_PASS' ? 'veryfast' : 'medium',
    ...(isGopGiven && { gop: { size: gopSize, unit: codec.GopSizeUnits === 'SECONDS' ? 'seconds' : 'frames' } }),
    ...(codec.MinIInterval !== undefined && codec.MinIInterval > 0 && { minKeyInterval: codec.MinIInterval }),
    isSceneChangeDetected: codec.SceneChangeDetect !== 'DISABLED',
    isGopOpen: codec.GopClosedCadence === 0,
    ...(codec.NumberBFramesBetweenReferenceFrames !== undefined && {
      bFrames: codec.NumberBFramesBetweenReferenceFrames,
    }),
    isBFrameCountAdaptive: codec.DynamicSubGop !== 'STATIC',
    ...(codec.GopBReference !== undefined && { areBFramesReferences: codec.GopBReference === 'ENABLED' }),
    ...(codec.NumberReferenceFrames !== undefined && { references: codec.NumberReferenceFrames }),
    ...(codec.Slices !== undefined && { slices: codec.Slices }),
    ...(codec.CodecLevel !== undefined && codec.CodecLevel !== 'AUTO' && { level: levelOf(codec.CodecLevel) }),
    ...(strength !== undefined && { adaptiveQuantization: strength }),
    isTemporalAdaptive: codec.TemporalAdaptiveQuantization !== 'DISABLED',
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

function strengthOf(codec: H264 | H265): number | undefined {
  if (codec.SpatialAdaptiveQuantization === 'DISABLED') return 0;
  return STRENGTHS[codec.AdaptiveQuantization ?? 'AUTO'];
}

function rateControl(codec: H264 | H265): PredictedPictureSettings['rateControl'] {
  const bitrate = codec.Bitrate ?? 0;
  if (codec.RateControlMode === 'CBR') return { mode: 'cbr', bitrate };
  if (codec.RateControlMode === 'VBR') {
    return { mode: 'vbr', bitrate, ...(codec.MaxBitrate !== undefined && { maxBitrate: codec.MaxBitrate }) };
  }
  const { QvbrQualityLevel = 7, QvbrQualityLevelFineTune = 0 } = codec.QvbrSettings ?? {};
  return { mode: 'qvbr', level: QvbrQualityLevel + QvbrQualityLevelFineTune, maxBitrate: codec.MaxBitrate ?? 0 };
}
