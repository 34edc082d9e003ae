import type {
  BurnInDestination,
  CaptionDestination,
  CaptionFile,
  CaptionOutput,
  CaptionSelector,
  SidecarDestination,
} from '#media/caption-settings.ts';
import { parseLocation } from '#media/media-location.ts';
import type { ClosedCaptions } from '#media/packaging/hls-captions.ts';
import type {
  BurninDestinationSettings,
  CaptionDescription,
  CaptionDestinationSettings,
  CaptionSelector as SelectorSettings,
  FileSourceSettings,
  HlsGroupSettings,
  Output,
  TtmlDestinationSettings,
} from '@aws-sdk/client-mediaconvert';

export function planCaptionSelectors(
  selectors: Readonly<Record<string, SelectorSettings>> | undefined,
): Record<string, CaptionSelector> {
  return Object.fromEntries(Object.entries(selectors ?? {}).map(([name, selector]) => [name, planSelector(selector)]));
}

const FORMATS: Readonly<Record<string, CaptionFile['format']>> = {
  SRT: 'srt',
  WEBVTT: 'webvtt',
  TTML: 'ttml',
  IMSC: 'ttml',
  SMPTE_TT: 'ttml',
  SCC: 'scc',
  SMI: 'smi',
  STL: 'stl',
};

function planSelector({ SourceSettings: source = {} }: SelectorSettings): CaptionSelector {
  const format = FORMATS[source.SourceType ?? ''];
  if (format !== undefined) return planFile(format, source.FileSourceSettings ?? {});
  if (source.SourceType !== 'EMBEDDED') return { kind: 'none' };
  const { Source608ChannelNumber: channel = 1, TerminateCaptions: terminate } = source.EmbeddedSourceSettings ?? {};
  return { kind: 'embedded', channel, isTerminated: terminate !== 'DISABLED' };
}

function planFile(format: CaptionFile['format'], file: FileSourceSettings): CaptionSelector {
  const { TimeDelta: delta = 0, TimeDeltaUnits: units, Framerate: rate } = file;
  const { FramerateNumerator: num, FramerateDenominator: den } = rate ?? {};
  return {
    kind: 'file',
    format,
    source: parseLocation(file.SourceFile ?? ''),
    deltaMs: units === 'MILLISECONDS' ? delta : delta * 1000,
    ...(num !== undefined && den !== undefined && { framerate: { num, den } }),
    isPaintConverted: file.ConvertPaintToPop === 'ENABLED',
  };
}

/** An output's captions; empty for an output without any. */
export function planCaptions(output: Output): { readonly captions?: readonly CaptionOutput[] } {
  const captions = (output.CaptionDescriptions ?? []).map(planCaption);
  return captions.length === 0 ? {} : { captions };
}

function planCaption(caption: CaptionDescription): CaptionOutput {
  const language = (caption.CustomLanguageCode ?? caption.LanguageCode)?.toLowerCase();
  return {
    selector: caption.CaptionSelectorName ?? '',
    ...(language !== undefined && { language }),
    ...(caption.LanguageDescription !== undefined && { languageName: caption.LanguageDescription }),
    destination: planDestination(caption.DestinationSettings ?? {}),
  };
}

function planDestination(settings: CaptionDestinationSettings): CaptionDestination {
  const {
    WebvttDestinationSettings: webVtt,
    ImscDestinationSettings: imsc,
    TtmlDestinationSettings: ttml = {},
  } = settings;
  switch (settings.DestinationType) {
    case 'BURN_IN':
      return planBurnIn(settings.BurninDestinationSettings ?? {});
    case 'SRT':
      return sidecar('srt', settings.SrtDestinationSettings?.StylePassthrough);
    case 'WEBVTT':
      return {
        ...sidecar('webvtt', webVtt?.StylePassthrough),
        areTwinsMerged: webVtt?.StylePassthrough === 'MERGE',
        isForAccessibility: webVtt?.Accessibility === 'ENABLED',
      };
    case 'IMSC':
      return {
        ...sidecar('imsc', imsc?.StylePassthrough ?? 'ENABLED'),
        isForAccessibility: imsc?.Accessibility === 'ENABLED',
      };
    case 'TTML':
      return { ...sidecar('ttml', ttml.StylePassthrough), style: ttmlStyle(ttml) };
    case 'SCC':
      return { ...sidecar('scc', 'ENABLED'), timecode: planTimecode(settings.SccDestinationSettings?.Framerate) };
    case 'SMI':
      return sidecar('smi', 'ENABLED');
    default: {
      const channel = settings.EmbeddedDestinationSettings?.Destination608ChannelNumber;
      return { kind: 'embedded', ...(channel !== undefined && { channel }) };
    }
  }
}

function sidecar(format: SidecarDestination['format'], style: string | undefined): SidecarDestination {
  return { kind: 'sidecar', format, isStyleKept: style === 'ENABLED' || style === 'MERGE' };
}

const SCC_RATES: Readonly<Record<string, readonly [number, number]>> = {
  FRAMERATE_23_97: [24_000, 1001],
  FRAMERATE_24: [24, 1],
  FRAMERATE_25: [25, 1],
};

function planTimecode(framerate: string | undefined): NonNullable<SidecarDestination['timecode']> {
  const [num, den] = SCC_RATES[framerate ?? ''] ?? [30_000, 1001];
  return { framerate: { num, den }, isDropFrame: framerate === 'FRAMERATE_29_97_DROPFRAME' };
}

const COLORS: Readonly<Record<string, string>> = {
  BLACK: '#000000',
  WHITE: '#ffffff',
  RED: '#ff0000',
  GREEN: '#008000',
  BLUE: '#0000ff',
  YELLOW: '#ffff00',
};

/** `#rrggbb` and the opacity, 0 to 255, as TTML writes them. */
function withOpacity(color: string, opacity: number): string {
  return `${color}${opacity.toString(16).padStart(2, '0')}`;
}

function ttmlStyle(ttml: TtmlDestinationSettings): Record<string, string> {
  const isKept = ttml.StylePassthrough === 'ENABLED';
  const { FontOpacity: opacity, BackgroundOpacity: backOpacity, FontSize: size = 0 } = ttml;
  const color = COLORS[ttml.FontColor ?? ''] ?? (opacity !== undefined ? '#ffffff' : undefined);
  const isBackNone = ttml.BackgroundColor === 'NONE';
  const back = COLORS[ttml.BackgroundColor ?? ''] ?? (isKept && backOpacity === undefined ? undefined : '#000000');
  return {
    ...(color !== undefined && { 'tts:color': withOpacity(color, opacity ?? 255) }),
    ...(isBackNone && { 'tts:backgroundColor': 'transparent' }),
    ...(!isBackNone && back !== undefined && { 'tts:backgroundColor': withOpacity(back, backOpacity ?? 255) }),
    ...(size > 0 && { 'tts:fontSize': `${size}px` }),
    ...(ttml.FontStyle !== undefined && { 'tts:fontStyle': ttml.FontStyle.toLowerCase() }),
    ...(ttml.FontWeight !== undefined && { 'tts:fontWeight': ttml.FontWeight.toLowerCase() }),
    ...(ttml.TextDecoration !== undefined && { 'tts:textDecoration': ttml.TextDecoration.toLowerCase() }),
  };
}

function planBurnIn(burnIn: BurninDestinationSettings): BurnInDestination {
  const { HexFontColor: hex = '' } = burnIn;
  const fontColor = burnIn.FontColor === 'HEX' ? `#${hex.slice(0, 6).toLowerCase()}` : COLORS[burnIn.FontColor ?? ''];
  const hexOpacity = burnIn.FontColor === 'HEX' && hex.length === 8 ? Number.parseInt(hex.slice(6), 16) : undefined;
  const fontOpacity = burnIn.FontOpacity ?? hexOpacity;
  const outlineColor = COLORS[burnIn.OutlineColor ?? ''];
  const back = planBox(burnIn.BackgroundColor, burnIn.BackgroundOpacity);
  const shadow = planBox(burnIn.ShadowColor, burnIn.ShadowOpacity);
  const { FontSize: size = 0, Alignment: align } = burnIn;
  return {
    kind: 'burn-in',
    isStyleKept: burnIn.StylePassthrough === 'ENABLED',
    ...(size > 0 && { fontSize: size }),
    ...(fontColor !== undefined && { fontColor }),
    isColorForWhiteOnly: burnIn.ApplyFontColor !== 'ALL_TEXT',
    ...(fontOpacity !== undefined && { fontOpacity: fontOpacity / 255 }),
    ...(outlineColor !== undefined && { outlineColor }),
    ...(burnIn.OutlineSize !== undefined && { outlineSize: burnIn.OutlineSize }),
    ...(back !== undefined && { backgroundColor: back.color, backgroundOpacity: back.opacity }),
    ...(shadow !== undefined && { shadowColor: shadow.color, shadowOpacity: shadow.opacity }),
    ...(burnIn.ShadowXOffset !== undefined && { shadowX: burnIn.ShadowXOffset }),
    ...(burnIn.ShadowYOffset !== undefined && { shadowY: burnIn.ShadowYOffset }),
    ...(align === 'CENTERED' && { align: 'center' }),
    ...(align === 'LEFT' && { align: 'left' }),
    ...(burnIn.XPosition !== undefined && { x: burnIn.XPosition }),
    ...(burnIn.YPosition !== undefined && { y: burnIn.YPosition }),
    isMonospaced: burnIn.FallbackFont === 'MONOSPACED_SANSSERIF' || burnIn.TeletextSpacing === 'FIXED_GRID',
    isSerif: burnIn.FallbackFont === 'PROPORTIONAL_SERIF',
  };
}

/** Without an opacity there is none to see, whatever its colour. */
function planBox(
  color: string | undefined,
  opacity = 0,
): { readonly color: string; readonly opacity: number } | undefined {
  if (color === 'NONE' || opacity === 0) return undefined;
  return { color: COLORS[color ?? ''] ?? '#000000', opacity: opacity / 255 };
}

/** What the main manifest of an HLS group says of captions in its pictures. */
export function planClosedCaptions(hls: HlsGroupSettings): { readonly closedCaptions?: ClosedCaptions } {
  if (hls.CaptionLanguageSetting === 'NONE') return { closedCaptions: 'none' };
  if (hls.CaptionLanguageSetting !== 'INSERT') return {};
  const closedCaptions = (hls.CaptionLanguageMappings ?? []).map((mapping, index) => {
    const language = (mapping.CustomLanguageCode ?? mapping.LanguageCode)?.toLowerCase();
    return {
      channel: mapping.CaptionChannel ?? index + 1,
      ...(language !== undefined && { language }),
      title: mapping.LanguageDescription ?? language ?? `CC${mapping.CaptionChannel ?? index + 1}`,
    };
  });
  return { closedCaptions };
}

/** The extensions that the service gives to files of captions. */
const EXTENSIONS: Readonly<Record<SidecarDestination['format'], string>> = {
  srt: 'srt',
  webvtt: 'vtt',
  ttml: 'ttml',
  imsc: 'xml',
  scc: 'scc',
  smi: 'smi',
};

/** Of a file of captions; `undefined` for an output of something else. */
export function captionExtension(output: Output): string | undefined {
  const destination = planCaptions(output).captions?.[0]?.destination;
  return destination?.kind === 'sidecar' ? EXTENSIONS[destination.format] : undefined;
}
