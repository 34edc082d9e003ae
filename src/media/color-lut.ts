import type { ColorSpace } from './color-settings.ts';
import type { MediaLocation } from './transcode-input.ts';

/** A table of colours in a `.cube` file, instead of a conversion of Coffer's own from one colour space into another. */
export interface ColorLut {
  readonly file: MediaLocation;
  readonly from: ColorSpace;
  readonly to: ColorSpace;
  /** Candelas per square metre of the brightest light; absent: whatever it is. */
  readonly fromPeak?: number;
  readonly toPeak?: number;
}
