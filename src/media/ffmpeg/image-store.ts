import type { Frame } from 'node-av/lib';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import { uriOf } from '../media-location.ts';
import type { MediaLocation } from '../transcode-input.ts';
import { type AuxiliaryPort, readAuxiliary } from './auxiliary.ts';
import { decodeImage, MAX_IMAGE_BYTES, MAX_PIXELS } from './decode-image.ts';
import { lutImage } from './lut-image.ts';
import type { ColorLut } from '../color-lut.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { MotionOverlay } from '../picture-settings.ts';
import { MotionFilm } from './motion-film.ts';

/** Of all the images of a job together. */
const MAX_PIXELS_OF_ALL = 4 * MAX_PIXELS;

/** The images that a job lays on its films: each is read and decoded once. */
export class ImageStore {
  readonly #ffmpeg: FFmpeg;
  readonly #port: AuxiliaryPort;
  readonly #images = new Map<string, Frame>();
  #pixels = 0;

  constructor(ffmpeg: FFmpeg, port: AuxiliaryPort) {
    this.#ffmpeg = ffmpeg;
    this.#port = port;
  }

  /**
   * The image as it was decoded; the store keeps it.
   *
   * @throws TranscodeError 1010 for what is no image or is too large
   */
  get(file: MediaLocation): Frame {
    const key = JSON.stringify(file);
    const known = this.#images.get(key);
    if (known !== undefined) return known;
    const frame = decodeImage(this.#ffmpeg, readAuxiliary(this.#port, file, MAX_IMAGE_BYTES), uriOf(file));
    this.#pixels += frame.width * frame.height;
    if (this.#pixels > MAX_PIXELS_OF_ALL) {
      const text = `The images of the job have more than ${MAX_PIXELS_OF_ALL} pixels together`;
      throw new TranscodeError(ERROR_CODES.settingsDoNotFit, text);
    }
    this.#images.set(key, frame);
    return frame;
  }

  /** A table of colours as an image; the store keeps it. @throws TranscodeError 1010 for what is none */
  getLut(lut: ColorLut): Frame {
    const key = `lut ${JSON.stringify(lut.file)}`;
    const frame = this.#images.get(key) ?? lutImage(this.#ffmpeg, this.#port, lut);
    this.#images.set(key, frame);
    return frame;
  }

  /** A film that is laid on another; whoever opens it closes it. @throws TranscodeError */
  openFilm(overlay: MotionOverlay): MotionFilm {
    return new MotionFilm(this.#ffmpeg, this.#port, overlay);
  }

  close(): void {
    for (const frame of this.#images.values()) frame.free();
    this.#images.clear();
  }
}
