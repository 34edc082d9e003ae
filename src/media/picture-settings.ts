import type { InputColor, OutputColor } from './color-settings.ts';
import type { MediaLocation } from './transcode-input.ts';
import type { Rational } from './video-settings.ts';

/** A part of a picture, in whole pixels from its upper left corner. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is done to the pictures of one input, before they go to the outputs. */
export interface InputPicture {
  /** True: pictures that are marked as interlaced are whole ones in two halves (PsF). */
  readonly isSegmented?: boolean;
  /** Of the video stream that is used; absent: the first. */
  readonly pid?: number;
  /** Degrees, clockwise; `auto`: as the container says. */
  readonly turn?: 90 | 180 | 270 | 'auto';
  /** True: the pictures' transparency takes their place, as a grey picture. */
  readonly isAlphaShown?: boolean;
  /** True: where sound begins earlier or ends later there are black pictures. */
  readonly isPaddedBlack?: boolean;
  readonly cleaning?: InputCleaning;
  readonly color?: InputColor;
  /** Instead of the outputs' own. */
  readonly crop?: Rectangle;
  readonly position?: Rectangle;
  /** Lie on the input's own pictures, and are scaled with them. In the order in which they are laid. */
  readonly images?: readonly InsertedImage[];
  /** Lies on top of all that. */
  readonly motion?: MotionOverlay;
}

/** A film, often with transparency, that is laid on another one. */
export interface MotionOverlay {
  readonly file: MediaLocation;
  /** Pixels from the other film's left and upper edge; absent: it is made as large as the other one. */
  readonly place?: { readonly x: number; readonly y: number };
  /** The timecode of the other film's picture on which it begins; absent: the first. */
  readonly start?: string;
  readonly isRepeated: boolean;
  /** Set where the file is the first of a series of images: so many of them a second. */
  readonly imageRate?: Rational;
}

/** Filters against what an earlier compression has left. */
export interface InputCleaning {
  /** 1 to 5. */
  readonly strength: number;
  readonly isDeblocked: boolean;
  readonly isDenoised: boolean;
}

/** A filter against noise; none at strength 0. */
export type NoiseReduction =
  /** Strengths up to 3. */
  | {
      readonly kind: 'bilateral' | 'mean' | 'gaussian' | 'lanczos' | 'sharpen' | 'conserve';
      readonly strength: number;
    }
  /** Strengths up to 16, speeds from -2 to 3, sharpening from 0 to 3. */
  | { readonly kind: 'spatial'; readonly strength: number; readonly speed: number; readonly sharpening: number }
  /** Strengths up to 16, speeds from -1 to 3, aggressiveness from 0 to 4, sharpening from 0 to 1. */
  | {
      readonly kind: 'temporal';
      readonly strength: number;
      readonly speed: number;
      readonly aggressiveness: number;
      readonly sharpening: number;
    };

/** What is done to the pictures of one output. */
export interface OutputPicture {
  /** The part of the input that is used. */
  readonly crop?: Rectangle;
  /** The part of the output that the input fills; the rest is black. */
  readonly position?: Rectangle;
  /** Lie on the output's pictures as they are. In the order in which they are laid. */
  readonly images?: readonly InsertedImage[];
  readonly noise?: NoiseReduction;
  readonly color?: OutputColor;
  /** Where the colour samples lie, other than in the input. */
  readonly chromaPosition?: 'center' | 'top-left';
  readonly burntTimecode?: BurntTimecode;
  /** Whether the timecode is a track of its own, too. */
  readonly hasTimecodeTrack?: boolean;
  /** Whether each picture carries its timecode beside itself. */
  readonly isTimecodeInserted?: boolean;
  /** Whether timecodes drop numbers to keep to the clock, at a rate at which they may. */
  readonly isTimecodeDropped?: boolean;
}

/** The timecode of each picture, written on it. */
export interface BurntTimecode {
  /** Pixels. */
  readonly fontSize: number;
  readonly row: 'top' | 'middle' | 'bottom';
  readonly column: 'left' | 'center' | 'right';
  /** Printable ASCII that stands before it. */
  readonly prefix: string;
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
  /** Candelas per square metre that its white has on an HDR film. */
  readonly white: number;
}
