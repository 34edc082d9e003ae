import type { Frame } from 'node-av/lib';
import { uriOf } from '../media-location.ts';
import type { MediaLocation } from '../transcode-input.ts';
import type { Rational } from '../video-settings.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import { type AuxiliaryPort, readAll } from './auxiliary.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { decodeImage, MAX_IMAGE_BYTES } from './decode-image.ts';
import type { MotionPictures } from './motion-film.ts';

/** The number at the end of an image's name. */
const NUMBER = /(\d+)(?=\.png(?:\?|$))/;

/** Images that are numbered from nought, one after the other up to the first that is not there. */
export class SeriesPictures implements MotionPictures {
  readonly rate: Rational;
  readonly #ffmpeg: FFmpeg;
  readonly #port: AuxiliaryPort;
  readonly #first: MediaLocation;
  #index = 0;
  #shape: string | undefined;

  /** @param first its name ends with a number of nought alone, which says how many figures the others' have */
  constructor(ffmpeg: FFmpeg, port: AuxiliaryPort, first: MediaLocation, rate: Rational) {
    this.#ffmpeg = ffmpeg;
    this.#port = port;
    this.#first = first;
    this.rate = rate;
  }

  next(frame: Frame): number | undefined {
    const location = numbered(this.#first, this.#index);
    if (location === undefined) return undefined;
    const isFirst = this.#index === 0;
    const source = isFirst
      ? this.#port.openAuxiliary(location, MAX_IMAGE_BYTES)
      : this.#port.openIfThere(location, MAX_IMAGE_BYTES);
    if (source === undefined) return undefined;
    const image = decodeImage(this.#ffmpeg, readAll(source), uriOf(location));
    const shape = `${image.width}x${image.height}/${image.format}`;
    this.#shape ??= shape;
    if (shape !== this.#shape) {
      image.free();
      const text = 'The image has another size or another form than the first of its series';
      throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uriOf(location), text));
    }
    frame.unref();
    frame.ref(image);
    image.free();
    const seconds = (this.#index * this.rate.den) / this.rate.num;
    this.#index += 1;
    return seconds;
  }

  close(): void {
    // Nothing stays open between two images.
  }
}

function numbered(first: MediaLocation, index: number): MediaLocation | undefined {
  const name = 'url' in first ? first.url : first.key;
  const figures = NUMBER.exec(name)?.[0].length ?? 0;
  const number = String(index).padStart(figures, '0');
  if (number.length > figures) return undefined;
  const renamed = name.replace(NUMBER, number);
  return 'url' in first ? { url: renamed } : { ...first, key: renamed };
}
