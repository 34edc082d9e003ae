import type {
  Mpeg2Settings as Mpeg2,
  ProresSettings as Prores,
  VideoCodecSettings as CodecSettings,
  Vp8Settings,
  Vp9Settings,
  XavcSettings as Xavc,
} from '@aws-sdk/client-mediaconvert';
import type {
  AvcIntraSettings,
  Mpeg2Settings,
  OtherVideoSettings,
  ProresSettings,
  VpxSettings,
} from '#media/other-video-settings.ts';
import type { H264Settings } from '#media/video-settings.ts';

/** The plan of the codecs of production, of older players and of web pages. */
export function otherCodecPlan(settings: CodecSettings): OtherVideoSettings | H264Settings {
  const { Vc3Settings: vc3, AvcIntraSettings: intra } = settings;
  if (settings.Mpeg2Settings !== undefined) return planMpeg2(settings.Mpeg2Settings);
  if (settings.Vp8Settings !== undefined) return planVpx('vp8', settings.Vp8Settings);
  if (settings.Vp9Settings !== undefined) return planVpx('vp9', settings.Vp9Settings);
  if (settings.ProresSettings !== undefined) return planProres(settings.ProresSettings);
  if (vc3 !== undefined) {
    const isDeep = vc3.Vc3Class === 'CLASS_220_10BIT';
    return { kind: 'vc3', vc3Class: vc3.Vc3Class === 'CLASS_145_8BIT' ? 145 : 220, bitDepth: isDeep ? 10 : 8 };
  }
  if (intra !== undefined) return { kind: 'avc-intra', avcClass: CLASSES[intra.AvcIntraClass ?? ''] ?? 100 };
  if (settings.XavcSettings !== undefined) return planXavc(settings.XavcSettings);
  if (settings.UncompressedSettings !== undefined) {
    const sampling = SAMPLINGS[settings.UncompressedSettings.Fourcc ?? 'I420'] ?? '420';
    return { kind: 'uncompressed', sampling };
  }
  return { kind: 'gif' };
}

const CLASSES: Readonly<Record<string, AvcIntraSettings['avcClass']>> = {
  CLASS_50: 50,
  CLASS_100: 100,
  CLASS_200: 200,
  CLASS_300: 300,
  CLASS_480: 480,
};

const SAMPLINGS = { I420: '420', I422: '422', I444: '444' } as const;

const MPEG2_LEVELS: Readonly<Record<string, NonNullable<Mpeg2Settings['level']>>> = {
  LOW: 'low',
  MAIN: 'main',
  HIGH1440: 'high1440',
  HIGH: 'high',
};

function planMpeg2(mpeg2: Mpeg2): Mpeg2Settings {
  const { Bitrate: bitrate = 0, MaxBitrate: maxBitrate, GopClosedCadence: cadence = 1 } = mpeg2;
  const level = MPEG2_LEVELS[mpeg2.CodecLevel ?? 'AUTO'];
  const precision = /\d+$/.exec(mpeg2.IntraDcPrecision ?? '')?.[0];
  return {
    kind: 'mpeg2',
    rateControl:
      mpeg2.RateControlMode === 'CBR'
        ? { mode: 'cbr', bitrate }
        : { mode: 'vbr', bitrate, ...(maxBitrate !== undefined && { maxBitrate }) },
    ...(mpeg2.HrdBufferSize !== undefined && { bufferSize: mpeg2.HrdBufferSize }),
    ...(mpeg2.HrdBufferInitialFillPercentage !== undefined && {
      bufferInitialFill: mpeg2.HrdBufferInitialFillPercentage,
    }),
    profile: mpeg2.CodecProfile === 'PROFILE_422' ? '422' : 'main',
    ...(level !== undefined && { level }),
    gop: { size: mpeg2.GopSize ?? 12, unit: mpeg2.GopSizeUnits === 'SECONDS' ? 'seconds' : 'frames' },
    isGopOpen: cadence === 0,
    isSceneChangeDetected: mpeg2.SceneChangeDetect !== 'DISABLED',
    ...(mpeg2.MinIInterval !== undefined && mpeg2.MinIInterval > 0 && { minKeyInterval: mpeg2.MinIInterval }),
    ...(mpeg2.NumberBFramesBetweenReferenceFrames !== undefined && {
      bFrames: mpeg2.NumberBFramesBetweenReferenceFrames,
    }),
    ...(precision !== undefined && { dcPrecision: Number(precision) as 8 | 9 | 10 | 11 }),
    isSpatiallyAdaptive: mpeg2.SpatialAdaptiveQuantization !== 'DISABLED' && mpeg2.AdaptiveQuantization !== 'OFF',
  };
}

function planVpx(kind: VpxSettings['kind'], vpx: Vp8Settings | Vp9Settings): VpxSettings {
  const { MaxBitrate: maxBitrate } = vpx;
  return {
    kind,
    rateControl: { mode: 'vbr', bitrate: vpx.Bitrate ?? 0, ...(maxBitrate !== undefined && { maxBitrate }) },
    ...(vpx.HrdBufferSize !== undefined && { bufferSize: vpx.HrdBufferSize }),
    gop: { size: vpx.GopSize ?? 90, unit: 'frames' },
    effort: vpx.QualityTuningLevel === 'MULTI_PASS_HQ' ? 'best' : 'good',
  };
}

const PRORES: Readonly<Record<string, ProresSettings['profile']>> = {
  APPLE_PRORES_422_PROXY: 'proxy',
  APPLE_PRORES_422_LT: 'lt',
  APPLE_PRORES_422: 'standard',
  APPLE_PRORES_422_HQ: 'hq',
  APPLE_PRORES_4444: '4444',
  APPLE_PRORES_4444_XQ: '4444xq',
};

function planProres(prores: Prores): ProresSettings {
  return {
    kind: 'prores',
    profile: PRORES[prores.CodecProfile ?? 'APPLE_PRORES_422'] ?? 'standard',
    isSubsampled: prores.ChromaSampling === 'SUBSAMPLE_TO_422',
  };
}

/** The intra profiles are AVC-Intra of another maker, the others are H.264 at the most that their class allows. */
function planXavc(xavc: Xavc): AvcIntraSettings | H264Settings {
  const intra = xavc.XavcHdIntraCbgProfileSettings ?? xavc.Xavc4kIntraCbgProfileSettings;
  if (intra !== undefined) {
    return { kind: 'avc-intra', avcClass: CLASSES[intra.XavcClass ?? ''] ?? 100, isXavc: true };
  }
  const uhd = xavc.Xavc4kProfileSettings;
  const long = uhd ?? xavc.XavcHdProfileSettings ?? {};
  const bitrate = Number(/\d+$/.exec(long.BitrateClass ?? '')?.[0] ?? 50) * 1_000_000;
  const { GopClosedCadence: cadence = 1 } = long;
  return {
    kind: 'h264',
    rateControl: { mode: 'vbr', bitrate, maxBitrate: bitrate },
    ...(long.HrdBufferSize !== undefined && { bufferSize: long.HrdBufferSize }),
    preset: long.QualityTuningLevel === 'SINGLE_PASS' ? 'veryfast' : 'medium',
    gop: { size: 0.5, unit: 'seconds' },
    isSceneChangeDetected: false,
    isGopOpen: cadence !== 1,
    ...(cadence > 1 && { closedGopEvery: cadence }),
    ...(long.FlickerAdaptiveQuantization === 'ENABLED' && { isFlickerReduced: true }),
    bFrames: 2,
    isBFrameCountAdaptive: false,
    areBFramesReferences: long.GopBReference === 'ENABLED',
    ...(long.Slices !== undefined && { slices: long.Slices }),
    ...(xavc.SpatialAdaptiveQuantization === 'DISABLED' && { adaptiveQuantization: 0 }),
    isTemporalAdaptive: xavc.TemporalAdaptiveQuantization !== 'DISABLED',
    profile: uhd?.CodecProfile === 'HIGH' ? 'high' : 'high422',
    bitDepth: uhd?.CodecProfile === 'HIGH' ? 8 : 10,
    ...(xavc.EntropyEncoding === 'CAVLC' && { entropy: 'cavlc' }),
  };
}
