import { formatClock } from './clock-time.ts';
import { webVttColor } from './colors.ts';
import type { Cue, CueLine, CuePlace } from './cue.ts';
import { escapeMarkup, withStyleTags } from './styled-text.ts';

/** @param head what stands behind the first line, such as how times relate to those of the media */
export function writeWebVtt(cues: readonly Cue[], head: readonly string[] = []): string {
  const blocks = cues.map((cue) => {
    const settings = cueSettings(cue.place);
    const times = `${formatClock(cue.startMs)} --> ${formatClock(cue.endMs)}`;
    return `${times}${settings === '' ? '' : ` ${settings}`}\n${cuePayload(cue)}\n`;
  });
  return [['WEBVTT', ...head, ''].join('\n'), ...blocks].join('\n');
}

/** A cue's text with its tags. */
export function cuePayload(cue: Cue): string {
  return cue.lines.map(writeLine).join('\n');
}

/** What stands behind a cue's times; empty for a cue at its usual place. */
export function cueSettings(place: CuePlace | undefined): string {
  if (place === undefined) return '';
  const { line, lineAnchor, position, align } = place;
  const anchor = lineAnchor === undefined || lineAnchor === 'top' ? '' : lineAnchor === 'middle' ? ',center' : ',end';
  return [
    ...(line === undefined ? [] : [`line:${number(line)}%${anchor}`]),
    ...(position === undefined ? [] : [`position:${number(position)}%`]),
    ...(align === undefined ? [] : [`align:${align}`]),
  ].join(' ');
}

function number(value: number): number {
  return Math.round(value * 100) / 100;
}

function writeLine(line: CueLine): string {
  return line
    .map(({ text, color, ...style }) => {
      const written = withStyleTags(escapeMarkup(text), style);
      const name = color === undefined ? undefined : webVttColor(color);
      return name === undefined || name === 'white' ? written : `<c.${name}>${written}</c>`;
    })
    .join('');
}
