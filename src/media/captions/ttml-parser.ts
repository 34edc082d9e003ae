import { CaptionError } from './caption-error.ts';
import { parseColor } from './colors.ts';
import { type Cue, type CuePlace, LATEST_MS, makeCue, MOST_CUES, styleOf, type TextSpan } from './cue.ts';
import { clockOf, parseTtmlTime, type TtmlClock } from './ttml-time.ts';
import { childOf, childrenOf, parseXmlTree, type XmlNode } from './xml-tree.ts';

type Style = ReadonlyMap<string, string>;

interface Document {
  readonly clock: TtmlClock;
  readonly styles: ReadonlyMap<string, XmlNode>;
  readonly regions: ReadonlyMap<string, XmlNode>;
  readonly root: XmlNode;
  /** What was found of styles and regions. */
  readonly shared: Map<XmlNode, readonly [string, string][]>;
}

interface Interval {
  readonly from: number;
  readonly to: number;
}

/** What an element gets from those around it. */
interface Context {
  readonly interval: Interval;
  readonly style: Style;
  readonly region: XmlNode | undefined;
  readonly isSpacePreserved: boolean;
}

/**
 * TTML and its profiles (IMSC, SMPTE-TT, EBU-TT-D, DFXP). Pictures in it, animations and rubies are passed over.
 *
 * @throws CaptionError when it is not well-formed, or no TTML
 */
export function parseTtml(text: string): Cue[] {
  const root = parseXmlTree(text);
  if (root.name !== 'tt') throw new CaptionError('The caption file is not TTML: its root element is not tt');
  const head = childOf(root, 'head');
  const document: Document = {
    root,
    clock: clockOf(root),
    styles: byId(childrenOf(childOf(head, 'styling'), 'style')),
    regions: byId(childrenOf(childOf(head, 'layout'), 'region')),
    shared: new Map(),
  };
  const cues: Cue[] = [];
  const body = childOf(root, 'body');
  const isSpacePreserved = root.attributes.get('space') === 'preserve';
  const whole: Context = {
    interval: { from: 0, to: LATEST_MS },
    style: new Map(),
    region: undefined,
    isSpacePreserved,
  };
  if (body !== undefined) visit(document, body, whole, cues);
  return cues;
}

function byId(nodes: readonly XmlNode[]): Map<string, XmlNode> {
  return new Map(nodes.map((node) => [node.attributes.get('id') ?? '', node]));
}

function visit(document: Document, node: XmlNode, around: Context, cues: Cue[]): void {
  const context = enter(document, node, around);
  if (context === undefined) return;
  if (node.name === 'p') {
    paragraph(document, node, context, cues);
    if (cues.length > MOST_CUES) throw new CaptionError(`The caption file has more than ${MOST_CUES} captions`);
    return;
  }
  const isSequence = node.attributes.get('timeContainer') === 'seq';
  let from = context.interval.from;
  for (const child of childrenOf(node)) {
    if (child.name !== 'div' && child.name !== 'p') continue;
    visit(document, child, { ...context, interval: { ...context.interval, from } }, cues);
    if (isSequence) from = Math.max(from, intervalOf(document, child, { ...context.interval, from }).to);
  }
}

/** @returns `undefined` for an element that is never shown */
function enter(document: Document, node: XmlNode, around: Context): Context | undefined {
  const interval = intervalOf(document, node, around.interval);
  const regionId = node.attributes.get('region');
  const region = regionId === undefined ? around.region : document.regions.get(regionId);
  const regionStyle = regionId === undefined ? [] : region === undefined ? [] : sharedStyle(document, region);
  const style = new Map([...regionStyle, ...around.style, ...ownStyle(document, node)]);
  const space = node.attributes.get('space');
  const isSpacePreserved = space === undefined ? around.isSpacePreserved : space === 'preserve';
  const isHidden = interval.to <= interval.from || style.get('display') === 'none';
  return isHidden ? undefined : { interval, style, region, isSpacePreserved };
}

/** Times count from the beginning of the element around. */
function intervalOf({ clock }: Document, node: XmlNode, around: Interval): Interval {
  const begin = parseTtmlTime(node.attributes.get('begin'), clock);
  const end = parseTtmlTime(node.attributes.get('end'), clock);
  const length = parseTtmlTime(node.attributes.get('dur'), clock);
  const from = around.from + (begin ?? 0);
  const byEnd = end === undefined ? around.to : around.from + end;
  const byLength = length === undefined ? around.to : from + length;
  return { from, to: Math.min(around.to, byEnd, byLength) };
}

const MOST_REFERENCES = 16;
/** Styles that refer to styles that refer to styles. */
const MOST_DEPTH = 4;
/** What is drawn or written; more would only be carried along. */
const USED: ReadonlySet<string> = new Set([
  'color',
  'display',
  'displayAlign',
  'extent',
  'fontStyle',
  'fontWeight',
  'origin',
  'textAlign',
  'textDecoration',
]);

/** An element's own attributes go before those of the styles that it refers to. */
function ownStyle(document: Document, node: XmlNode, depth = 0): readonly [string, string][] {
  const referred = (node.attributes.get('style') ?? '').split(/\s+/).filter((id) => id !== '');
  const styles =
    depth > MOST_DEPTH
      ? []
      : referred.slice(0, MOST_REFERENCES).flatMap((id) => {
          const style = document.styles.get(id);
          return style === undefined ? [] : sharedStyle(document, style, depth + 1);
        });
  const nested = node.name === 'region' ? childrenOf(node, 'style').flatMap((style) => [...style.attributes]) : [];
  const used = [...nested, ...node.attributes].filter(([name]) => USED.has(name));
  return [...new Map([...styles, ...used])];
}

/**
 * Of a style or region, which many elements may refer to: found once, as styles that all refer to each other have more ways
 * through them than can be gone.
 */
function sharedStyle(document: Document, node: XmlNode, depth = 0): readonly [string, string][] {
  const known = document.shared.get(node);
  if (known !== undefined) return known;
  // A style that refers to itself has nothing from that.
  document.shared.set(node, []);
  const found = ownStyle(document, node, depth);
  document.shared.set(node, found);
  return found;
}

/** Spans with times of their own are captions of their own. */
function paragraph(document: Document, node: XmlNode, context: Context, cues: Cue[]): void {
  const texts = new Map<
    string,
    { readonly interval: Interval; readonly lines: TextSpan[][]; readonly context: Context }
  >();
  const collect = (element: XmlNode, here: Context): void => {
    for (const child of element.children) {
      if (typeof child === 'string') put(child, here);
      else if (child.name === 'br') put('\n', { ...here, isSpacePreserved: true });
      else if (child.name === 'span') {
        const inner = enter(document, child, here);
        if (inner !== undefined) collect(child, inner);
      }
    }
  };
  const put = (text: string, here: Context): void => {
    const key = `${here.interval.from}-${here.interval.to}`;
    const known = texts.get(key) ?? { interval: here.interval, lines: [[]], context: here };
    texts.set(key, known);
    const shown = here.isSpacePreserved ? text : text.replace(/\s+/g, ' ');
    const style = textStyle(here.style);
    shown.split('\n').forEach((part, index) => {
      if (index > 0) known.lines.push([]);
      if (part !== '') known.lines.at(-1)?.push({ ...style, text: part });
    });
  };
  collect(node, context);
  for (const { interval, lines, context: here } of texts.values()) {
    // White space between two spans with times is no caption.
    const cue = makeCue(interval.from, interval.to, lines.map(collapse), placeOf(here));
    if (cue !== undefined) cues.push(cue);
  }
}

/** Two spaces in a row, of two spans, are one. */
function collapse(line: readonly TextSpan[]): TextSpan[] {
  let isAfterSpace = true;
  return line.map((span) => {
    const text = isAfterSpace ? span.text.replace(/^ +/, '') : span.text;
    if (text !== '') isAfterSpace = text.endsWith(' ');
    return { ...span, text };
  });
}

function textStyle(style: Style) {
  const color = parseColor(style.get('color') ?? '');
  return styleOf({
    isItalic: style.get('fontStyle') === 'italic' || style.get('fontStyle') === 'oblique',
    isBold: style.get('fontWeight') === 'bold',
    isUnderlined: (style.get('textDecoration') ?? '').split(/\s+/).includes('underline'),
    ...(color !== undefined && color !== '#ffffff' && { color }),
  });
}

/** The place of a region, in percent; other units are known to players alone. */
function placeOf({ style, region }: Context): CuePlace | undefined {
  if (region === undefined) return undefined;
  const [left, top] = pairOf(style.get('origin'));
  const [width, height] = pairOf(style.get('extent'));
  const textAlign = style.get('textAlign') ?? 'start';
  const align = textAlign === 'center' ? 'center' : textAlign === 'end' || textAlign === 'right' ? 'end' : 'start';
  const display = style.get('displayAlign') ?? 'before';
  const anchor = display === 'after' ? 'bottom' : display === 'center' ? 'middle' : 'top';
  const down = { top: 0, middle: 0.5, bottom: 1 }[anchor];
  const across = { start: 0, center: 0.5, end: 1 }[align];
  const position = left === undefined ? undefined : rounded(left + (width ?? 100 - left) * across);
  return {
    ...(top !== undefined && { line: rounded(top + (height ?? 100 - top) * down) }),
    ...(top !== undefined && anchor !== 'top' && { lineAnchor: anchor }),
    ...(position !== undefined && !(align === 'center' && position === 50) && { position }),
    ...(align !== 'center' && { align }),
  };
}

function rounded(value: number): number {
  return Math.max(0, Math.min(100, Math.round(value * 100) / 100));
}

function pairOf(text: string | undefined): (number | undefined)[] {
  const match = /^\s*(\d{1,3}(?:\.\d{1,6})?)%\s+(\d{1,3}(?:\.\d{1,6})?)%\s*$/.exec(text ?? '');
  return match === null ? [] : [Number(match[1]), Number(match[2])];
}
