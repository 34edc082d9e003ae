import { CaptionError } from './caption-error.ts';
import { type Cue, type CueLine, makeCue, MOST_CUES, withoutOverlaps } from './cue.ts';
import { escapeMarkup, MARKUP, parseMarkup, withStyleTags } from './styled-text.ts';

/** SAMI: HTML-like; a caption lasts until the next point in time, which may be an empty one. */

const SYNC = /<sync\b[^>]{0,200}?\bstart\s*=\s*["']?(-?\d{1,10})[^>]{0,200}>/gi;
/** How long the last caption stays, which nothing ends. */
const LAST_MS = 4000;

/** @throws CaptionError when it has no points in time */
export function parseSmi(text: string): Cue[] {
  if (!/<sami\b/i.test(text.slice(0, 4096)))
    throw new CaptionError('The caption file is not SAMI: it has no element SAMI');
  const marks = [...text.matchAll(SYNC)];
  if (marks.length === 0) throw new CaptionError('The caption file is not SAMI: it has no element SYNC');
  if (marks.length > 2 * MOST_CUES) throw new CaptionError(`The caption file has more than ${MOST_CUES} captions`);
  const cues: Cue[] = [];
  marks.forEach((mark, index) => {
    const next = marks[index + 1];
    const body = text.slice(mark.index + mark[0].length, next?.index ?? endOf(text, mark.index)).trim();
    const startMs = Number(mark[1]);
    const endMs = next === undefined ? startMs + LAST_MS : Number(next[1]);
    const cue = makeCue(startMs, endMs, parseMarkup(body.replaceAll('\n', ' '), MARKUP));
    if (cue !== undefined) cues.push(cue);
  });
  return cues;
}

function endOf(text: string, from: number): number {
  const end = text.slice(from).search(/<\/body/i);
  return end < 0 ? text.length : from + end;
}

export function writeSmi(cues: readonly Cue[], language: string | undefined): string {
  const name = language ?? 'und';
  const lines = ['<SAMI>', '<HEAD>', '<STYLE TYPE="text/css">', '<!--', 'P { text-align: center; color: white; }'];
  lines.push(`.CAPTIONS { Name: "${name}"; lang: ${name}; SAMIType: CC; }`, '-->', '</STYLE>', '</HEAD>', '<BODY>');
  const sequence = withoutOverlaps(cues);
  sequence.forEach((cue, index) => {
    const startMs = Math.round(cue.startMs);
    lines.push(`<SYNC Start=${startMs}><P Class=CAPTIONS>${cue.lines.map(writeLine).join('<br>')}</P></SYNC>`);
    const endMs = Math.round(cue.endMs);
    if (Math.round(sequence[index + 1]?.startMs ?? Number.POSITIVE_INFINITY) > endMs) {
      lines.push(`<SYNC Start=${endMs}><P Class=CAPTIONS>&nbsp;</P></SYNC>`);
    }
  });
  lines.push('</BODY>', '</SAMI>', '');
  return lines.join('\n');
}

function writeLine(line: CueLine): string {
  return line
    .map(({ text, color, ...style }) => {
      const written = withStyleTags(escapeMarkup(text), style);
      return color === undefined ? written : `<font color="${color}">${written}</font>`;
    })
    .join('');
}
