import { CaptionError } from './caption-error.ts';

/** Bytes of a caption file that are read; a feature film's captions have 200 KiB. */
export const LARGEST_FILE = 16 * 1024 * 1024;

/**
 * The text of a caption file, with `\n` at the ends of lines: UTF-8 or UTF-16 where it says so or looks like it, and
 * else Windows-1252, which every byte is a character of.
 *
 * @throws CaptionError when it is empty or too large
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length === 0) throw new CaptionError('The caption file is empty');
  if (bytes.length > LARGEST_FILE) throw new CaptionError(`The caption file has more than ${LARGEST_FILE} bytes`);
  const text = decode(bytes);
  // NUL is no character of any caption, and forms that end texts with it would be cut there.
  return text.replaceAll('\u0000', '').replace(/\r\n?/g, '\n');
}

function decode(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  // Text in UTF-16 without a mark: every other byte of what is mostly ASCII is 0.
  const sample = bytes.subarray(0, 64);
  const zeros = (from: number): number => sample.filter((byte, index) => index % 2 === from && byte === 0).length;
  if (sample.length >= 16 && zeros(1) > sample.length * 0.4) return new TextDecoder('utf-16le').decode(bytes);
  if (sample.length >= 16 && zeros(0) > sample.length * 0.4) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
