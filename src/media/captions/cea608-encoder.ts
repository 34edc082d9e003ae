import { CEA608_COLORS, codeOf, rowCode, withParity } from './cea608-characters.ts';
import { COLUMN_COUNT, ROW_COUNT } from './cea608-screen.ts';
import { type Cue, type CueLine, isSameStyle, type TextSpan, type TextStyle, withoutOverlaps } from './cue.ts';

/** Two bytes with their parity, in one picture. */
export interface Cea608Pair {
  readonly frame: number;
  readonly bytes: readonly [number, number];
}

/** What a decoder has room for. */
const MOST_ROWS = 4;

/**
 * Captions as pop-on captions of one channel, a pair to a picture: a caption is loaded unseen before it is shown. One
 * for which there is no time to load comes late.
 *
 * @param frameOf the picture that is shown at a time
 * @param firstFrame nothing is sent before it
 */
export function encodeCea608(
  cues: readonly Cue[],
  channel: number,
  frameOf: (ms: number) => number,
  firstFrame = 0,
): Cea608Pair[] {
  const pairs = new Map<number, readonly [number, number]>();
  const control = controlOf(channel);
  const sequence = withoutOverlaps(cues);
  /** From here on the memory may be loaded. */
  let free = firstFrame;
  sequence.forEach((cue, index) => {
    const load = loadOf(cue, channel);
    const start = frameOf(cue.startMs);
    const next = sequence[index + 1];
    const slots: number[] = [];
    for (let frame = start - 1; frame >= free && slots.length < load.length; frame--) {
      if (!pairs.has(frame)) slots.unshift(frame);
    }
    for (let frame = Math.max(free, start); slots.length < load.length; frame++) {
      if (!pairs.has(frame)) slots.push(frame);
    }
    load.forEach((pair, at) => pairs.set(slots[at] ?? 0, pair));
    let flip = Math.max(start, (slots.at(-1) ?? 0) + 1);
    while (pairs.has(flip) || pairs.has(flip + 1)) flip += 1;
    pairs.set(flip, control(0x2f));
    pairs.set(flip + 1, control(0x2f));
    free = flip + 2;
    let end = Math.max(frameOf(cue.endMs), free);
    // Where the next caption follows at once, it takes this one's place.
    if (next !== undefined && frameOf(next.startMs) < end + 2) return;
    while (pairs.has(end) || pairs.has(end + 1)) end += 1;
    pairs.set(end, control(0x2c));
    pairs.set(end + 1, control(0x2c));
  });
  return [...pairs].sort(([a], [b]) => a - b).map(([frame, bytes]) => ({ frame, bytes }));
}

/** Control codes of a channel: the second channel of a field has a bit more, the second field another first byte. */
function controlOf(channel: number): (second: number) => readonly [number, number] {
  const first = (channel > 2 ? 0x15 : 0x14) | channelBit(channel);
  return (second) => [withParity(first), withParity(second)];
}

function channelBit(channel: number): number {
  return channel % 2 === 0 ? 0x08 : 0;
}

function loadOf(cue: Cue, channel: number): (readonly [number, number])[] {
  const control = controlOf(channel);
  const bit = channelBit(channel);
  const pairs: (readonly [number, number])[] = [control(0x20), control(0x20), control(0x2e), control(0x2e)];
  const twice = (first: number, second: number): void => {
    const pair = [withParity(first | bit), withParity(second)] as const;
    pairs.push(pair, pair);
  };
  const lines = cue.lines.flatMap(wrapLine).slice(0, MOST_ROWS);
  const top = topRow(cue, lines.length);
  lines.forEach((line, index) => {
    const length = line.reduce((sum, { text }) => sum + Array.from(text).length, 0);
    const isStyled = line.some((span) => !isSameStyle(span, {}));
    const column = columnOf(cue, length + (isStyled ? 1 : 0));
    const { first, second } = rowCode(top + index);
    const [lead = {}] = line;
    // Where a style begins a line that has no room for its code, the row's own code has it.
    const isLedByRow = isStyled && column === 0 && !isSameStyle(lead, {});
    if (isLedByRow) twice(first, second | styleCode(lead));
    else twice(first, second | 0x10 | (Math.floor(column / 4) << 1));
    if (!isLedByRow && column % 4 > 0) twice(0x17, 0x20 + (column % 4));
    writeLine(line, isLedByRow ? lead : {}, bit, pairs);
  });
  return pairs;
}

function writeLine(line: CueLine, begin: TextStyle, bit: number, pairs: (readonly [number, number])[]): void {
  let held: number | undefined;
  let style = begin;
  const flush = (): void => {
    if (held !== undefined) pairs.push([withParity(held), withParity(0)]);
    held = undefined;
  };
  const basic = (code: number): void => {
    if (held === undefined) held = code;
    else {
      pairs.push([withParity(held), withParity(code)]);
      held = undefined;
    }
  };
  const control = (first: number, second: number, isTwice: boolean): void => {
    flush();
    const pair = [withParity(first | bit), withParity(second)] as const;
    pairs.push(pair);
    if (isTwice) pairs.push(pair);
  };
  for (const span of line) {
    let characters = Array.from(span.text);
    if (!isSameStyle(visible(span), visible(style))) {
      // The code is a space on the screen: it stands for the one that is there.
      if (characters[0] === ' ') characters = characters.slice(1);
      control(0x11, 0x20 | styleCode(span), true);
      style = span;
    }
    for (const character of characters) {
      const code = codeOf(character);
      if (code.kind === 'basic') basic(code.code);
      else {
        if (code.fallback !== undefined) basic(code.fallback);
        control(code.first, code.second, true);
      }
    }
  }
  flush();
}

function visible(style: TextStyle): TextStyle {
  return {
    ...(style.isItalic === true && { isItalic: true }),
    ...(style.isUnderlined === true && { isUnderlined: true }),
    ...(colorIndex(style) > 0 && style.color !== undefined && { color: style.color }),
  };
}

function colorIndex({ color }: TextStyle): number {
  return Math.max(
    0,
    CEA608_COLORS.findIndex((one) => one === color),
  );
}

/** Italics or a colour, and whether it is underlined: the low four bits of both kinds of codes. */
function styleCode(style: TextStyle): number {
  const value = style.isItalic === true ? 7 : colorIndex(style);
  return (value << 1) | (style.isUnderlined === true ? 1 : 0);
}

/** The first of the caption's rows: in the lower part of the screen, but where it asks for another. */
function topRow(cue: Cue, count: number): number {
  const { line, lineAnchor = 'top' } = cue.place ?? {};
  const last = ROW_COUNT - count + 1;
  if (line === undefined) return last;
  const row = ((line - 10) / 80) * ROW_COUNT;
  const top = lineAnchor === 'top' ? row + 1 : lineAnchor === 'bottom' ? row - count + 1 : row - count / 2 + 1;
  return Math.max(1, Math.min(last, Math.round(top)));
}

function columnOf(cue: Cue, length: number): number {
  const { align = 'center', position } = cue.place ?? {};
  const room = Math.max(0, COLUMN_COUNT - length);
  if (position === undefined) return align === 'start' ? 0 : align === 'end' ? room : Math.floor(room / 2);
  const column = Math.round(((position - 10) / 80) * COLUMN_COUNT);
  const begin = align === 'start' ? column : align === 'end' ? column - length : column - length / 2;
  return Math.max(0, Math.min(room, Math.floor(begin)));
}

/** Lines of no more characters than a row has, broken between words where that can be. */
function wrapLine(line: CueLine): CueLine[] {
  // The code of a style takes a place.
  const most = line.some((span) => !isSameStyle(span, {})) ? COLUMN_COUNT - 1 : COLUMN_COUNT;
  const cells: TextSpan[] = line.flatMap((span) => Array.from(span.text).map((text) => ({ ...span, text })));
  const lines: CueLine[] = [];
  let rest = cells;
  while (rest.length > most) {
    const space = rest.slice(0, most + 1).findLastIndex(({ text }) => text === ' ');
    const at = space > 0 ? space : most;
    lines.push(joined(rest.slice(0, at)));
    rest = rest.slice(space > 0 ? at + 1 : at);
  }
  if (rest.length > 0) lines.push(joined(rest));
  return lines;
}

function joined(cells: readonly TextSpan[]): CueLine {
  const spans: TextSpan[] = [];
  for (const cell of cells) {
    const last = spans.at(-1);
    if (last !== undefined && isSameStyle(last, cell))
      spans[spans.length - 1] = { ...last, text: last.text + cell.text };
    else spans.push(cell);
  }
  return spans;
}
