import type {
  Av1QvbrSettings,
  Av1Settings,
  BandwidthReductionFilter,
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
import { avcIntra, checkTelecine, gif, mpeg2, prores, uncompressed, vc3, vp8, vp9, xavc } from './other-codec-rules.ts';
import { checkRatio, framerate, interlacing } from './timing-rules.ts';
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

/** What H.264 and H.265 have in common. */
const predicted = {
  RateControlMode: carriedOut,
  Bitrate: carriedOut,
  MaxBitrate: carriedOut,
  QualityTuningLevel: carriedOut,
  HrdBufferSize: carriedOut,
  HrdBufferInitialFillPercentage: carriedOut,
  GopSize: carriedOut,
  GopSizeUnits: carriedOut,
  GopClosedCadence: carriedOut,
  MinIInterval: carriedOut,
  SceneChangeDetect: carriedOut,
  NumberBFramesBetweenReferenceFrames: carriedOut,
  DynamicSubGop: carriedOut,
  GopBReference: carriedOut,
  NumberReferenceFrames: carriedOut,
  Slices: carriedOut,
  AdaptiveQuantization: carriedOut,
  SpatialAdaptiveQuantization: carriedOut,
  TemporalAdaptiveQuantization: carriedOut,
  FlickerAdaptiveQuantization: carriedOut,
  HrdBufferFinalFillPercentage: oneOf(0),
  BandwidthReductionFilter: structure<BandwidthReductionFilter>({ Strength: carriedOut, Sharpening: carriedOut }),
  ...framerate,
  ParControl: carriedOut,
  ParNumerator: carriedOut,
  ParDenominator: carriedOut,
  SlowPal: oneOf('DISABLED'),
} as const;

const h264: SettingRule<H264Settings> = allOf(
  checkPredicted,
  checkEntropy,
  checkFields,
  structure<H264Settings>({
    ...predicted,
    ...interlacing,
    QvbrSettings: structure<H264QvbrSettings>({
      MaxAverageBitrate: carriedOut,
      QvbrQualityLevel: carriedOut,
      QvbrQualityLevelFineTune: carriedOut,
    }),
    CodecProfile: carriedOut,
    CodecLevel: carriedOut,
    EntropyEncoding: carriedOut,
    FieldEncoding: carriedOut,
    Softness: oneOf(0),
    Syntax: oneOf('DEFAULT'),
    RepeatPps: oneOf('DISABLED'),
    UnregisteredSeiTimecode: oneOf('DISABLED'),
    SaliencyAwareEncoding: oneOf('DISABLED'),
    EndOfStreamMarkers: oneOf('SUPPRESS'),
    WriteMp4PackagingType: carriedOut,
    PerFrameMetrics: emptyOnly,
  }),
);

const h265: SettingRule<H265Settings> = allOf(
  checkPredicted,
  structure<H265Settings>({
    ...predicted,
    QvbrSettings: structure<H265QvbrSettings>({
      MaxAverageBitrate: carriedOut,
      QvbrQualityLevel: carriedOut,
      QvbrQualityLevelFineTune: carriedOut,
    }),
    // x265 keeps no fields that a player would put together.
    InterlaceMode: oneOf('PROGRESSIVE'),
    Telecine: oneOf('NONE'),
    CodecProfile: carriedOut,
    CodecLevel: carriedOut,
    Deblocking: carriedOut,
    // Where it is on, x265 chooses the strength for each block.
    SampleAdaptiveOffsetFilterMode: carriedOut,
    TreeBlockSize: carriedOut,
    MvTemporalPredictor: carriedOut,
    MvOverPictureBoundaries: oneOf('ENABLED'),
    // No encoder here divides pictures both ways.
    Tiles: oneOf('DISABLED'),
    TilePadding: oneOf('NONE'),
    TemporalIds: carriedOut,
    // Bears on interlaced output alone.
    ScanTypeConversionMode: withoutEffect,
    AlternateTransferFunctionSei: carriedOut,
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
    AdaptiveQuantization: carriedOut,
    SpatialAdaptiveQuantization: carriedOut,
    Slices: oneOf(1, 2, 4, 8, 16),
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
  Codec: oneOf(
    'H_264',
    'H_265',
    'AV1',
    'MPEG2',
    'VP8',
    'VP9',
    'PRORES',
    'VC3',
    'AVC_INTRA',
    'XAVC',
    'UNCOMPRESSED',
    'GIF',
    'FRAME_CAPTURE',
    'PASSTHROUGH',
  ),
  PassthroughSettings: structure<PassthroughSettings>({
    // Clips are refused with what it bears on.
    FrameControl: withoutEffect,
    VideoSelectorMode: oneOf('AUTO'),
  }),
  H264Settings: h264,
  H265Settings: h265,
  Av1Settings: av1,
  Mpeg2Settings: mpeg2,
  Vp8Settings: vp8,
  Vp9Settings: vp9,
  ProresSettings: prores,
  Vc3Settings: vc3,
  AvcIntraSettings: avcIntra,
  XavcSettings: xavc,
  UncompressedSettings: uncompressed,
  GifSettings: gif,
  FrameCaptureSettings: frameCapture,
});

/** The member in which each codec keeps its settings. */
const SETTINGS = {
  H_264: ['H264Settings', 'h264Settings'],
  H_265: ['H265Settings', 'h265Settings'],
  AV1: ['Av1Settings', 'av1Settings'],
  MPEG2: ['Mpeg2Settings', 'mpeg2Settings'],
  VP8: ['Vp8Settings', 'vp8Settings'],
  VP9: ['Vp9Settings', 'vp9Settings'],
  PRORES: ['ProresSettings', 'proresSettings'],
  VC3: ['Vc3Settings', 'vc3Settings'],
  AVC_INTRA: ['AvcIntraSettings', 'avcIntraSettings'],
  XAVC: ['XavcSettings', 'xavcSettings'],
  UNCOMPRESSED: ['UncompressedSettings', 'uncompressedSettings'],
  GIF: ['GifSettings', 'gifSettings'],
  FRAME_CAPTURE: ['FrameCaptureSettings', 'frameCaptureSettings'],
} as const;

export function checkVideoCodec(video: VideoDescription, pointer: string, problems: Problem[]): void {
  checkCodecMember(video.CodecSettings, SETTINGS, pointer, problems);
  const { Codec: codec, PassthroughSettings: passthrough, H264Settings: h264 } = video.CodecSettings ?? {};
  const isWhole = codec !== 'H_264' || (h264?.InterlaceMode ?? 'PROGRESSIVE') === 'PROGRESSIVE';
  if (!isWhole && (video.Height ?? 0) % 4 !== 0) {
    problems.push({ pointer: `${pointer}/height`, text: 'Should be a multiple of 4 with interlaced H_264' });
  }
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

/** An average is known of the whole alone, which the first of several passes sees. */
function checkAverage(settings: H264Settings | H265Settings, pointer: string, problems: Problem[]): void {
  const average = settings.QvbrSettings?.MaxAverageBitrate;
  if (average === undefined) return;
  const at = `${pointer}/qvbrSettings/maxAverageBitrate`;
  if (settings.QualityTuningLevel !== 'MULTI_PASS_HQ') {
    problems.push({ pointer: at, text: 'Needs qualityTuningLevel MULTI_PASS_HQ' });
  }
  if (settings.MaxBitrate !== undefined && average > settings.MaxBitrate) {
    problems.push({ pointer: at, text: 'Should be less than or equal to maxBitrate' });
  }
}

/** Of pictures of two fields x264 decides by block how they are coded, for which the standard's name is MBAFF. */
function checkFields(settings: H264Settings, pointer: string, problems: Problem[]): void {
  checkTelecine(settings, pointer, problems);
  if ((settings.InterlaceMode ?? 'PROGRESSIVE') === 'PROGRESSIVE') return;
  if (settings.FieldEncoding === 'FORCE_FIELD') {
    problems.push({ pointer: `${pointer}/fieldEncoding`, text: 'FORCE_FIELD is not supported' });
  }
  if (settings.CodecProfile === 'BASELINE') {
    problems.push({ pointer: `${pointer}/codecProfile`, text: 'BASELINE needs progressive output' });
  }
}

/** What holds for H.264 and H.265. */
function checkPredicted(settings: H264Settings | H265Settings, pointer: string, problems: Problem[]): void {
  const { RateControlMode: mode, Bitrate: bitrate, MaxBitrate: maximum, QvbrSettings: qvbr } = settings;
  if (mode === undefined) problems.push(missing(pointer, 'rateControlMode'));
  if (mode === 'QVBR') {
    // With several passes, the group may say it: see `abr-rules.ts`.
    const isOpen = settings.QualityTuningLevel === 'MULTI_PASS_HQ';
    if (maximum === undefined && !isOpen) problems.push(missing(pointer, 'maxBitrate'));
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
  checkAverage(settings, pointer, problems);
  const { FramerateControl, FramerateNumerator, FramerateDenominator } = settings;
  checkRatio(FramerateControl, FramerateNumerator, FramerateDenominator, 'framerate', pointer, problems);
  checkRatio(settings.ParControl, settings.ParNumerator, settings.ParDenominator, 'par', pointer, problems);
  if (settings.GopSize !== undefined && settings.GopSizeUnits === 'AUTO' && settings.GopSize > 0) {
    problems.push({ pointer: `${pointer}/gopSize`, text: 'Is not allowed with gopSizeUnits AUTO' });
  }
}

/** Where the input's own ratio is chosen in words, real jobs leave the numbers in: then they say nothing. */
