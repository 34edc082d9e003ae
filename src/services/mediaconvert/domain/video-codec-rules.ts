import type {
  Av1QvbrSettings,
  Av1Settings,
  FrameCaptureSettings,
  H264QvbrSettings,
  H264Settings,
  H265QvbrSettings,
  H265Settings,
  PassthroughSettings,
  VideoCodecSettings,
  VideoDescription,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkCodecMember } from './codec-member.ts';
import {
  allOf,
  carriedOut,
  emptyOnly,
  missing,
  oneOf,
  type SettingRule,
  structure,
  withoutEffect,
} from './setting-rule.ts';

/** What of the video codecs' settings is carried out. */

/** How many pictures a second. */
const framerate = {
  FramerateControl: carriedOut,
  FramerateNumerator: carriedOut,
  FramerateDenominator: carriedOut,
  FramerateConversionAlgorithm: oneOf('DUPLICATE_DROP', 'INTERPOLATE'),
} as const;

/** What H.264 and H.265 have in common. */
const predicted = {
  RateControlMode: carriedOut,
  Bitrate: carriedOut,
  MaxBitrate: carriedOut,
  QualityTuningLevel: oneOf('SINGLE_PASS', 'SINGLE_PASS_HQ'),
  HrdBufferSize: carriedOut,
  HrdBufferInitialFillPercentage: carriedOut,
  GopSize: carriedOut,
  GopSizeUnits: carriedOut,
  GopClosedCadence: oneOf(0, 1),
  MinIInterval: carriedOut,
  SceneChangeDetect: oneOf('ENABLED', 'DISABLED'),
  NumberBFramesBetweenReferenceFrames: carriedOut,
  DynamicSubGop: carriedOut,
  GopBReference: carriedOut,
  NumberReferenceFrames: carriedOut,
  Slices: carriedOut,
  AdaptiveQuantization: carriedOut,
  SpatialAdaptiveQuantization: carriedOut,
  TemporalAdaptiveQuantization: carriedOut,
  FlickerAdaptiveQuantization: oneOf('DISABLED'),
  ...framerate,
  ParControl: carriedOut,
  ParNumerator: carriedOut,
  ParDenominator: carriedOut,
  InterlaceMode: oneOf('PROGRESSIVE'),
  Telecine: oneOf('NONE'),
  SlowPal: oneOf('DISABLED'),
} as const;

const h264: SettingRule<H264Settings> = allOf(
  checkPredicted,
  checkEntropy,
  structure<H264Settings>({
    ...predicted,
    QvbrSettings: structure<H264QvbrSettings>({ QvbrQualityLevel: carriedOut, QvbrQualityLevelFineTune: carriedOut }),
    CodecProfile: oneOf('BASELINE', 'MAIN', 'HIGH'),
    CodecLevel: carriedOut,
    EntropyEncoding: carriedOut,
    // These two bear on interlaced output alone.
    FieldEncoding: withoutEffect,
    ScanTypeConversionMode: withoutEffect,
    Softness: oneOf(0),
    Syntax: oneOf('DEFAULT'),
    RepeatPps: oneOf('DISABLED'),
    UnregisteredSeiTimecode: oneOf('DISABLED'),
    SaliencyAwareEncoding: oneOf('DISABLED'),
    EndOfStreamMarkers: oneOf('SUPPRESS'),
    WriteMp4PackagingType: oneOf('AVC1'),
    PerFrameMetrics: emptyOnly,
  }),
);

const h265: SettingRule<H265Settings> = allOf(
  checkPredicted,
  structure<H265Settings>({
    ...predicted,
    QvbrSettings: structure<H265QvbrSettings>({ QvbrQualityLevel: carriedOut, QvbrQualityLevelFineTune: carriedOut }),
    HrdBufferFinalFillPercentage: oneOf(0),
    // 4:2:2 needs another licence with AWS, too.
    CodecProfile: oneOf('MAIN_MAIN', 'MAIN_HIGH', 'MAIN10_MAIN', 'MAIN10_HIGH'),
    CodecLevel: carriedOut,
    Deblocking: carriedOut,
    // Where it is on, x265 chooses the strength for each block.
    SampleAdaptiveOffsetFilterMode: carriedOut,
    TreeBlockSize: carriedOut,
    MvTemporalPredictor: carriedOut,
    MvOverPictureBoundaries: oneOf('ENABLED'),
    Tiles: oneOf('DISABLED'),
    TilePadding: oneOf('NONE'),
    TemporalIds: oneOf('DISABLED'),
    // Bears on interlaced output alone.
    ScanTypeConversionMode: withoutEffect,
    AlternateTransferFunctionSei: oneOf('DISABLED'),
    UnregisteredSeiTimecode: oneOf('DISABLED'),
    EndOfStreamMarkers: oneOf('SUPPRESS'),
    WriteMp4PackagingType: carriedOut,
    PerFrameMetrics: emptyOnly,
  }),
);

const av1: SettingRule<Av1Settings> = allOf(
  checkAv1,
  structure<Av1Settings>({
    RateControlMode: carriedOut,
    MaxBitrate: carriedOut,
    QvbrSettings: structure<Av1QvbrSettings>({ QvbrQualityLevel: carriedOut, QvbrQualityLevelFineTune: carriedOut }),
    GopSize: carriedOut,
    NumberBFramesBetweenReferenceFrames: oneOf(3, 7, 15),
    BitDepth: carriedOut,
    FilmGrainSynthesis: oneOf('DISABLED'),
    SpatialAdaptiveQuantization: oneOf('ENABLED'),
    Slices: oneOf(1),
    ...framerate,
    PerFrameMetrics: emptyOnly,
  }),
);

const frameCapture: SettingRule<FrameCaptureSettings> = allOf(
  checkFrameCapture,
  structure<FrameCaptureSettings>({
    FramerateNumerator: carriedOut,
    FramerateDenominator: carriedOut,
    MaxCaptures: carriedOut,
    Quality: carriedOut,
  }),
);

export const videoCodecSettings: SettingRule<VideoCodecSettings> = structure<VideoCodecSettings>({
  Codec: oneOf('H_264', 'H_265', 'AV1', 'FRAME_CAPTURE', 'PASSTHROUGH'),
  PassthroughSettings: structure<PassthroughSettings>({
    // Clips are refused with what it bears on.
    FrameControl: withoutEffect,
    VideoSelectorMode: oneOf('AUTO'),
  }),
  H264Settings: h264,
  H265Settings: h265,
  Av1Settings: av1,
  FrameCaptureSettings: frameCapture,
});

/** The member in which each codec keeps its settings. */
const SETTINGS = {
  H_264: ['H264Settings', 'h264Settings'],
  H_265: ['H265Settings', 'h265Settings'],
  AV1: ['Av1Settings', 'av1Settings'],
  FRAME_CAPTURE: ['FrameCaptureSettings', 'frameCaptureSettings'],
} as const;

export function checkVideoCodec(video: VideoDescription, pointer: string, problems: Problem[]): void {
  checkCodecMember(video.CodecSettings, SETTINGS, pointer, problems);
  const { Codec: codec, PassthroughSettings: passthrough } = video.CodecSettings ?? {};
  if (passthrough === undefined || codec === undefined || codec === 'PASSTHROUGH') return;
  problems.push({ pointer: `${pointer}/codecSettings/passthroughSettings`, text: 'Needs codec PASSTHROUGH' });
}

function checkAv1(settings: Av1Settings, pointer: string, problems: Problem[]): void {
  if (settings.RateControlMode === undefined) problems.push(missing(pointer, 'rateControlMode'));
  if (settings.MaxBitrate === undefined) problems.push(missing(pointer, 'maxBitrate'));
  const { FramerateControl, FramerateNumerator, FramerateDenominator } = settings;
  checkRatio(FramerateControl, FramerateNumerator, FramerateDenominator, 'framerate', pointer, problems);
}

function checkFrameCapture(settings: FrameCaptureSettings, pointer: string, problems: Problem[]): void {
  if (settings.FramerateNumerator === undefined) problems.push(missing(pointer, 'framerateNumerator'));
  if (settings.FramerateDenominator === undefined) problems.push(missing(pointer, 'framerateDenominator'));
}

function checkEntropy(settings: H264Settings, pointer: string, problems: Problem[]): void {
  if (settings.CodecProfile === 'BASELINE' && settings.EntropyEncoding === 'CABAC') {
    problems.push({ pointer: `${pointer}/entropyEncoding`, text: 'BASELINE needs CAVLC' });
  }
}

/** What holds for H.264 and H.265. */
function checkPredicted(settings: H264Settings | H265Settings, pointer: string, problems: Problem[]): void {
  const { RateControlMode: mode, Bitrate: bitrate, MaxBitrate: maximum, QvbrSettings: qvbr } = settings;
  if (mode === undefined) problems.push(missing(pointer, 'rateControlMode'));
  if (mode === 'QVBR') {
    if (maximum === undefined) problems.push(missing(pointer, 'maxBitrate'));
    if (bitrate !== undefined) problems.push({ pointer: `${pointer}/bitrate`, text: 'Is not allowed with QVBR' });
  } else if (mode !== undefined) {
    if (bitrate === undefined) problems.push(missing(pointer, 'bitrate'));
    if (qvbr !== undefined) problems.push({ pointer: `${pointer}/qvbrSettings`, text: 'Is only allowed with QVBR' });
    if (mode === 'CBR' && maximum !== undefined) {
      problems.push({ pointer: `${pointer}/maxBitrate`, text: 'Is not allowed with CBR' });
    }
    if (maximum !== undefined && bitrate !== undefined && maximum < bitrate) {
      problems.push({ pointer: `${pointer}/maxBitrate`, text: 'Should be greater than or equal to bitrate' });
    }
  }
  const { FramerateControl, FramerateNumerator, FramerateDenominator } = settings;
  checkRatio(FramerateControl, FramerateNumerator, FramerateDenominator, 'framerate', pointer, problems);
  checkRatio(settings.ParControl, settings.ParNumerator, settings.ParDenominator, 'par', pointer, problems);
  if (settings.GopSize !== undefined && settings.GopSizeUnits === 'AUTO' && settings.GopSize > 0) {
    problems.push({ pointer: `${pointer}/gopSize`, text: 'Is not allowed with gopSizeUnits AUTO' });
  }
}

/** Where the input's own ratio is chosen in words, real jobs leave the numbers in: then they say nothing. */
function checkRatio(
  control: string | undefined,
  numerator: number | undefined,
  denominator: number | undefined,
  name: string,
  pointer: string,
  problems: Problem[],
): void {
  if (control === 'SPECIFIED') {
    if (numerator === undefined) problems.push(missing(pointer, `${name}Numerator`));
    if (denominator === undefined) problems.push(missing(pointer, `${name}Denominator`));
  } else if (control === undefined && (numerator !== undefined || denominator !== undefined)) {
    problems.push({ pointer: `${pointer}/${name}Control`, text: `Should be SPECIFIED when ${name}Numerator is set` });
  }
}
