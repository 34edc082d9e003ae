import { CaptionError } from './caption-error.ts';
import { type Cue, type CuePlace, makeCue, MOST_CUES, styleOf, type TextSpan } from './cue.ts';
import { decodeIso6937 } from './iso-6937.ts';

/** EBU's exchange format of subtitles (Tech 3264): a general block, and a block for each subtitle or part of one. */

const GENERAL_BYTES = 1024;
const BLOCK_BYTES = 128;
const TEXT_AT = 16;
const LAST_PART = 0xff;
/** Numbers of a subtitle's parts; others are data of the user. */
const MOST_PARTS = 0xef;
const IS_COMMENT = 1;
const NEW_LINE = 0x8a;
const UNUSED = 0x8f;
const TELETEXT_ROWS = 24;
/** Of teletext's colour codes. */
const COLORS = ['#000000', '#ff0000', '#00ff00', '#ffff00', '#0000ff', '#ff00ff', '#00ffff', undefined] as const;
/** Tables of characters that are not Latin. */
const TABLES: Readonly<Record<string, string>> = {
  '01': 'iso-8859-5',
  '02': 'iso-8859-6',
  '03': 'iso-8859-7',
  '04': 'iso-8859-8',
};
const JUSTIFIED: Readonly<Record<number, CuePlace['align']>> = { 1: 'start', 3: 'end' };

/** @throws CaptionError when the general block is not there */
export function parseStl(bytes: Uint8Array): Cue[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rate = /^STL(\d\d)\.01$/.exec(file.toString('latin1', 3, 11))?.[1];
  if (file.length < GENERAL_BYTES || rate === undefined || Number(rate) === 0) {
    throw new CaptionError('The caption file is not EBU STL: it does not begin with a general subtitle block');
  }
  const isTeletext = file[11] === 0x31 || file[11] === 0x32;
  const table = TABLES[file.toString('latin1', 12, 14)];
  const decode = (text: Buffer): string =>
    table === undefined ? decodeIso6937(text) : new TextDecoder(table).decode(text);
  const count = Math.floor((file.length - GENERAL_BYTES) / BLOCK_BYTES);
  if (count > MOST_CUES) throw new CaptionError(`The caption file has more than ${MOST_CUES} captions`);
  const cues: Cue[] = [];
  let parts: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    const block = file.subarray(GENERAL_BYTES + index * BLOCK_BYTES, GENERAL_BYTES + (index + 1) * BLOCK_BYTES);
    const part = block[3] ?? 0;
    if (part > MOST_PARTS && part !== LAST_PART) continue;
    if (block[15] === IS_COMMENT) continue;
    parts.push(block.subarray(TEXT_AT));
    if (part !== LAST_PART) continue;
    const lines = linesOf(Buffer.concat(parts), decode);
    parts = [];
    const cue = makeCue(
      timeOf(block, 5, Number(rate)),
      timeOf(block, 9, Number(rate)),
      lines,
      placeOf(block, isTeletext),
    );
    if (cue !== undefined) cues.push(cue);
  }
  return cues;
}

/** Hours, minutes, seconds and pictures → milliseconds. */
function timeOf(block: Buffer, at: number, rate: number): number {
  const [hours = 0, minutes = 0, seconds = 0, frames = 0] = block.subarray(at, at + 4);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + (frames * 1000) / rate;
}

function placeOf(block: Buffer, isTeletext: boolean): CuePlace {
  const row = block[13] ?? 0;
  const align = JUSTIFIED[block[14] ?? 0];
  const isHigh = isTeletext && row > 0 && row <= TELETEXT_ROWS / 2;
  return {
    ...(isHigh && { line: Math.round((row / TELETEXT_ROWS) * 10_000) / 100 }),
    ...(align !== undefined && { align }),
  };
}

function linesOf(text: Buffer, decode: (text: Buffer) => string): TextSpan[][] {
  const lines: TextSpan[][] = [[]];
  let style: { isItalic: boolean; isUnderlined: boolean; color: string | undefined } = {
    isItalic: false,
    isUnderlined: false,
    color: undefined,
  };
  let from = 0;
  const show = (to: number): void => {
    if (to > from) lines.at(-1)?.push({ ...styleOf(style), text: decode(text.subarray(from, to)) });
    from = to + 1;
  };
  for (const [at, code] of text.entries()) {
    const isCode = code < 0x20 || (code >= 0x80 && code < 0xa0);
    if (!isCode) continue;
    show(at);
    if (code === UNUSED) break;
    if (code === NEW_LINE) {
      lines.push([]);
      style = { ...style, color: undefined };
    } else if (code === 0x80 || code === 0x81) style = { ...style, isItalic: code === 0x80 };
    else if (code === 0x82 || code === 0x83) style = { ...style, isUnderlined: code === 0x82 };
    else {
      // Teletext's codes are spaces on the screen.
      lines.at(-1)?.push({ text: ' ' });
      if (code < COLORS.length) style = { ...style, color: COLORS[code] };
    }
  }
  const hasEnd = text.includes(UNUSED);
  if (!hasEnd) show(text.length);
  return lines;
}
