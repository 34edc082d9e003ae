import type {
  BurninDestinationSettings,
  CaptionDescription,
  CaptionDestinationSettings,
  CaptionSelector,
  CaptionSourceFramerate,
  CaptionSourceSettings,
  EmbeddedDestinationSettings,
  EmbeddedSourceSettings,
  FileSourceSettings,
  ImscDestinationSettings,
  SccDestinationSettings,
  SrtDestinationSettings,
  TtmlDestinationSettings,
  WebvttDestinationSettings,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkFileInput } from './cross-setting-rules.ts';
import { type SettingRule, allOf, carriedOut, missing, oneOf, structure, withoutEffect } from './setting-rule.ts';

/** What is carried out of an input's caption selectors and of an output's captions. */

const fileSource: SettingRule<FileSourceSettings> = structure<FileSourceSettings>({
  SourceFile: checkFileInput,
  TimeDelta: carriedOut,
  TimeDeltaUnits: carriedOut,
  Framerate: allOf(
    checkFramerate,
    structure<CaptionSourceFramerate>({ FramerateNumerator: carriedOut, FramerateDenominator: carriedOut }),
  ),
  ConvertPaintToPop: carriedOut,
  // Never more than two bytes go with a picture.
  ByteRateLimit: carriedOut,
  Convert608To708: oneOf('DISABLED'),
  UpconvertSTLToTeletext: oneOf('DISABLED'),
});

const embeddedSource: SettingRule<EmbeddedSourceSettings> = structure<EmbeddedSourceSettings>({
  Source608ChannelNumber: carriedOut,
  Source608TrackNumber: oneOf(1),
  TerminateCaptions: carriedOut,
  Convert608To708: oneOf('DISABLED'),
});

/** Kinds of files, by the service's names. */
const FILE_SOURCES: readonly string[] = ['SRT', 'WEBVTT', 'TTML', 'IMSC', 'SMPTE_TT', 'SCC', 'SMI', 'STL'];

export const captionSelector: SettingRule<CaptionSelector> = allOf(
  checkCaptionSelector,
  structure<CaptionSelector>({
    // They choose among the streams of kinds that are refused.
    LanguageCode: withoutEffect,
    CustomLanguageCode: withoutEffect,
    SourceSettings: structure<CaptionSourceSettings>({
      SourceType: oneOf('SRT', 'WEBVTT', 'TTML', 'IMSC', 'SMPTE_TT', 'SCC', 'SMI', 'STL', 'EMBEDDED', 'NULL_SOURCE'),
      FileSourceSettings: fileSource,
      EmbeddedSourceSettings: embeddedSource,
    }),
  }),
);

function checkFramerate(rate: CaptionSourceFramerate, pointer: string, problems: Problem[]): void {
  if (rate.FramerateNumerator === undefined) problems.push(missing(pointer, 'framerateNumerator'));
  if (rate.FramerateDenominator === undefined) problems.push(missing(pointer, 'framerateDenominator'));
}

function checkCaptionSelector(selector: CaptionSelector, pointer: string, problems: Problem[]): void {
  const { SourceSettings: source } = selector;
  if (source === undefined) {
    problems.push(missing(pointer, 'sourceSettings'));
    return;
  }
  const at = `${pointer}/sourceSettings`;
  const { SourceType: type, FileSourceSettings: file, EmbeddedSourceSettings: embedded } = source;
  if (type === undefined) {
    problems.push(missing(at, 'sourceType'));
    return;
  }
  const isFile = FILE_SOURCES.includes(type);
  if (isFile && file === undefined) problems.push(missing(at, 'fileSourceSettings'));
  else if (isFile && file?.SourceFile === undefined) problems.push(missing(`${at}/fileSourceSettings`, 'sourceFile'));
  if (!isFile && file !== undefined) {
    problems.push({ pointer: `${at}/fileSourceSettings`, text: `Is not allowed with sourceType ${type}` });
  }
  if (type !== 'EMBEDDED' && embedded !== undefined) {
    problems.push({ pointer: `${at}/embeddedSourceSettings`, text: 'Needs sourceType EMBEDDED' });
  }
}

const burnIn: SettingRule<BurninDestinationSettings> = allOf(
  checkBurnIn,
  structure<BurninDestinationSettings>({
    Alignment: carriedOut,
    ApplyFontColor: carriedOut,
    BackgroundColor: carriedOut,
    BackgroundOpacity: carriedOut,
    // The fonts that come along have no serifs in their monospaced face.
    FallbackFont: oneOf('BEST_MATCH', 'MONOSPACED_SANSSERIF', 'PROPORTIONAL_SANSSERIF', 'PROPORTIONAL_SERIF'),
    FontColor: carriedOut,
    FontOpacity: carriedOut,
    FontResolution: oneOf(96),
    FontScript: oneOf('AUTOMATIC'),
    FontSize: carriedOut,
    HexFontColor: carriedOut,
    OutlineColor: carriedOut,
    OutlineSize: carriedOut,
    // Rubies are not drawn.
    RemoveRubyReserveAttributes: withoutEffect,
    ShadowColor: carriedOut,
    ShadowOpacity: carriedOut,
    ShadowXOffset: carriedOut,
    ShadowYOffset: carriedOut,
    StylePassthrough: carriedOut,
    TeletextSpacing: carriedOut,
    XPosition: carriedOut,
    YPosition: carriedOut,
  }),
);

function checkBurnIn(settings: BurninDestinationSettings, pointer: string, problems: Problem[]): void {
  const { FontColor: color, HexFontColor: hex } = settings;
  if (color === 'HEX' && hex === undefined) problems.push(missing(pointer, 'hexFontColor'));
  if (color !== 'HEX' && hex !== undefined) {
    problems.push({ pointer: `${pointer}/hexFontColor`, text: 'Needs fontColor HEX' });
  }
}

/** The members with the settings of a destination, by its type. */
const DESTINATION_MEMBERS = {
  BURN_IN: ['BurninDestinationSettings', 'burninDestinationSettings'],
  EMBEDDED: ['EmbeddedDestinationSettings', 'embeddedDestinationSettings'],
  IMSC: ['ImscDestinationSettings', 'imscDestinationSettings'],
  SCC: ['SccDestinationSettings', 'sccDestinationSettings'],
  SRT: ['SrtDestinationSettings', 'srtDestinationSettings'],
  TTML: ['TtmlDestinationSettings', 'ttmlDestinationSettings'],
  WEBVTT: ['WebvttDestinationSettings', 'webvttDestinationSettings'],
} as const;

const destination: SettingRule<CaptionDestinationSettings> = allOf(
  checkDestinationMember,
  structure<CaptionDestinationSettings>({
    DestinationType: oneOf('BURN_IN', 'EMBEDDED', 'IMSC', 'SCC', 'SMI', 'SRT', 'TTML', 'WEBVTT'),
    BurninDestinationSettings: burnIn,
    EmbeddedDestinationSettings: structure<EmbeddedDestinationSettings>({ Destination608ChannelNumber: carriedOut }),
    ImscDestinationSettings: structure<ImscDestinationSettings>({
      Accessibility: carriedOut,
      StylePassthrough: carriedOut,
    }),
    SccDestinationSettings: structure<SccDestinationSettings>({ Framerate: carriedOut }),
    SrtDestinationSettings: structure<SrtDestinationSettings>({ StylePassthrough: carriedOut }),
    TtmlDestinationSettings: structure<TtmlDestinationSettings>({
      BackgroundColor: carriedOut,
      BackgroundOpacity: carriedOut,
      FontColor: carriedOut,
      FontOpacity: carriedOut,
      FontSize: carriedOut,
      FontStyle: carriedOut,
      FontWeight: carriedOut,
      StylePassthrough: carriedOut,
      TextDecoration: carriedOut,
    }),
    WebvttDestinationSettings: structure<WebvttDestinationSettings>({
      Accessibility: carriedOut,
      // STRICT would keep what is not read of a file: style sheets, regions, names.
      StylePassthrough: oneOf('ENABLED', 'DISABLED', 'MERGE'),
    }),
  }),
);

function checkDestinationMember(settings: CaptionDestinationSettings, pointer: string, problems: Problem[]): void {
  const type = settings.DestinationType ?? 'EMBEDDED';
  for (const [name, [member, wire]] of Object.entries(DESTINATION_MEMBERS)) {
    if (name === type || settings[member] === undefined) continue;
    problems.push({ pointer: `${pointer}/${wire}`, text: `Needs destinationType ${name}` });
  }
}

export const captionDescription: SettingRule<CaptionDescription> = allOf(
  checkDescription,
  structure<CaptionDescription>({
    Source: oneOf('INPUT_CAPTION_SELECTOR'),
    CaptionSelectorName: carriedOut,
    LanguageCode: carriedOut,
    CustomLanguageCode: carriedOut,
    LanguageDescription: carriedOut,
    DestinationSettings: destination,
  }),
);

function checkDescription(caption: CaptionDescription, pointer: string, problems: Problem[]): void {
  if (caption.CaptionSelectorName === undefined) problems.push(missing(pointer, 'captionSelectorName'));
}
