import type { Rectangle } from '../picture-settings.ts';
import type { Rational, VideoSettings } from '../video-settings.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixelAspect: Rational;
}

/** How a source picture becomes an output picture: scale, then crop, then pad. All sizes are even. */
export interface PicturePlan {
  readonly scale: Size;
  readonly crop?: Size;
  readonly pad?: Size & { readonly x: number; readonly y: number };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size and pixel shape of an output, decided once, by the first input. */
export function outputPicture(settings: VideoSettings, source: Picture): Picture {
  const pixelAspect = settings.pixelAspect ?? source.pixelAspect;
  const shape = displayRatio(source) / (pixelAspect.num / pixelAspect.den);
  const width = settings.width ?? (settings.height === undefined ? source.width : settings.height * shape);
  const height = settings.height ?? (settings.width === undefined ? source.height : settings.width / shape);
  const box = { width: even(width), height: even(height) };
  if (settings.scaling === 'fit') return { ...fitInside(box, shape), pixelAspect };
  if (settings.scaling === 'fit-no-upscale') {
    const fitted = fitInside(box, shape);
    const isSmaller = source.width <= fitted.width && source.height <= fitted.height;
    const size = isSmaller ? { width: even(source.width), height: even(source.height) } : fitted;
    return { ...size, pixelAspect };
  }
  return { ...box, pixelAspect };
}

/**
 * How to bring `source` into `output`, which may have been made for another input.
 *
 * @param position the part of the output that it is stretched to
 */
export function planPicture(
  settings: VideoSettings,
  source: Picture,
  output: Picture,
  position?: Rectangle,
): PicturePlan {
  const box = { width: output.width, height: output.height };
  if (position !== undefined) {
    const { x, y, width, height } = position;
    return { scale: { width, height }, pad: { ...box, x, y } };
  }
  const shape = displayRatio(source) / (output.pixelAspect.num / output.pixelAspect.den);
  if (settings.scaling === 'stretch') return { scale: box };
  if (settings.scaling === 'fill') {
    const scale = coverOutside(box, shape);
    return isSame(scale, box) ? { scale } : { scale, crop: box };
  }
  const scale = fitInside(box, shape);
  if (isSame(scale, box)) return { scale };
  const x = evenBelow((box.width - scale.width) / 2);
  const y = evenBelow((box.height - scale.height) / 2);
  return { scale, pad: { ...box, x, y } };
}

function displayRatio(picture: Picture): number {
  return (picture.width * picture.pixelAspect.num) / (picture.height * picture.pixelAspect.den);
}

function fitInside(box: Size, shape: number): Size {
  if (Math.abs(box.width / box.height / shape - 1) < 0.005) return box;
  return box.width / box.height > shape
    ? { width: Math.min(box.width, even(box.height * shape)), height: box.height }
    : { width: box.width, height: Math.min(box.height, even(box.width / shape)) };
}

function coverOutside(box: Size, shape: number): Size {
  if (Math.abs(box.width / box.height / shape - 1) < 0.005) return box;
  return box.width / box.height > shape
    ? { width: box.width, height: Math.max(box.height, even(box.width / shape)) }
    : { width: Math.max(box.width, even(box.height * shape)), height: box.height };
}

function isSame(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}

function even(value: number): number {
  return Math.max(2, Math.round(value / 2) * 2);
}

function evenBelow(value: number): number {
  return Math.floor(value / 2) * 2;
}
