import type { Frame } from 'node-av/lib';
import type { ColorLut } from '../color-lut.ts';
import { colorAt, CubeError, LARGEST_CUBE, readCube } from '../cube-file.ts';
import { uriOf } from '../media-location.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import { type AuxiliaryPort, readAuxiliary } from './auxiliary.ts';
import { check } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';

/** The image's side is the cube of it, the table's its square: 64 points. */
const LEVEL = 8;
const SIDE = LEVEL ** 3;
const POINTS = LEVEL ** 2;
const MOST = 0xffff;

/**
 * A table of colours as an image, which is how FFmpeg's filter takes one without opening a file of its own: all reds in a
 * row, then all greens, then all blues.
 *
 * @throws TranscodeError 1010 for what is no table
 */
export function lutImage(ffmpeg: FFmpeg, port: AuxiliaryPort, { file }: ColorLut): Frame {
  const pixels = Buffer.alloc(SIDE * SIDE * 6);
  try {
    const table = readCube(readAuxiliary(port, file, LARGEST_CUBE));
    let at = 0;
    for (let blue = 0; blue < POINTS; blue++) {
      for (let green = 0; green < POINTS; green++) {
        for (let red = 0; red < POINTS; red++) {
          const color = colorAt(table, red / (POINTS - 1), green / (POINTS - 1), blue / (POINTS - 1));
          for (const value of color) {
            pixels.writeUInt16LE(Math.round(Math.min(1, Math.max(0, value)) * MOST), at);
            at += 2;
          }
        }
      }
    }
  } catch (error) {
    if (!(error instanceof CubeError)) throw error;
    throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uriOf(file), error.message));
  }
  const frame = new ffmpeg.Frame();
  frame.alloc();
  frame.width = SIDE;
  frame.height = SIDE;
  frame.format = ffmpeg.AV_PIX_FMT_RGB48LE;
  frame.colorSpace = ffmpeg.AVCOL_SPC_RGB;
  frame.colorRange = ffmpeg.AVCOL_RANGE_JPEG;
  check(ffmpeg, frame.getBuffer(), ERROR_CODES.unknown, 'Out of memory');
  check(ffmpeg, frame.fromBuffer(pixels), ERROR_CODES.unknown, 'The table of colours cannot be used');
  frame.pts = 0n;
  return frame;
}
