import type {
  AvcIntraSettings,
  GifSettings,
  Mpeg2Settings,
  ProresSettings,
  UncompressedSettings,
  Vc3Settings,
  Vp8Settings,
  Vp9Settings,
  Xavc4kIntraCbgProfileSettings,
  Xavc4kProfileSettings,
  XavcHdIntraCbgProfileSettings,
  XavcHdProfileSettings,
  XavcSettings,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkRatio, framerate, interlacing } from './timing-rules.ts';
import { allOf, carriedOut, emptyOnly, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** What of the codecs of production, of older players and of web pages is carried out. */

const pixelAspect = { ParControl: carriedOut, ParNumerator: carriedOut, ParDenominator: carriedOut } as const;

export const mpeg2: SettingRule<Mpeg2Settings> = allOf(
  checkTiming,
  checkMpeg2,
  structure<Mpeg2Settings>({
    ...framerate,
    ...pixelAspect,
    ...interlacing,
    RateControlMode: carriedOut,
    Bitrate: carriedOut,
    MaxBitrate: carriedOut,
    QualityTuningLevel: oneOf('SINGLE_PASS'),
    HrdBufferSize: carriedOut,
    HrdBufferInitialFillPercentage: carriedOut,
    HrdBufferFinalFillPercentage: oneOf(0),
    CodecProfile: carriedOut,
    CodecLevel: carriedOut,
    GopSize: carriedOut,
    GopSizeUnits: carriedOut,
    GopClosedCadence: oneOf(0, 1),
    SceneChangeDetect: carriedOut,
    MinIInterval: carriedOut,
    NumberBFramesBetweenReferenceFrames: carriedOut,
    // The encoder keeps to the number.
    DynamicSubGop: oneOf('STATIC'),
    IntraDcPrecision: carriedOut,
    AdaptiveQuantization: oneOf('OFF', 'MEDIUM'),
    SpatialAdaptiveQuantization: carriedOut,
    TemporalAdaptiveQuantization: oneOf('DISABLED'),
    Softness: oneOf(0),
    Syntax: oneOf('DEFAULT'),
    PerFrameMetrics: emptyOnly,
  }),
);

const vpx = {
  ...framerate,
  ...pixelAspect,
  RateControlMode: carriedOut,
  Bitrate: carriedOut,
  MaxBitrate: carriedOut,
  HrdBufferSize: carriedOut,
  GopSize: carriedOut,
  QualityTuningLevel: carriedOut,
} as const;

export const vp8: SettingRule<Vp8Settings> = allOf(checkTiming, checkVpx, structure<Vp8Settings>(vpx));
export const vp9: SettingRule<Vp9Settings> = allOf(checkTiming, checkVpx, structure<Vp9Settings>(vpx));

export const prores: SettingRule<ProresSettings> = allOf(
  checkTiming,
  checkTelecine,
  structure<ProresSettings>({
    ...framerate,
    ...pixelAspect,
    ...interlacing,
    CodecProfile: carriedOut,
    ChromaSampling: carriedOut,
    PerFrameMetrics: emptyOnly,
  }),
);

export const vc3: SettingRule<Vc3Settings> = allOf(
  checkTiming,
  checkTelecine,
  checkVc3,
  structure<Vc3Settings>({ ...framerate, ...interlacing, Vc3Class: carriedOut }),
);

export const avcIntra: SettingRule<AvcIntraSettings> = allOf(
  checkTiming,
  checkTelecine,
  checkAvcIntra,
  structure<AvcIntraSettings>({
    ...framerate,
    ...interlacing,
    AvcIntraClass: oneOf('CLASS_50', 'CLASS_100', 'CLASS_200'),
    PerFrameMetrics: emptyOnly,
  }),
);

const xavcLong = {
  FlickerAdaptiveQuantization: carriedOut,
  GopBReference: carriedOut,
  GopClosedCadence: carriedOut,
  HrdBufferSize: carriedOut,
  QualityTuningLevel: oneOf<'SINGLE_PASS' | 'SINGLE_PASS_HQ'>('SINGLE_PASS', 'SINGLE_PASS_HQ'),
  Slices: carriedOut,
  BitrateClass: carriedOut,
} as const;

export const xavc: SettingRule<XavcSettings> = allOf(
  checkTiming,
  checkXavc,
  structure<XavcSettings>({
    ...framerate,
    Profile: oneOf('XAVC_HD_INTRA_CBG', 'XAVC_4K_INTRA_CBG', 'XAVC_HD', 'XAVC_4K'),
    AdaptiveQuantization: oneOf('AUTO'),
    SpatialAdaptiveQuantization: carriedOut,
    TemporalAdaptiveQuantization: carriedOut,
    EntropyEncoding: carriedOut,
    Softness: oneOf(0),
    SlowPal: oneOf('DISABLED'),
    PerFrameMetrics: emptyOnly,
    XavcHdIntraCbgProfileSettings: structure<XavcHdIntraCbgProfileSettings>({ XavcClass: carriedOut }),
    Xavc4kIntraCbgProfileSettings: structure<Xavc4kIntraCbgProfileSettings>({
      XavcClass: oneOf('CLASS_300', 'CLASS_480'),
    }),
    XavcHdProfileSettings: structure<XavcHdProfileSettings>({
      ...xavcLong,
      InterlaceMode: carriedOut,
      Telecine: oneOf('NONE'),
    }),
    Xavc4kProfileSettings: structure<Xavc4kProfileSettings>({ ...xavcLong, CodecProfile: carriedOut }),
  }),
);

export const uncompressed: SettingRule<UncompressedSettings> = allOf(
  checkTiming,
  checkTelecine,
  structure<UncompressedSettings>({ ...framerate, ...interlacing, Fourcc: carriedOut }),
);

export const gif: SettingRule<GifSettings> = allOf(checkTiming, structure<GifSettings>(framerate));

interface Timed {
  readonly FramerateControl?: string | undefined;
  readonly FramerateNumerator?: number | undefined;
  readonly FramerateDenominator?: number | undefined;
  readonly ParControl?: string | undefined;
  readonly ParNumerator?: number | undefined;
  readonly ParDenominator?: number | undefined;
}

function checkTiming(settings: Timed, pointer: string, problems: Problem[]): void {
  const { FramerateControl: control, FramerateNumerator: over, FramerateDenominator: under } = settings;
  checkRatio(control, over, under, 'framerate', pointer, problems);
  checkRatio(settings.ParControl, settings.ParNumerator, settings.ParDenominator, 'par', pointer, problems);
}

function checkMpeg2(settings: Mpeg2Settings, pointer: string, problems: Problem[]): void {
  checkTelecine(settings, pointer, problems);
  const { Bitrate: bitrate, MaxBitrate: maximum, RateControlMode: mode } = settings;
  if (bitrate === undefined) problems.push(missing(pointer, 'bitrate'));
  if (mode === 'CBR' && maximum !== undefined) {
    problems.push({ pointer: `${pointer}/maxBitrate`, text: 'Is not allowed with CBR' });
  }
  if (maximum !== undefined && bitrate !== undefined && maximum < bitrate) {
    problems.push({ pointer: `${pointer}/maxBitrate`, text: 'Should be greater than or equal to bitrate' });
  }
}

/** `MULTI_PASS` is what they do where nothing is said; the most is for it alone. */
function checkVpx(settings: Vp8Settings | Vp9Settings, pointer: string, problems: Problem[]): void {
  const { Bitrate: bitrate, MaxBitrate: maximum } = settings;
  if (bitrate === undefined) problems.push(missing(pointer, 'bitrate'));
  else if (maximum !== undefined && maximum < bitrate) {
    problems.push({ pointer: `${pointer}/maxBitrate`, text: 'Should be greater than or equal to bitrate' });
  }
}

interface Fields {
  readonly FramerateNumerator?: number | undefined;
  readonly FramerateDenominator?: number | undefined;
  readonly InterlaceMode?: string | undefined;
  readonly Telecine?: string | undefined;
}

/** Telecine makes fields at 29.97 pictures a second, of pictures of film. */
export function checkTelecine(settings: Fields, pointer: string, problems: Problem[]): void {
  if (settings.Telecine !== 'HARD') return;
  const rate = (settings.FramerateNumerator ?? 0) / (settings.FramerateDenominator ?? 1);
  if (Math.abs(rate - 30_000 / 1001) > 0.001) {
    problems.push({ pointer: `${pointer}/telecine`, text: 'HARD needs a specified framerate of 30000/1001' });
  }
  if ((settings.InterlaceMode ?? 'PROGRESSIVE') === 'PROGRESSIVE') {
    problems.push({ pointer: `${pointer}/telecine`, text: 'HARD needs interlaced output' });
  }
}

function checkVc3(settings: Vc3Settings, pointer: string, problems: Problem[]): void {
  if (settings.Vc3Class === undefined) problems.push(missing(pointer, 'vc3Class'));
}

function checkAvcIntra(settings: AvcIntraSettings, pointer: string, problems: Problem[]): void {
  if (settings.AvcIntraClass === undefined) problems.push(missing(pointer, 'avcIntraClass'));
}

const XAVC_MEMBERS = {
  XAVC_HD_INTRA_CBG: ['XavcHdIntraCbgProfileSettings', 'xavcHdIntraCbgProfileSettings'],
  XAVC_4K_INTRA_CBG: ['Xavc4kIntraCbgProfileSettings', 'xavc4kIntraCbgProfileSettings'],
  XAVC_HD: ['XavcHdProfileSettings', 'xavcHdProfileSettings'],
  XAVC_4K: ['Xavc4kProfileSettings', 'xavc4kProfileSettings'],
} as const;

function checkXavc(settings: XavcSettings, pointer: string, problems: Problem[]): void {
  if (settings.Profile === undefined) problems.push(missing(pointer, 'profile'));
  for (const [profile, [member, wire]] of Object.entries(XAVC_MEMBERS)) {
    const given = settings[member];
    if (settings.Profile === profile && given === undefined) problems.push(missing(pointer, wire));
    if (settings.Profile !== profile && given !== undefined) {
      problems.push({ pointer: `${pointer}/${wire}`, text: `Needs profile ${profile}` });
    }
  }
}
