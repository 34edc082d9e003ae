import { CaptionError } from './caption-error.ts';
import { formatClock, parseClock } from './clock-time.ts';
import { type Cue, type CueLine, type CuePlace, makeCue, MOST_CUES } from './cue.ts';
import { parseMarkup, SRT_MARKUP, withStyleTags } from './styled-text.ts';

/** SubRip. There is no standard; this is what players have in common. */

const TIMING = /^\s*(-?[\d:.,]{4,16})\s*-{1,2}>\s*(-?[\d:.,]{4,16})(?:\s.*)?$/;
/** `{\an8}`: places as on a number pad. */
const NUMPAD = /\{\\an([1-9])\}/;
const OTHER_OVERRIDES = /\{\\[^}]{0,200}\}/g;

/** @throws CaptionError when no line says when a caption is shown */
export function parseSrt(text: string): Cue[] {
  const lines = text.split('\n');
  const cues: Cue[] = [];
  let hasTimes = false;
  let index = 0;
  while (index < lines.length) {
    const times = timesOf(lines[index] ?? '');
    index += 1;
    if (times === undefined) continue;
    hasTimes = true;
    const body: string[] = [];
    for (; index < lines.length; index++) {
      const line = lines[index] ?? '';
      if (line.trim() === '') break;
      if (timesOf(line) !== undefined) {
        // The blank line before the next caption is missing; its number is not text.
        if (/^\s*\d+\s*$/.test(body.at(-1) ?? '')) body.pop();
        break;
      }
      body.push(line);
    }
    const cue = cueOf(times.startMs, times.endMs, body.join('\n'));
    if (cue !== undefined) cues.push(cue);
    if (cues.length > MOST_CUES) throw new CaptionError(`The caption file has more than ${MOST_CUES} captions`);
  }
  if (!hasTimes) throw new CaptionError('The caption file is not SRT: no caption says when it is shown');
  return cues;
}

function timesOf(line: string): { readonly startMs: number; readonly endMs: number } | undefined {
  if (line.length > 200 || !line.includes('->')) return undefined;
  const match = TIMING.exec(line);
  const startMs = signed(match?.[1] ?? '');
  const endMs = signed(match?.[2] ?? '');
  return startMs === undefined || endMs === undefined ? undefined : { startMs, endMs };
}

/** Tools that shift captions write times before the beginning so. */
function signed(text: string): number | undefined {
  if (!text.startsWith('-')) return parseClock(text);
  const value = parseClock(text.slice(1));
  return value === undefined ? undefined : -value;
}

function cueOf(startMs: number, endMs: number, body: string): Cue | undefined {
  const pad = Number(NUMPAD.exec(body)?.[1] ?? 0);
  const text = body.replace(OTHER_OVERRIDES, '');
  return makeCue(startMs, endMs, parseMarkup(text, SRT_MARKUP), pad === 0 ? undefined : placeOf(pad));
}

function placeOf(pad: number): CuePlace {
  const column = (pad - 1) % 3;
  const align = (['start', 'center', 'end'] as const)[column];
  return {
    ...(pad > 6 && { line: 5, lineAnchor: 'top' as const }),
    ...(pad > 3 && pad <= 6 && { line: 50, lineAnchor: 'middle' as const }),
    ...(align !== undefined && align !== 'center' && { align, position: align === 'start' ? 5 : 95 }),
  };
}

export function writeSrt(cues: readonly Cue[]): string {
  return cues
    .map((cue, index) => {
      const times = `${formatClock(cue.startMs, ',')} --> ${formatClock(cue.endMs, ',')}`;
      const pad = padOf(cue.place);
      return `${index + 1}\n${times}\n${pad}${cue.lines.map(writeLine).join('\n')}\n`;
    })
    .join('\n');
}

function padOf(place: CuePlace | undefined): string {
  if (place === undefined) return '';
  const { line = 90, align = 'center' } = place;
  const row = line < 34 ? 6 : line < 67 ? 3 : 0;
  const pad = row + { start: 1, center: 2, end: 3 }[align];
  return pad === 2 ? '' : `{\\an${pad}}`;
}

function writeLine(line: CueLine): string {
  return line
    .map(({ text, color, ...style }) => {
      const written = withStyleTags(text, style);
      return color === undefined ? written : `<font color="${color}">${written}</font>`;
    })
    .join('');
}
