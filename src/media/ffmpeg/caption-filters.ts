import type { BurnInDestination } from '../caption-settings.ts';
import { type Cue, type CueLine, type CuePlace, type TextSpan, withoutStyle } from '../captions/cue.ts';
import { fontFile, optionValue } from './font.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Of the picture's height. */
const USUAL_SIZE = 1 / 18;
const LEAST_SIZE = 8;
/** Of the font's size. */
const LINE_HEIGHT = 1.25;
/** A letter's usual width, of the font's size. */
const LETTER_WIDTH = 0.56;
/** Of the picture, left free at each side. */
const MARGIN = 0.05;
/** Lines that a picture has room for are few; more would only take time. */
const MOST_LINES = 24;

/**
 * FFmpeg's filters that draw captions on a picture, one for each line. A line has one style: that of most of its text.
 */
export function captionFilters(cues: readonly Cue[], settings: BurnInDestination, picture: Size): string[] {
  const size = settings.fontSize ?? Math.max(LEAST_SIZE, Math.round(picture.height * USUAL_SIZE));
  const shown = settings.isStyleKept ? cues : cues.map(withoutStyle);
  const filters: string[] = [];
  /** Captions without a place of their own stand above each other. */
  let bottom = picture.height * (1 - MARGIN);
  for (const cue of shown) {
    const lines = cue.lines.flatMap((line) => wrap(line, size, picture)).slice(0, MOST_LINES - filters.length);
    const height = lines.length * size * LINE_HEIGHT;
    const top = topOf(cue.place, settings, height, bottom, picture);
    const isUsual = settings.y === undefined && cue.place?.line === undefined;
    if (isUsual) bottom = Math.max(height, bottom - height);
    lines.forEach((line, index) => {
      const y = Math.round(Math.max(0, top) + index * size * LINE_HEIGHT);
      filters.push(drawText(line, size, { x: acrossOf(cue.place, settings, picture), y }, settings));
    });
  }
  return filters.length === 0 ? ['null'] : filters;
}

function topOf(
  place: CuePlace | undefined,
  settings: BurnInDestination,
  height: number,
  bottom: number,
  picture: Size,
): number {
  if (settings.y !== undefined) return settings.y;
  if (place?.line === undefined) return bottom - height;
  const at = (place.line / 100) * picture.height;
  const part = { top: 0, middle: 0.5, bottom: 1 }[place.lineAnchor ?? 'top'];
  return Math.min(at - height * part, picture.height - height);
}

/** An expression: drawtext alone knows how wide a text is. */
function acrossOf(place: CuePlace | undefined, settings: BurnInDestination, picture: Size): string {
  const { x, align } = settings;
  const margin = Math.round(picture.width * MARGIN);
  if (x !== undefined) return align === 'center' ? `${x}-text_w/2` : String(x);
  if (align === 'left') return String(margin);
  if (align === 'center' || place === undefined) return '(w-text_w)/2';
  const kind = place.align ?? 'center';
  const usual = { start: 100 * MARGIN, center: 50, end: 100 - 100 * MARGIN }[kind];
  const at = Math.round(((place.position ?? usual) / 100) * picture.width);
  const begin = { start: `${at}`, center: `${at}-text_w/2`, end: `${at}-text_w` }[kind];
  return `max(0\\,min(w-text_w\\,${begin}))`;
}

function drawText(
  line: CueLine,
  size: number,
  at: { readonly x: string; readonly y: number },
  settings: BurnInDestination,
): string {
  const [first] = line.toSorted((a, b) => b.text.length - a.text.length);
  const look = first ?? { text: '' };
  const font = fontFile({
    family: settings.isMonospaced === true ? 'mono' : settings.isSerif === true ? 'serif' : 'sans',
    isBold: look.isBold === true,
    isItalic: look.isItalic === true,
  });
  const options: readonly (readonly [string, string | number])[] = [
    ['fontfile', optionValue(font)],
    ['text', optionValue(line.map(({ text }) => text).join(''))],
    // INVARIANT: nothing in a caption is an expression.
    ['expansion', 'none'],
    ['fontsize', size],
    ['fontcolor', withOpacity(colorOf(look, settings), settings.fontOpacity ?? 1)],
    ['x', at.x],
    ['y', at.y],
    ['y_align', 'font'],
    ...outline(size, settings),
    ...shadow(settings),
    ...box(size, settings),
  ];
  return `drawtext=${options.map(([name, value]) => `${name}=${value}`).join(':')}`;
}

function colorOf({ color }: TextSpan, settings: BurnInDestination): string {
  const { fontColor, isColorForWhiteOnly } = settings;
  if (fontColor === undefined) return color ?? '#ffffff';
  const isWhite = color === undefined || color === '#ffffff';
  return isColorForWhiteOnly === true && !isWhite ? color : fontColor;
}

function withOpacity(color: string, opacity: number): string {
  return `0x${color.slice(1)}@${opacity.toFixed(3)}`;
}

function outline(
  size: number,
  { outlineColor, outlineSize, fontOpacity }: BurnInDestination,
): (readonly [string, string | number])[] {
  const width = outlineSize ?? Math.max(1, Math.round(size / 14));
  if (width === 0) return [];
  return [
    ['borderw', width],
    ['bordercolor', withOpacity(outlineColor ?? '#000000', fontOpacity ?? 1)],
  ];
}

function shadow(settings: BurnInDestination): (readonly [string, string | number])[] {
  const { shadowColor, shadowOpacity = 0, shadowX = 2, shadowY = 2 } = settings;
  if (shadowColor === undefined || shadowOpacity === 0) return [];
  return [
    ['shadowcolor', withOpacity(shadowColor, shadowOpacity)],
    ['shadowx', shadowX],
    ['shadowy', shadowY],
  ];
}

function box(
  size: number,
  { backgroundColor, backgroundOpacity = 0 }: BurnInDestination,
): (readonly [string, string | number])[] {
  if (backgroundColor === undefined || backgroundOpacity === 0) return [];
  return [
    ['box', 1],
    ['boxcolor', withOpacity(backgroundColor, backgroundOpacity)],
    ['boxborderw', Math.max(1, Math.round(size / 8))],
  ];
}

/** Lines that the picture has room for, broken between words. */
function wrap(line: CueLine, size: number, picture: Size): CueLine[] {
  const most = Math.max(4, Math.floor((picture.width * (1 - 2 * MARGIN)) / (size * LETTER_WIDTH)));
  const lines: TextSpan[][] = [[]];
  let length = 0;
  for (const span of line) {
    for (const word of span.text.match(/\s*\S+|\s+$/g) ?? []) {
      if (length > 0 && length + word.length > most) {
        lines.push([{ ...span, text: word.trimStart() }]);
        length = word.trimStart().length;
      } else {
        lines.at(-1)?.push({ ...span, text: word });
        length += word.length;
      }
    }
  }
  return lines.filter((one) => one.length > 0);
}
