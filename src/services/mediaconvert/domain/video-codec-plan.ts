import type {
  Av1Settings as Av1,
  FrameCaptureSettings,
  H264Settings as H264,
  H265Settings as H265,
  VideoCodecSettings as CodecSettings,
} from '@aws-sdk/client-mediaconvert';
import type {
  Av1Settings,
  H264Settings,
  H265Settings,
  JpegSettings,
  PredictedPictureSettings,
  VideoCodecSettings,
} from '#media/video-settings.ts';
import { otherCodecPlan } from './other-codec-plan.ts';

/** @param container of the output */
export function videoCodecPlan(settings: CodecSettings, container: string | undefined): VideoCodecSettings {
  if (settings.Codec === 'PASSTHROUGH') return { kind: 'passthrough' };
  if (settings.FrameCaptureSettings !== undefined) return jpegSettings(settings.FrameCaptureSettings);
  if (settings.Av1Settings !== undefined) return av1Settings(settings.Av1Settings);
  if (settings.H265Settings !== undefined) return h265Settings(settings.H265Settings, container);
  if (settings.H264Settings !== undefined) return h264Settings(settings.H264Settings);
  return otherCodecPlan(settings);
}

function av1Settings(av1: Av1): Av1Settings {
  const { GopSize: gop = 0, NumberBFramesBetweenReferenceFrames: bFrames, Slices: slices = 1 } = av1;
  const strength = av1Strength(av1);
  const { QvbrQualityLevel = 7, QvbrQualityLevelFineTune = 0 } = av1.QvbrSettings ?? {};
  return {
    kind: 'av1',
    rateControl: { mode: 'qvbr', level: QvbrQualityLevel + QvbrQualityLevelFineTune, maxBitrate: av1.MaxBitrate ?? 0 },
    ...(gop > 0 && { gop: { size: gop, unit: 'frames' } }),
    ...((bFrames === 3 || bFrames === 7 || bFrames === 15) && { bFrames }),
    bitDepth: av1.BitDepth === 'BIT_10' ? 10 : 8,
    ...(slices > 1 && { tileColumnsLog2: Math.log2(slices) }),
    ...(strength !== undefined && { adaptiveQuantization: strength }),
  };
}

const AV1_STRENGTHS = { OFF: 0, LOW: 1, MEDIUM: 2, HIGH: 3, HIGHER: 4, MAX: 4 } as const;

function av1Strength(av1: Av1): Av1Settings['adaptiveQuantization'] {
  if (av1.SpatialAdaptiveQuantization === 'DISABLED') return 0;
  return av1.AdaptiveQuantization === undefined ? undefined : AV1_STRENGTHS[av1.AdaptiveQuantization];
}

function jpegSettings({ Quality: quality = 80, MaxCaptures: most }: FrameCaptureSettings): JpegSettings {
  return { kind: 'jpeg', quality, ...(most !== undefined && { maxPictures: most }) };
}

function h264Settings(h264: H264): H264Settings {
  return {
    kind: 'h264',
    ...predictedSettings(h264),
    profile: PROFILES[h264.CodecProfile ?? 'MAIN'] ?? 'main',
    bitDepth: h264.CodecProfile?.endsWith('10BIT') === true ? 10 : 8,
    ...(h264.WriteMp4PackagingType === 'AVC3' && { tag: 'avc3' }),
    ...(h264.EntropyEncoding !== undefined && { entropy: h264.EntropyEncoding === 'CAVLC' ? 'cavlc' : 'cabac' }),
  };
}

/** In MP4 the service writes `hev1` where nothing is said; QuickTime's players know `hvc1` alone. */
function h265Settings(h265: H265, container: string | undefined): H265Settings {
  const name = h265.CodecProfile ?? 'MAIN_MAIN';
  return {
    kind: 'h265',
    ...predictedSettings(h265),
    profile: name.startsWith('MAIN_422') ? 'main422-10' : name.startsWith('MAIN10') ? 'main10' : 'main',
    bitDepth: name.startsWith('MAIN10') || name.includes('10BIT') ? 10 : 8,
    tier: name.endsWith('HIGH') ? 'high' : 'main',
    isDeblocked: h265.Deblocking !== 'DISABLED',
    isSampleOffsetAdaptive: h265.SampleAdaptiveOffsetFilterMode !== 'OFF',
    ...(h265.TreeBlockSize === 'TREE_SIZE_32X32' && { treeBlockSize: 32 }),
    ...(h265.TemporalIds === 'ENABLED' && { areTemporalLayersWritten: true }),
    ...(h265.AlternateTransferFunctionSei === 'ENABLED' && { isHlgSignalled: true }),
    isMotionPredictedOverTime: h265.MvTemporalPredictor !== 'DISABLED',
    tag: (h265.WriteMp4PackagingType ?? (container === 'MOV' ? 'HVC1' : 'HEV1')) === 'HVC1' ? 'hvc1' : 'hev1',
  };
}

function predictedSettings(codec: H264 | H265): PredictedPictureSettings {
  const { gopSize, strength } = { gopSize: codec.GopSize ?? 0, strength: strengthOf(codec) };
  const { GopClosedCadence: cadence = 1 } = codec;
  const isGopGiven = gopSize > 0 && codec.GopSizeUnits !== 'AUTO';
  return {
    rateControl: rateControl(codec),
    ...(codec.HrdBufferSize !== undefined && { bufferSize: codec.HrdBufferSize }),
    ...(codec.HrdBufferInitialFillPercentage !== undefined && {
      bufferInitialFill: codec.HrdBufferInitialFillPercentage,
    }),
    preset: PRESETS[codec.QualityTuningLevel ?? 'SINGLE_PASS_HQ'] ?? 'medium',
    ...(codec.QualityTuningLevel === 'MULTI_PASS_HQ' && { isMultiPass: true }),
    ...(isGopGiven && { gop: { size: gopSize, unit: codec.GopSizeUnits === 'SECONDS' ? 'seconds' : 'frames' } }),
    ...(codec.MinIInterval !== undefined && codec.MinIInterval > 0 && { minKeyInterval: codec.MinIInterval }),
    isSceneChangeDetected: codec.SceneChangeDetect !== 'DISABLED',
    isGopOpen: cadence === 0 || cadence > 1,
    ...(cadence > 1 && { closedGopEvery: cadence }),
    ...(codec.FlickerAdaptiveQuantization === 'ENABLED' && { isFlickerReduced: true }),
    ...(codec.SceneChangeDetect === 'TRANSITION_DETECTION' && { areTransitionsDetected: true }),
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

/** The encoders' names for how much time they take. */
const PRESETS: Readonly<Record<string, PredictedPictureSettings['preset']>> = {
  SINGLE_PASS: 'veryfast',
  SINGLE_PASS_HQ: 'medium',
  MULTI_PASS_HQ: 'slow',
};

const PROFILES: Readonly<Record<string, H264Settings['profile']>> = {
  BASELINE: 'baseline',
  MAIN: 'main',
  HIGH: 'high',
  HIGH_10BIT: 'high10',
  HIGH_422: 'high422',
  HIGH_422_10BIT: 'high422',
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
  const { QvbrQualityLevel = 7, QvbrQualityLevelFineTune = 0, MaxAverageBitrate: average } = codec.QvbrSettings ?? {};
  return {
    mode: 'qvbr',
    level: QvbrQualityLevel + QvbrQualityLevelFineTune,
    maxBitrate: codec.MaxBitrate ?? 0,
    ...(average !== undefined && { maxAverageBitrate: average }),
  };
}
