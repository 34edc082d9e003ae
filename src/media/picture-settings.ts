import type { MediaLocation } from './transcode-input.ts';

/** A part of a picture, in whole pixels from its upper left corner. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is done to the pictures of one input, before they go to the outputs. */
export interface InputPicture {
  /** Lie on the input's own pictures, and are scaled with them. In the order in which they are laid. */
  readonly images?: readonly InsertedImage[];
}

/** What is done to the pictures of one output. */
export interface OutputPicture {
  /** Lie on the output's pictures as they are. In the order in which they are laid. */
  readonly images?: readonly InsertedImage[];
}

/** A still picture that is laid on a film. */
export interface InsertedImage {
  readonly file: MediaLocation;
  /** Pixels from the film's left and upper edge. */
  readonly x: number;
  readonly y: number;
  /** Pixels; absent: the image's own. */
  readonly width?: number;
  readonly height?: number;
  /** 0 (not to be seen) to 1. */
  readonly opacity: number;
  /** The timecode of the film's picture on which it begins; absent: the first. */
  readonly start?: string;
  /** Counts the fading in, and not the fading out; absent: to the end. */
  readonly seconds?: number;
  readonly fadeInSeconds: number;
  readonly fadeOutSeconds: number;
}
