/** A colour space as it is signalled: the numbers of ITU-T H.273, 2 for what is not said. */
export interface ColorSpace {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
}

/** What is known better than an input's own marks. */
export interface InputColor {
  readonly space?: ColorSpace;
  /** Where the input says something itself, that is taken instead. */
  readonly isFallback: boolean;
  /** Whether samples use all their values. */
  readonly range?: 'full' | 'limited';
  /** Candelas per square metre of the brightest light. */
  readonly peak?: number;
  readonly hdr?: HdrMetadata;
}

/** What an output does with the colours of its inputs. */
export interface OutputColor {
  /** Absent: the input's. */
  readonly space?: ColorSpace;
  /** What becomes of light that the output cannot show. */
  readonly toneMapping: 'details' | 'vibrant';
  /** Candelas per square metre of the brightest light of HDR inputs, whatever they say. */
  readonly peak?: number;
  /** Candelas per square metre that white has, where what is made for SDR becomes HDR. */
  readonly sdrWhite: number;
  /** `squeeze` brings all values into the limited range, `clip` cuts off what is outside of some. */
  readonly range?: 'squeeze' | { readonly minimum: number; readonly maximum: number };
  readonly hdr?: HdrMetadata;
  /** From -1 to 1. */
  readonly brightness?: number;
  /** Factors. */
  readonly contrast?: number;
  readonly saturation?: number;
  /** Degrees. */
  readonly hue?: number;
}

/** The static metadata of HDR10 (SMPTE ST 2086): colours in units of 0.00002, light in 0.0001 candelas per square metre. */
export interface HdrMetadata {
  readonly red: Chromaticity;
  readonly green: Chromaticity;
  readonly blue: Chromaticity;
  readonly white: Chromaticity;
  readonly minimum: number;
  readonly maximum: number;
  /** Candelas per square metre: of the brightest sample, and of the brightest picture's average. */
  readonly maxContentLight: number;
  readonly maxPictureLight: number;
}

type Chromaticity = readonly [x: number, y: number];

/** The transfer functions of HDR. */
export const [PQ, HLG] = [16, 18];

export function isHdr({ transfer }: ColorSpace): boolean {
  return transfer === PQ || transfer === HLG;
}
