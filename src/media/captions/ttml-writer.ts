import { formatClock } from './clock-time.ts';
import type { Cue, CueLine, CuePlace } from './cue.ts';

/** How the captions of a TTML document look, where they say nothing themselves. */
export interface TtmlForm {
  /** IMSC is TTML in a form that players of fragmented MP4 and of the web agree on. */
  readonly profile: 'ttml' | 'imsc';
  /** Lower case; absent: unknown. */
  readonly language?: string;
  /** Attributes of every paragraph, such as `tts:color`. */
  readonly style?: Readonly<Record<string, string>>;
}

const IMSC_TEXT = 'http://www.w3.org/ns/ttml/profile/imsc1.1/text';

/** A TTML document (W3C TTML 1, or IMSC 1.1's text profile). */
export function writeTtml(cues: readonly Cue[], { profile, language = '', style = {} }: TtmlForm): string {
  const regions = new Map<string, { readonly id: string; readonly place: CuePlace | undefined }>();
  const regionOf = ({ place }: Cue): string => {
    const key = JSON.stringify(place ?? {});
    const known = regions.get(key) ?? { id: `region${regions.size}`, place };
    regions.set(key, known);
    return known.id;
  };
  const body = cues.map((cue) => {
    const times = `begin="${formatClock(cue.startMs)}" end="${formatClock(cue.endMs)}"`;
    return `      <p ${times} region="${regionOf(cue)}">${cue.lines.map(writeLine).join('<br/>')}</p>`;
  });
  const look = { 'tts:color': 'white', ...style };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"' +
      ` xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:timeBase="media" xml:lang="${escaped(language)}"` +
      `${profile === 'imsc' ? ` ttp:contentProfiles="${IMSC_TEXT}" ttp:profile="${IMSC_TEXT}"` : ''}>`,
    '  <head>',
    '    <styling>',
    `      <style xml:id="caption" ${attributes(look)}/>`,
    '    </styling>',
    '    <layout>',
    ...[...regions.values()].map(({ id, place }) => `      <region xml:id="${id}" ${attributes(regionStyle(place))}/>`),
    '    </layout>',
    '  </head>',
    '  <body style="caption">',
    '    <div>',
    ...body,
    '    </div>',
    '  </body>',
    '</tt>',
    '',
  ].join('\n');
}

/** The box in which a caption with this place ends up there. */
function regionStyle(place: CuePlace = {}): Record<string, string> {
  const { line, lineAnchor = 'top', position, align = 'center' } = place;
  const usual = { top: 0, height: 95, display: 'after' };
  const vertical =
    line === undefined
      ? usual
      : lineAnchor === 'top'
        ? { top: line, height: 100 - line, display: 'before' }
        : lineAnchor === 'bottom'
          ? { top: 0, height: line, display: 'after' }
          : { top: 2 * Math.max(0, line - 50), height: 2 * Math.min(line, 100 - line), display: 'center' };
  const at = position ?? { start: 0, center: 50, end: 100 }[align];
  const half = Math.min(at, 100 - at);
  const horizontal =
    align === 'start'
      ? { left: at, width: 100 - at }
      : align === 'end'
        ? { left: 0, width: at }
        : { left: at - half, width: 2 * half };
  const percent = (value: number): string => `${Math.round(value * 100) / 100}%`;
  return {
    'tts:origin': `${percent(horizontal.left)} ${percent(vertical.top)}`,
    'tts:extent': `${percent(horizontal.width)} ${percent(vertical.height)}`,
    'tts:displayAlign': vertical.display,
    'tts:textAlign': align,
  };
}

function writeLine(line: CueLine): string {
  return line
    .map(({ text, isItalic, isBold, isUnderlined, color }) => {
      const style = {
        ...(color !== undefined && { 'tts:color': color }),
        ...(isItalic === true && { 'tts:fontStyle': 'italic' }),
        ...(isBold === true && { 'tts:fontWeight': 'bold' }),
        ...(isUnderlined === true && { 'tts:textDecoration': 'underline' }),
      };
      return Object.keys(style).length === 0 ? escaped(text) : `<span ${attributes(style)}>${escaped(text)}</span>`;
    })
    .join('');
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(' ');
}

function escaped(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // What XML has no place for, not even as a reference.
      .replace(/[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
  );
}
