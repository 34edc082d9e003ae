import { parseColor, webVttClassColor } from './colors.ts';
import { type CueLine, styleOf, type TextSpan, type TextStyle } from './cue.ts';

interface Dialect {
  /** Whether what stands between `<` and `>` is a tag; else it is text. */
  isTag(name: string): boolean;
  readonly areEntitiesDecoded: boolean;
}

const STYLE_TAGS: ReadonlySet<string> = new Set(['i', 'b', 'u', 'font', 'em', 'strong']);

export const SRT_MARKUP: Dialect = {
  isTag: (name) => STYLE_TAGS.has(name) || name === 'br' || name === 's',
  areEntitiesDecoded: false,
};
/** WebVTT and SAMI: what is no tag that is known does not show either. */
export const MARKUP: Dialect = { isTag: () => true, areEntitiesDecoded: true };

interface OpenTag {
  readonly name: string;
  readonly style: TextStyle;
}

const MOST_OPEN = 32;
const LONGEST_TAG = 1000;

/** Text with HTML-like tags, as lines of styled spans. Tags that are not closed end with the text. */
export function parseMarkup(text: string, dialect: Dialect): CueLine[] {
  const lines: TextSpan[][] = [[]];
  const open: OpenTag[] = [];
  const show = (piece: string): void => {
    const style = open.at(-1)?.style ?? {};
    const shown = dialect.areEntitiesDecoded ? decodeEntities(piece) : piece;
    shown.split('\n').forEach((part, index) => {
      if (index > 0) lines.push([]);
      if (part !== '') lines.at(-1)?.push({ ...style, text: part });
    });
  };
  let at = 0;
  let end = 0;
  while (at < text.length) {
    const tagAt = text.indexOf('<', at);
    if (tagAt < 0) break;
    show(text.slice(at, tagAt));
    // Looked for once: of many beginnings each would search up to the same end.
    if (end <= tagAt) end = text.indexOf('>', tagAt);
    if (end < 0) {
      at = tagAt;
      break;
    }
    const inside = text.slice(tagAt + 1, Math.min(end, tagAt + LONGEST_TAG));
    const name = (/^\/?\s*([a-z0-9]*)/i.exec(inside)?.[1] ?? '').toLowerCase();
    const isTag = !/^\s/.test(inside) && !inside.includes('<') && dialect.isTag(name);
    if (!isTag) {
      show('<');
      at = tagAt + 1;
      continue;
    }
    if (inside.startsWith('/')) close(open, name);
    else if (name === 'br') show('\n');
    else if (open.length < MOST_OPEN) open.push({ name, style: opened(open.at(-1)?.style ?? {}, name, inside) });
    at = end + 1;
  }
  show(text.slice(at));
  return lines;
}

function close(open: OpenTag[], name: string): void {
  const index = open.findLastIndex((tag) => tag.name === name);
  if (index >= 0) open.splice(index);
}

function opened(style: TextStyle, name: string, inside: string): TextStyle {
  if (name === 'i' || name === 'em') return styleOf({ ...style, isItalic: true });
  if (name === 'b' || name === 'strong') return styleOf({ ...style, isBold: true });
  if (name === 'u') return styleOf({ ...style, isUnderlined: true });
  if (name === 'font') {
    const value = /\bcolor\s*=\s*(?:"([^"]{1,40})"|'([^']{1,40})'|([^\s"'>]{1,40}))/i.exec(inside);
    const color = parseColor(value?.[1] ?? value?.[2] ?? value?.[3] ?? '');
    return color === undefined ? style : { ...style, color };
  }
  if (name === 'c') {
    const color = inside
      .split(/[\s.]+/)
      .map(webVttClassColor)
      .find((found) => found !== undefined);
    return color === undefined ? style : { ...style, color };
  }
  return style;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  lrm: '\u200e',
  rlm: '\u200f',
};

/** Character references; those that nobody knows stay as they are. */
export function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{1,8}));/gi, (whole, decimal, hex, name) => {
    if (typeof name === 'string') {
      const key = name.toLowerCase();
      return Object.hasOwn(ENTITIES, key) ? (ENTITIES[key] ?? whole) : whole;
    }
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
    const isCharacter = code > 0 && code <= 0x10_ffff && (code < 0xd800 || code > 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : '\ufffd';
  });
}

export function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Puts the tags that SRT, WebVTT and SAMI share around a text, which is escaped already where it has to be. */
export function withStyleTags(text: string, { isItalic, isBold, isUnderlined }: TextStyle): string {
  let written = text;
  if (isUnderlined === true) written = `<u>${written}</u>`;
  if (isItalic === true) written = `<i>${written}</i>`;
  if (isBold === true) written = `<b>${written}</b>`;
  return written;
}
