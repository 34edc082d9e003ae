import type { OutputGroup } from './output-group.ts';
import type { Rational, VideoSettings } from './video-settings.ts';

/** How the renditions of a group are chosen from its input. */
export interface AbrSettings {
  readonly maxRenditions: number;
  /** Bits a second on average: of the largest at most, of the smallest at least. */
  readonly maxBitrate: number;
  readonly minBitrate: number;
  /** Absent: by the size. */
  readonly maxQualityLevel?: number;
  /** Absent: any. */
  readonly allowed?: readonly Size[];
  /** These are made in any case. */
  readonly forced: readonly Size[];
  readonly minTop?: Size;
  readonly minBottom?: Size;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rendition extends Size {
  /** Bits a second on average. */
  readonly bitrate: number;
  readonly qualityLevel: number;
}

/** Lines of pictures, and bits a second that H.264 takes of them at up to 30 pictures a second. */
const STEPS = [
  [2160, 16_000_000],
  [1440, 10_000_000],
  [1080, 6_000_000],
  [720, 4_000_000],
  [540, 2_200_000],
  [432, 1_400_000],
  [360, 900_000],
  [270, 600_000],
] as const;

const FAST_FACTOR = 1.4;
const H265_FACTOR = 0.65;

interface Source extends Size {
  readonly framerate: Rational;
}

/**
 * The renditions for an input, the largest first. They have its shape and are not larger than it; which they are
 * depends on nothing but the arguments.
 */
export function chooseLadder(settings: AbrSettings, source: Source, codec: 'h264' | 'h265'): readonly Rendition[] {
  const rate = source.framerate.num / source.framerate.den;
  const factor = (rate > 35 ? FAST_FACTOR : 1) * (codec === 'h265' ? H265_FACTOR : 1);
  const { allowed, forced, minTop, minBottom } = settings;
  const own = { width: even(source.width), height: even(source.height) };
  const usual = STEPS.flatMap(([height]) => (height < own.height ? [scaled(source, height)] : []));
  const fitting = (allowed ?? [own, ...usual]).filter((size) => size.height <= own.height && size.width <= own.width);
  const candidates = fitting.filter((size) => {
    if (minBottom !== undefined && isSmaller(size, minBottom)) return false;
    // Too many pixels for the bits that there are at the most.
    const isTooLarge = bitsOf(size) * factor > settings.maxBitrate * 2.5;
    return !isTooLarge || (minTop !== undefined && !isSmaller(size, minTop));
  });
  const wanted = limit(candidates.length > 0 ? sorted(candidates) : [fitting.at(-1) ?? own], settings, factor);
  const all = sorted([...wanted, ...forced]);
  return all.map((size) => ({
    ...size,
    bitrate: Math.round(Math.max(settings.minBitrate, Math.min(settings.maxBitrate, bitsOf(size) * factor))),
    qualityLevel: levelFor(size, settings.maxQualityLevel),
  }));
}

/** Leaves out what takes less than the least, and of too many those in the middle. */
function limit(sizes: readonly Size[], settings: AbrSettings, factor: number): readonly Size[] {
  const enough = sizes.filter((size, index) => index === 0 || bitsOf(size) * factor >= settings.minBitrate * 0.75);
  const most = Math.max(1, settings.maxRenditions - settings.forced.length);
  if (enough.length <= most) return enough;
  const step = most === 1 ? 0 : (enough.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => enough[Math.round(index * step)]).filter(
    (size) => size !== undefined,
  );
}

/** Bits a second of a size, between those of the steps around it. */
function bitsOf({ width, height }: Size): number {
  const pixels = width * height;
  const exact = STEPS.map(([lines, bits]) => [(lines * lines * 16) / 9, bits] as const);
  const above = exact.findLast(([count]) => count >= pixels) ?? exact[0];
  const below = exact.find(([count]) => count <= pixels) ?? exact.at(-1) ?? above;
  if (above === undefined || below === undefined) return 0;
  if (above[0] === below[0]) return (above[1] * pixels) / above[0];
  const share = (pixels - below[0]) / (above[0] - below[0]);
  return below[1] + (above[1] - below[1]) * Math.max(0, share);
}

/** The levels that MediaConvert's guide begins with. */
function levelFor({ height }: Size, most = 10): number {
  return Math.min(most, height >= 1080 ? 9 : height >= 720 ? 8 : 7);
}

function isSmaller(size: Size, than: Size): boolean {
  return size.width * size.height < than.width * than.height;
}

function scaled(source: Size, height: number): Size {
  return { width: even((source.width * height) / source.height), height };
}

function even(pixels: number): number {
  return Math.max(32, Math.round(pixels / 2) * 2);
}

/** The largest first, and none twice. */
function sorted(sizes: readonly Size[]): readonly Size[] {
  const known = new Map(sizes.map(({ width, height }) => [`${width}x${height}`, { width, height }]));
  return [...known.values()].sort((a, b) => b.width * b.height - a.width * a.height);
}

/** A group with a rendition for each step of its ladder in place of the picture that describes them. */
export function withLadder(group: OutputGroup, source: Source): OutputGroup {
  const { abr } = group;
  if (abr === undefined || group.kind === 'file') return group;
  const expand = <Each extends { readonly nameModifier: string; readonly video?: VideoSettings }>(
    outputs: readonly Each[],
  ): readonly Each[] => outputs.flatMap((output) => renditionsOf(output, abr, source));
  if (group.kind === 'hls') return { ...group, outputs: expand(group.outputs) };
  if (group.kind === 'smooth') return { ...group, outputs: expand(group.outputs) };
  return { ...group, outputs: expand(group.outputs) };
}

function renditionsOf<Each extends { readonly nameModifier: string; readonly video?: VideoSettings }>(
  output: Each,
  abr: AbrSettings,
  source: Source,
): readonly Each[] {
  const { video } = output;
  if (video === undefined || (video.codec.kind !== 'h264' && video.codec.kind !== 'h265')) return [output];
  const framerate = video.framerate ?? source.framerate;
  return chooseLadder(abr, { ...source, framerate }, video.codec.kind).map((rendition) => {
    const { width, height, bitrate, qualityLevel: level } = rendition;
    const rateControl = {
      mode: 'qvbr',
      level,
      maxBitrate: Math.round(bitrate * 1.5),
      maxAverageBitrate: bitrate,
    } as const;
    const codec =
      video.codec.kind === 'h264' || video.codec.kind === 'h265' ? { ...video.codec, rateControl } : video.codec;
    return {
      ...output,
      nameModifier: `${output.nameModifier}_${width}x${height}_${Math.round(bitrate / 1000)}k`,
      video: { ...video, width, height, codec },
    };
  });
}
