import type { Stream } from 'node-av/lib';
import type { InputPicture, OutputPicture, Rectangle } from '../picture-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { Picture } from './picture-size.ts';

/** Degrees, clockwise. */
export type Turn = 0 | 90 | 180 | 270;

/** By how much the pictures of an input are turned; `auto` follows the container's display matrix. */
export function turnOf(ffmpeg: FFmpeg, stream: Stream, { turn }: InputPicture): Turn {
  if (turn !== 'auto') return turn ?? 0;
  const matrix = stream.codecpar.getCodedSideData(ffmpeg.AV_PKT_DATA_DISPLAYMATRIX);
  return matrix === null || matrix.length < 20 ? 0 : turnOfMatrix(matrix);
}

/** Of nine 32-bit numbers, of which the first, second, fourth and fifth turn. An angle between is none. */
function turnOfMatrix(matrix: Buffer): Turn {
  const at = (index: number): number => matrix.readInt32LE(index * 4) / 65_536;
  const scale = Math.hypot(at(0), at(1));
  if (scale === 0) return 0;
  const degrees = (Math.atan2(at(1) / scale, at(0) / scale) * 180) / Math.PI;
  const clockwise = (degrees + 360) % 360;
  for (const turn of [90, 180, 270] as const) if (Math.abs(clockwise - turn) <= 1) return turn;
  return 0;
}

export function turned({ width, height, pixelAspect }: Picture, turn: Turn): Picture {
  if (turn === 0 || turn === 180) return { width, height, pixelAspect };
  return { width: height, height: width, pixelAspect: { num: pixelAspect.den, den: pixelAspect.num } };
}

export function turnSteps(turn: Turn): string[] {
  switch (turn) {
    case 0:
      return [];
    case 90:
      return ['transpose=clock'];
    case 180:
      return ['hflip', 'vflip'];
    case 270:
      return ['transpose=cclock'];
  }
}

/** Which part of an input is used and where it goes: what an input says goes before what an output says. */
export function areasOf(input: InputPicture, output: OutputPicture | undefined): Areas {
  const crop = input.crop ?? output?.crop;
  const position = input.position ?? output?.position;
  return { ...(crop !== undefined && { crop }), ...(position !== undefined && { position }) };
}

export interface Areas {
  /** Of the input. */
  readonly crop?: Rectangle;
  /** Of the output; the rest is black. */
  readonly position?: Rectangle;
}

/**
 * The part of a picture.
 *
 * @throws TranscodeError 1040 where the picture is smaller
 */
export function cropped(picture: Picture, crop: Rectangle | undefined): Picture {
  if (crop === undefined) return picture;
  requireInside(crop, picture, 'The cropping selection');
  return { ...picture, width: crop.width, height: crop.height };
}

/** @throws TranscodeError 1040 */
export function requireInside(area: Rectangle, picture: Picture, what: string): void {
  const { x, y, width, height } = area;
  if (x + width <= picture.width && y + height <= picture.height) return;
  const text = `${what} [${width} x ${height} at ${x}, ${y}] is not inside the picture [${picture.width} x ${picture.height}]`;
  throw new TranscodeError(ERROR_CODES.settingsDoNotFit, text);
}
