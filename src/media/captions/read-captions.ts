import type { CaptionFile } from '../caption-settings.ts';
import { type Cue, inOrder } from './cue.ts';
import { decodeText } from './decode-text.ts';
import { parseScc } from './scc.ts';
import { parseSmi } from './smi.ts';
import { parseSrt } from './srt.ts';
import { parseStl } from './stl.ts';
import { parseTtml } from './ttml-parser.ts';
import { parseWebVtt } from './webvtt-parser.ts';

/**
 * Whether a file's times are timecodes, which count as those of its film do: a film that begins at one o'clock has its
 * captions from one o'clock on.
 */
export function isTimecodeBased(format: CaptionFile['format']): boolean {
  return format === 'scc' || format === 'stl';
}

/**
 * The captions of a file, with the shift that its settings ask for, in the order in which they are shown.
 *
 * @throws CaptionError when the file is not of the form that it should have
 */
export function readCaptions(bytes: Uint8Array, file: Omit<CaptionFile, 'source'>): Cue[] {
  const { deltaMs } = file;
  const shifted = parse(bytes, file).flatMap((cue) => {
    const [startMs, endMs] = [cue.startMs + deltaMs, cue.endMs + deltaMs];
    return endMs > 0 ? [{ ...cue, startMs: Math.max(0, startMs), endMs }] : [];
  });
  return inOrder(shifted);
}

function parse(bytes: Uint8Array, file: Omit<CaptionFile, 'source'>): Cue[] {
  if (file.format === 'stl') return parseStl(bytes);
  const text = decodeText(bytes);
  switch (file.format) {
    case 'srt':
      return parseSrt(text);
    case 'webvtt':
      return parseWebVtt(text);
    case 'ttml':
      return parseTtml(text);
    case 'smi':
      return parseSmi(text);
    case 'scc':
      return parseScc(text, file);
  }
}
