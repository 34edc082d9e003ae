import type { Frame } from 'node-av/lib';
import type { ColorLut } from '../color-lut.ts';
import { isHdr } from '../color-settings.ts';
import type { InsertedImage } from '../picture-settings.ts';
import type { Rational } from '../video-settings.ts';
import { type Color, FULL_RANGE } from './color.ts';
import type { Step } from './graph-text.ts';
import type { ImageStore } from './image-store.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { MOTION_TICKS } from './motion-film.ts';

/** The film on which images are laid, as its pictures are at that place in the graph. */
export interface OverlaidFilm {
  /** FFmpeg's name of the pixel format. */
  readonly pixelFormat: string;
  readonly color: Color;
  readonly height: number;
  readonly framerate: Rational;
  /** The graph's time at which an image begins. */
  secondsOf(image: InsertedImage): number;
}

/** The images that a graph is given beside its film: each goes into a source of its own, once. */
export class ImageSources {
  readonly #ffmpeg: FFmpeg;
  readonly #store: ImageStore;
  readonly #sources: { readonly name: string; readonly frame: Frame }[] = [];

  constructor(ffmpeg: FFmpeg, store: ImageStore) {
    this.#ffmpeg = ffmpeg;
    this.#store = store;
  }

  get all(): readonly { readonly name: string; readonly frame: Frame }[] {
    return this.#sources;
  }

  /** @returns the text of a source that gives the image, and a name that no other has */
  add({ file }: InsertedImage, rate: Rational): { readonly source: string; readonly label: string } {
    return this.#add(this.#store.get(file), rate);
  }

  /** As `add`, of a table of colours. */
  addLut(lut: ColorLut, rate: Rational): { readonly source: string; readonly label: string } {
    return this.#add(this.#store.getLut(lut), rate);
  }

  #add(frame: Frame, rate: Rational): { readonly source: string; readonly label: string } {
    const label = `i${this.#sources.length}`;
    const name = `buffer@${label}`;
    this.#sources.push({ name, frame });
    const source =
      `${name}=video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=${rate.den}/${rate.num}` +
      `:pixel_aspect=1/1:frame_rate=${rate.num}/${rate.den}:colorspace=${frame.colorSpace}:range=${frame.colorRange}`;
    return { source, label };
  }

  /** A copy of the image for a source to take. */
  copyOf(frame: Frame): Frame {
    const copy = new this.#ffmpeg.Frame();
    copy.alloc();
    copy.ref(frame);
    return copy;
  }
}

/** Lays images on a film, in their order. What fades does so by pictures of its own, no more than the fading needs. */
export function imageSteps(images: readonly InsertedImage[], film: OverlaidFilm, sources: ImageSources): Step[] {
  return images.flatMap((image) => {
    const begin = film.secondsOf(image);
    const end = image.seconds === undefined ? undefined : begin + image.seconds;
    const shown = { image, from: begin, ...(end !== undefined && { to: end }) };
    const held = layer({ ...shown, fade: 'in', fadeSeconds: image.fadeInSeconds }, film, sources);
    if (end === undefined || image.fadeOutSeconds === 0) return [held];
    const goneAt = end + image.fadeOutSeconds;
    const gone = { image, from: end, to: goneAt, fade: 'out', fadeSeconds: image.fadeOutSeconds } as const;
    return [held, layer(gone, film, sources)];
  });
}

/** Lays a film on another one, of the same size or at a place. */
export function motionSteps(
  first: Frame,
  place: { readonly x: number; readonly y: number } | undefined,
  film: OverlaidFilm,
  width: number,
): Step[] {
  const { mixed, suffix } = formatFor(film.pixelFormat);
  const { x, y } = place ?? { x: 0, y: 0 };
  const scale = place === undefined ? `scale=w=${width}:h=${film.height}:flags=bicubic,` : '';
  const source =
    `buffer@motion=video_size=${first.width}x${first.height}:pix_fmt=${first.format}:time_base=1/${MOTION_TICKS}` +
    `:pixel_aspect=1/1:colorspace=${first.colorSpace}:range=${first.colorRange}`;
  const other = [
    `${source},${scale}format=rgba`,
    ...coloring(film, USUAL_WHITE, mixed),
    `setparams=colorspace=${film.color.matrix}:range=${film.color.range}`,
  ].join(',');
  return [{ name: 'm', other, filter: `overlay=x=${x}:y=${y}:format=${suffix}:eof_action=pass` }];
}

/** Candelas per square metre. */
const USUAL_WHITE = 100;

interface Layer {
  readonly image: InsertedImage;
  readonly from: number;
  readonly to?: number;
  readonly fade: 'in' | 'out';
  /** 0: it is there at once. */
  readonly fadeSeconds: number;
}

function layer({ image, from, to, fade, fadeSeconds }: Layer, film: OverlaidFilm, sources: ImageSources): Step {
  const { framerate } = film;
  const { source, label } = sources.add(image, framerate);
  const { mixed, suffix } = formatFor(film.pixelFormat);
  const filters = [
    source,
    `scale=w=${image.width ?? 'iw'}:h=${image.height ?? 'ih'}:flags=bicubic,format=rgba`,
    `colorchannelmixer=aa=${image.opacity}`,
    ...coloring(film, image.white, mixed),
    // So that nothing is converted again for the film's sake, whose own marks may be missing.
    `setparams=colorspace=${film.color.matrix}:range=${film.color.range}`,
  ];
  const frames = Math.round((fadeSeconds * framerate.num) / framerate.den);
  if (frames > 0) {
    filters.push(`loop=loop=${frames}:size=1`, 'setpts=N', `fade=t=${fade}:s=0:n=${frames}:alpha=1`);
    filters.push(`setpts=PTS+(${from.toFixed(6)})/TB`);
  }
  // A quarter of a picture, for times that were rounded.
  const slack = framerate.den / framerate.num / 4;
  const until = to === undefined ? '' : `*lt(t,${(to - slack).toFixed(6)})`;
  return {
    name: label,
    other: filters.join(','),
    filter:
      `overlay=x=${image.x}:y=${image.y}:format=${suffix}:eof_action=repeat` +
      `:enable='gte(t,${(from - slack).toFixed(6)})${until}'`,
  };
}

/** Gives an image the film's colours; on HDR its white has some light, and not the most that there is. */
function coloring({ color, height }: OverlaidFilm, white: number, mixed: string): string[] {
  if (isHdr(color)) {
    const source = 'pin=1:tin=13:min=0:rin=1';
    const range = color.range === FULL_RANGE ? 1 : 0;
    const target = `p=${color.primaries}:t=${color.transfer}:m=${color.matrix}:r=${range}:npl=${white}`;
    return ['format=gbrap10le', `zscale=${source}:${target}`, `format=${mixed}`];
  }
  const matrix = MATRICES[color.matrix] ?? (height >= HD_HEIGHT ? 'bt709' : 'bt601');
  const range = color.range === FULL_RANGE ? 'pc' : 'tv';
  return [`scale=out_color_matrix=${matrix}:out_range=${range}`, `format=${mixed}`];
}

const HD_HEIGHT = 720;
/** By FFmpeg's numbers of colour spaces. */
const MATRICES: Readonly<Record<number, string>> = {
  1: 'bt709',
  4: 'fcc',
  5: 'bt601',
  6: 'bt601',
  7: 'smpte240m',
  9: 'bt2020',
  10: 'bt2020',
};

/** The film's format as images are laid on it, the images' own, and the overlay filter's word for both. */
export function formatFor(pixelFormat: string): {
  readonly film: string;
  readonly mixed: string;
  readonly suffix: string;
} {
  const sampling = /422|yuyv|uyvy|nv16|p210/.test(pixelFormat)
    ? '422'
    : /^(yuvj?420|yuvj?41|nv12|nv21|p01|gray)/.test(pixelFormat)
      ? '420'
      : '444';
  const isDeep = /p(?:9|10|12|14|16)|^p[024]1|48|64/.test(pixelFormat);
  const depth = isDeep ? 'p10' : '';
  const bits = isDeep ? 'p10le' : 'p';
  return { film: `yuv${sampling}${bits}`, mixed: `yuva${sampling}${bits}`, suffix: `yuv${sampling}${depth}` };
}
