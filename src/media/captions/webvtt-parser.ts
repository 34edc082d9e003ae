import { CaptionError } from './caption-error.ts';
import { parseClock } from './clock-time.ts';
import { type Cue, type CuePlace, makeCue, MOST_CUES } from './cue.ts';
import { MARKUP, parseMarkup } from './styled-text.ts';

/** A picture has so many lines of captions. */
const LINES = 18;
const TIMING = /^\s*([\d:.]{4,16})\s*-->\s*([\d:.]{4,16})(?:\s+(.*))?$/;

/**
 * WebVTT (W3C). Comments, regions and style sheets are passed over: styles are those of tags and classes of colour.
 *
 * @throws CaptionError when the first line does not say that it is WebVTT
 */
export function parseWebVtt(text: string): Cue[] {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  if (!/^WEBVTT(?:[ \t]|$)/.test(lines[0] ?? '')) {
    throw new CaptionError('The caption file is not WebVTT: its first line is not WEBVTT');
  }
  const cues: Cue[] = [];
  let index = 1;
  while (index < lines.length) {
    const block: string[] = [];
    for (; index < lines.length && (lines[index] ?? '').trim() !== ''; index++) block.push(lines[index] ?? '');
    index += 1;
    const cue = parseBlock(block);
    if (cue !== undefined) cues.push(cue);
    if (cues.length > MOST_CUES) throw new CaptionError(`The caption file has more than ${MOST_CUES} captions`);
  }
  return cues;
}

function parseBlock(block: readonly string[]): Cue | undefined {
  const at = block.slice(0, 2).findIndex((line) => line.length < 1000 && line.includes('-->'));
  if (at < 0) return undefined;
  const match = TIMING.exec(block[at] ?? '');
  const startMs = parseClock(match?.[1] ?? '');
  const endMs = parseClock(match?.[2] ?? '');
  if (startMs === undefined || endMs === undefined) return undefined;
  const text = block.slice(at + 1).join('\n');
  return makeCue(startMs, endMs, parseMarkup(text, MARKUP), placeOf(match?.[3] ?? ''));
}

function placeOf(settings: string): CuePlace {
  const found = new Map<string, string>();
  for (const setting of settings.split(/\s+/)) {
    const [name = '', value = ''] = setting.split(':', 2);
    found.set(name, value);
  }
  const [line = '', lineAlign] = (found.get('line') ?? '').split(',');
  const top = lineOf(line);
  const anchor = { center: 'middle', end: 'bottom', start: 'top' }[lineAlign ?? ''];
  const isCounted = top !== undefined && !line.endsWith('%') && line.startsWith('-');
  const lineAnchor = isCounted ? 'bottom' : anchor;
  const position = percent((found.get('position') ?? '').split(',')[0] ?? '');
  const align = { start: 'start', left: 'start', end: 'end', right: 'end' }[found.get('align') ?? ''];
  return {
    ...(top !== undefined && { line: top }),
    ...(top !== undefined && isAnchor(lineAnchor) && lineAnchor !== 'top' && { lineAnchor }),
    ...(position !== undefined && { position }),
    ...((align === 'start' || align === 'end') && { align }),
  };
}

function isAnchor(text: string | undefined): text is 'top' | 'middle' | 'bottom' {
  return text === 'top' || text === 'middle' || text === 'bottom';
}

/** A line is a percentage, or counted from the top, or, where it is negative, from the bottom. */
function lineOf(text: string): number | undefined {
  if (text.endsWith('%')) return percent(text);
  if (!/^-?\d{1,3}$/.test(text)) return undefined;
  const number = Number(text);
  const line = number < 0 ? LINES + 1 + number : number;
  return Math.max(0, Math.min(100, Math.round((line / LINES) * 10_000) / 100));
}

function percent(text: string): number | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text);
  const value = Number(match?.[1] ?? Number.NaN);
  return value >= 0 && value <= 100 ? value : undefined;
}
