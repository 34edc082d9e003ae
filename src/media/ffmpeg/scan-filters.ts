import type { Rational, VideoSettings } from '../video-settings.ts';

/** The rate of pictures of film, which telecine takes. */
const FILM: Rational = { num: 24_000, den: 1001 };

interface ScanFacts {
  /** Of the encoder. */
  readonly framerate: Rational;
  /** Of the input. */
  readonly sourceRate: Rational;
}

/** How many pictures a second are wanted before fields are made of them. */
export function pictureRate(settings: VideoSettings, { framerate, sourceRate }: ScanFacts): Rational {
  if (settings.isTelecined === true) return FILM;
  return isDoubled(settings, { framerate, sourceRate }) ? { num: framerate.num * 2, den: framerate.den } : framerate;
}

/** Each picture of the input becomes a field, where it has twice as many; else each becomes two. */
function isDoubled({ interlaced }: VideoSettings, { framerate, sourceRate }: ScanFacts): boolean {
  if (interlaced?.isOptimized !== true) return false;
  const ratio = (sourceRate.num * framerate.den) / (sourceRate.den * framerate.num);
  return Math.abs(ratio - 2) < 0.01;
}

function halfWide(pixelFormat: string): string {
  return pixelFormat.replace('yuv420p', 'yuv422p');
}

/** Makes the fields, at the picture's final size. */
export function fieldFilters(settings: VideoSettings, facts: ScanFacts, pixelFormat: string): string[] {
  const { interlaced, isTelecined } = settings;
  if (interlaced === undefined) return [];
  const { firstField, isFollowed } = interlaced;
  const order = firstField === 'top' ? 'tff' : 'bff';
  if (isTelecined === true) return [`telecine=first_field=${firstField}:pattern=23`, `setfield=mode=${order}`];
  if (isDoubled(settings, facts)) return [`interlace=scan=${order}:lowpass=linear`];
  if (isFollowed) return [];
  // The filter that moves the fields of others takes no pictures whose chroma has half of the lines.
  const turn = ['scale=interl=-1', `format=${halfWide(pixelFormat)}`, `fieldorder=order=${order}`];
  return [...turn, 'scale=interl=-1', `format=${pixelFormat}`, `setfield=mode=${order}`];
}

const STRENGTHS = { low: '1:0.8:2:2', medium: '2:1.5:3:3', high: '3.5:2.5:5:5' } as const;
const SHARPENINGS = { low: 0.3, medium: 0.6, high: 1 } as const;

/** Takes out noise, which costs many bits, and gives edges back what that took from them. */
export function bandwidthFilters({ bandwidthReduction: reduction }: VideoSettings): string[] {
  if (reduction === undefined) return [];
  const { strength, sharpening } = reduction;
  return [
    `hqdn3d=${STRENGTHS[strength]}`,
    ...(sharpening === undefined ? [] : [`unsharp=5:5:${SHARPENINGS[sharpening]}:5:5:0`]),
  ];
}
