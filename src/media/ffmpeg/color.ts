import type { Stream } from 'node-av/lib';
import {
  type ColorSpace,
  type HdrMetadata,
  HLG,
  type InputColor,
  isHdr,
  type OutputColor,
  PQ,
} from '../color-settings.ts';
import type { InputPicture } from '../picture-settings.ts';
import type { VideoCodecSettings, VideoSettings } from '../video-settings.ts';

/** The colours of pictures at some place of a graph: numbers of H.273, and FFmpeg's of the range. */
export interface Color extends ColorSpace {
  /** 0 unknown, 1 limited, 2 full. */
  readonly range: number;
  /** Candelas per square metre of the brightest light, where it is known. */
  readonly peak?: number;
}

/** As FFmpeg's streams and frames say it. */
export interface MarkedColor {
  readonly colorPrimaries: number;
  readonly colorTrc: number;
  readonly colorSpace: number;
  readonly colorRange: number;
}

const [UNKNOWN, RGB, BT709] = [2, 0, 1];
export const [LIMITED_RANGE, FULL_RANGE] = [1, 2];
const HD_HEIGHT = 720;
/** Candelas per square metre: white where HDR becomes SDR, and the brightest light of HDR that says nothing. */
const [SDR_WHITE, USUAL_PEAK] = [203, 1000];

/** What the colours of an input are, by its marks and by the settings. */
export function inputColor(marks: MarkedColor, settings: InputColor | undefined): Color {
  const own = { primaries: marks.colorPrimaries, transfer: marks.colorTrc, matrix: marks.colorSpace };
  const isMarked =
    own.primaries !== UNKNOWN || own.transfer !== UNKNOWN || (own.matrix !== UNKNOWN && own.matrix !== RGB);
  const isTaken = settings?.space !== undefined && !(settings.isFallback && isMarked);
  const space = isTaken ? { ...settings.space, ...(own.matrix === RGB && { matrix: RGB }) } : own;
  const range =
    settings?.range === undefined ? marks.colorRange : settings.range === 'full' ? FULL_RANGE : LIMITED_RANGE;
  return { ...space, range, ...(settings?.peak !== undefined && { peak: settings.peak }) };
}

/** Corrects the marks of an input's pictures. */
export function inputColorSteps(marks: MarkedColor, color: Color): string[] {
  const isRight =
    color.primaries === marks.colorPrimaries &&
    color.transfer === marks.colorTrc &&
    color.matrix === marks.colorSpace &&
    color.range === marks.colorRange;
  if (isRight) return [];
  const { primaries, transfer, matrix, range } = color;
  return [`setparams=color_primaries=${primaries}:color_trc=${transfer}:colorspace=${matrix}:range=${range}`];
}

/** The colours of an output, decided once, by the first input. */
function outputColor(input: Color, settings: OutputColor | undefined, codec: VideoCodecSettings): Color {
  const matrix = input.matrix === RGB ? BT709 : input.matrix;
  const space = settings?.space ?? { primaries: input.primaries, transfer: input.transfer, matrix };
  const isFullKept =
    input.range === FULL_RANGE &&
    settings?.range === undefined &&
    settings?.space === undefined &&
    input.matrix !== RGB;
  return { ...space, range: isFullKept && FULL_RANGE_CODECS.includes(codec.kind) ? FULL_RANGE : LIMITED_RANGE };
}

/**
 * What an encoder is told of colours.
 *
 * @param hdrOfInput looks into the input for its own static metadata of HDR10
 */
export function encoderColor(
  source: Stream,
  { color: settings }: InputPicture,
  { picture, codec, isColorTagged }: VideoSettings,
  hdrOfInput: () => HdrMetadata | undefined,
): { readonly color: Color; readonly hdr?: HdrMetadata } {
  const input = inputColor(source.codecpar, settings);
  const color = outputColor(input, picture?.color, codec);
  if (codec.kind !== 'h265' || color.transfer !== PQ || !isColorTagged) return { color };
  const own = (): HdrMetadata | undefined => (source.codecpar.colorTrc === PQ ? hdrOfInput() : undefined);
  const said = settings?.isFallback === true ? (own() ?? settings.hdr) : (settings?.hdr ?? own());
  const hdr = picture?.color?.hdr ?? said;
  return { color, ...(hdr !== undefined && { hdr }) };
}

/** Those that can say that all values are used, as other films than these seldom do. */
const FULL_RANGE_CODECS: readonly string[] = ['h264', 'h265', 'av1'];

/** The filter option by which RGB becomes the matrix of an output; others keep theirs. */
export function matrixOption(from: Color, to: Color): string {
  return from.matrix === RGB && to.matrix === BT709 ? ':out_color_matrix=bt709' : '';
}

/** Brings pictures of one colour space into another, at the output's size; the range is right already. */
export function conversionSteps(from: Color, to: Color, settings: OutputColor | undefined, height: number): string[] {
  if (settings?.space === undefined) return [];
  const known = completed(from, height);
  if (known.primaries === to.primaries && known.transfer === to.transfer && known.matrix === to.matrix) return [];
  const source = `pin=${known.primaries}:tin=${known.transfer}:min=${known.matrix}:rin=0`;
  const target = `p=${to.primaries}:t=${to.transfer}:m=${to.matrix}:r=0`;
  // So that the filters before leave the samples as they are.
  const form = 'format=yuv420p10le|yuv422p10le|yuv444p10le';
  if (isHdr(known) && !isHdr(to)) return [form, ...toneMapping(known, source, target, to, settings)];
  const white = isHdr(to) && !isHdr(known) ? settings.sdrWhite : USUAL_PEAK;
  return [form, `zscale=${source}:${target}:npl=${white}`];
}

/** Light is made linear, mapped and coded again, in floating point. */
function toneMapping(from: Color, source: string, target: string, to: Color, settings: OutputColor): string[] {
  const peak = (settings.peak ?? from.peak ?? USUAL_PEAK) / SDR_WHITE;
  // HLG has no light that is not to be shown: its details are always kept.
  const isVibrant = settings.toneMapping === 'vibrant' && from.transfer !== HLG;
  const curve = isVibrant ? 'tonemap=mobius:param=0.7:desat=0' : 'tonemap=hable:desat=0';
  return [
    `zscale=${source}:t=linear:npl=${SDR_WHITE}`,
    'format=gbrpf32le',
    `zscale=p=${to.primaries}`,
    `${curve}:peak=${peak.toFixed(4)}`,
    `zscale=${target}`,
  ];
}

/** What nothing says is as it usually is at that size. */
export function completed(color: Color, height: number): Color {
  const usual = height >= HD_HEIGHT ? BT709 : 6;
  const or = (value: number): number => (value === UNKNOWN || value === RGB ? usual : value);
  return { ...color, primaries: or(color.primaries), transfer: or(color.transfer), matrix: or(color.matrix) };
}

/** Brightness, contrast, saturation, hue, and limits. */
export function correctionSteps(settings: OutputColor | undefined, to: Color): string[] {
  if (settings === undefined) return [];
  const { brightness = 0, contrast = 1, saturation = 1, hue = 0, range } = settings;
  const steps: string[] = [];
  if (brightness !== 0 || contrast !== 1) {
    const middle = '(maxval+minval)/2';
    steps.push(`lutyuv=y='clip((val-${middle})*${contrast}+${middle}+${brightness}*(maxval-minval),minval,maxval)'`);
  }
  if (saturation !== 1 || hue !== 0) steps.push(`hue=h=${hue}:s=${saturation}`);
  if (typeof range === 'object') {
    // In ten bits; then to red, green and blue and back, which cuts off what they cannot have.
    const limits = `limiter=min=${range.minimum}:max=${range.maximum}`;
    const matrix =
      to.matrix === UNKNOWN
        ? ''
        : `:out_color_matrix=${to.matrix === 9 ? 'bt2020' : to.matrix === BT709 ? 'bt709' : 'bt601'}`;
    steps.push('format=yuv444p10le', limits, 'format=gbrp10le', `scale=out_range=tv${matrix}`, 'format=yuv444p10le');
  }
  return steps;
}
