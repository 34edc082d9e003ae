/** One caption: lines of text, and when and where they are shown. */
export interface Cue {
  /** Milliseconds, whole or not; 0 or more. */
  readonly startMs: number;
  /** Later than `startMs`. */
  readonly endMs: number;
  /** At least one; none is empty at both ends of the caption. */
  readonly lines: readonly CueLine[];
  /** Absent: at the bottom, in the middle. */
  readonly place?: CuePlace;
}

export type CueLine = readonly TextSpan[];

/** Text in one style. It holds no line ends. */
export interface TextSpan extends TextStyle {
  readonly text: string;
}

export interface TextStyle {
  readonly isItalic?: true;
  readonly isBold?: true;
  readonly isUnderlined?: true;
  /** `#rrggbb`, lower case; absent: white. */
  readonly color?: string;
}

/** Where a caption stands, in percent of the picture. */
export interface CuePlace {
  /** From the picture's top. */
  readonly line?: number;
  /** What of the caption stands at `line`; absent: its top. */
  readonly lineAnchor?: 'top' | 'middle' | 'bottom';
  /** From the picture's left: where the lines begin, or their middle or end, as `align` says. */
  readonly position?: number;
  /** Absent: the middle. */
  readonly align?: 'start' | 'center' | 'end';
}

/** A file that claims more is refused: nobody reads that much, and it all lies in memory. */
export const MOST_CUES = 50_000;
const MOST_LINES = 32;
const MOST_CHARACTERS = 2000;
/** Shown at the same time; more have no room in a picture, and would only take time. */
export const MOST_TOGETHER = 32;
/** A hundred hours. */
export const LATEST_MS = 360_000_000;

/**
 * Makes a cue of what a file says, forgiving what can be: empty lines around the text are left out, and text beyond all
 * measure is cut.
 *
 * @returns `undefined` for one that is never seen: without text, or over before it begins
 */
export function makeCue(startMs: number, endMs: number, lines: readonly CueLine[], place?: CuePlace): Cue | undefined {
  const exact = (ms: number): number => Math.round(ms * 1000) / 1000;
  const begin = Math.max(0, exact(startMs));
  if (!(exact(endMs) > begin) || begin > LATEST_MS) return undefined;
  const kept = trimLines(lines.slice(0, MOST_LINES).map(tidyLine));
  if (kept.length === 0) return undefined;
  const isPlaced = place !== undefined && Object.keys(place).length > 0;
  return { startMs: begin, endMs: Math.min(exact(endMs), LATEST_MS), lines: kept, ...(isPlaced && { place }) };
}

/** Joins neighbours of one style, drops empty spans and control characters, and spaces at the line's ends. */
function tidyLine(line: CueLine): CueLine {
  const spans: TextSpan[] = [];
  let room = MOST_CHARACTERS;
  for (const span of line) {
    // oxlint-disable-next-line no-control-regex
    const text = span.text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, room);
    room -= text.length;
    if (text === '') continue;
    const last = spans.at(-1);
    if (last !== undefined && isSameStyle(last, span)) spans[spans.length - 1] = { ...last, text: last.text + text };
    else spans.push({ ...span, text });
  }
  return trimEnds(spans);
}

function trimEnds(spans: readonly TextSpan[]): CueLine {
  let kept = [...spans];
  for (;;) {
    const [first] = kept;
    if (first === undefined) return kept;
    const text = first.text.replace(/^[ \u00a0]+/, '');
    kept = text === '' ? kept.slice(1) : [{ ...first, text }, ...kept.slice(1)];
    if (text !== '') break;
  }
  for (;;) {
    const last = kept.at(-1);
    if (last === undefined) return kept;
    const text = last.text.replace(/[ \u00a0]+$/, '');
    kept = text === '' ? kept.slice(0, -1) : [...kept.slice(0, -1), { ...last, text }];
    if (text !== '') return kept;
  }
}

function trimLines(lines: readonly CueLine[]): readonly CueLine[] {
  return lines.filter((line) => line.length > 0);
}

export function isSameStyle(a: TextStyle, b: TextStyle): boolean {
  return a.isItalic === b.isItalic && a.isBold === b.isBold && a.isUnderlined === b.isUnderlined && a.color === b.color;
}

/** A style with only what is set. */
export function styleOf(style: {
  readonly isItalic?: boolean;
  readonly isBold?: boolean;
  readonly isUnderlined?: boolean;
  readonly color?: string | undefined;
}): TextStyle {
  return {
    ...(style.isItalic === true && { isItalic: true }),
    ...(style.isBold === true && { isBold: true }),
    ...(style.isUnderlined === true && { isUnderlined: true }),
    ...(style.color !== undefined && { color: style.color }),
  };
}

export function plainLines(cue: Pick<Cue, 'lines'>): string[] {
  return cue.lines.map((line) => line.map(({ text }) => text).join(''));
}

/** The caption's text without style and place. */
export function withoutStyle(cue: Cue): Cue {
  return { startMs: cue.startMs, endMs: cue.endMs, lines: plainLines(cue).map((text) => [{ text }]) };
}

/** In the order in which they are shown; those that begin together keep their order. */
export function inOrder(cues: readonly Cue[]): Cue[] {
  return cues.toSorted((a, b) => a.startMs - b.startMs);
}

/**
 * The same captions as a sequence in which none overlaps another: where several are shown together, one holds the lines
 * of all. For forms that know one caption at a time.
 */
export function withoutOverlaps(cues: readonly Cue[]): Cue[] {
  const sorted = inOrder(cues);
  const edges = [...new Set(sorted.flatMap(({ startMs, endMs }) => [startMs, endMs]))].sort((a, b) => a - b);
  const result: Cue[] = [];
  let active: Cue[] = [];
  let next = 0;
  edges.forEach((edge, index) => {
    active = active.filter(({ endMs }) => endMs > edge);
    for (let cue = sorted[next]; cue !== undefined && cue.startMs <= edge; cue = sorted[next]) {
      if (active.length < MOST_TOGETHER) active.push(cue);
      next += 1;
    }
    const until = edges[index + 1];
    const [first] = active;
    if (until === undefined || first === undefined) return;
    const last = result.at(-1);
    const lines = active.flatMap((cue) => cue.lines).slice(0, MOST_LINES);
    const isGoingOn = last?.endMs === edge && last.lines.length === lines.length && sameLines(last.lines, lines);
    if (isGoingOn && last !== undefined) result[result.length - 1] = { ...last, endMs: until };
    else result.push({ ...first, startMs: edge, endMs: until, lines });
  });
  return result;
}

function sameLines(a: readonly CueLine[], b: readonly CueLine[]): boolean {
  return a.every((line, index) => line === b[index]);
}
