import { checked, type PictureFacts } from './avc-parameter-set.ts';
import { BitReader } from './bit-reader.ts';
import { withoutEmulationPrevention } from './nal-units.ts';

/** What an H.265 sequence parameter set says: of the picture, and for `hvcC`. */
export interface HevcParameterSet extends PictureFacts {
  /** The 12 bytes of the general profile, tier and level, as they stand in the set and in `hvcC`. */
  readonly profileTierLevel: Buffer;
  readonly chromaFormat: number;
  readonly lumaDepth: number;
  readonly chromaDepth: number;
  readonly temporalLayers: number;
  readonly areTemporalIdsNested: boolean;
}

/**
 * Reads an H.265 sequence parameter set (H.265, 7.3.2.2), as far as the order of frames.
 *
 * @param unit the NAL unit, with its header of two bytes
 * @throws RangeError when it is cut off or senseless
 */
export function readHevcParameterSet(unit: Uint8Array): HevcParameterSet {
  const plain = withoutEmulationPrevention(unit.subarray(2));
  const reader = new BitReader(plain);
  reader.skip(4);
  const extraLayers = reader.bits(3);
  const areTemporalIdsNested = reader.flag();
  const profileTierLevel = plain.subarray(1, 13);
  reader.skip(96);
  skipLayerProfiles(reader, extraLayers);
  reader.unsignedGolomb();
  const chromaFormat = reader.unsignedGolomb();
  if (chromaFormat > 3) throw new RangeError('The colour format is not known.');
  const isSeparate = chromaFormat === 3 && reader.flag();
  let width = reader.unsignedGolomb();
  let height = reader.unsignedGolomb();
  if (reader.flag()) {
    const subsamples = isSeparate ? 0 : chromaFormat;
    const unitX = subsamples === 1 || subsamples === 2 ? 2 : 1;
    const unitY = subsamples === 1 ? 2 : 1;
    width -= unitX * (reader.unsignedGolomb() + reader.unsignedGolomb());
    height -= unitY * (reader.unsignedGolomb() + reader.unsignedGolomb());
  }
  const lumaDepth = reader.unsignedGolomb() + 8;
  const chromaDepth = reader.unsignedGolomb() + 8;
  reader.unsignedGolomb();
  let reorderedFrames = 0;
  // What is said of the last layer holds for the whole stream.
  for (let layer = reader.flag() ? 0 : extraLayers; layer <= extraLayers; layer++) {
    reader.unsignedGolomb();
    reorderedFrames = reader.unsignedGolomb();
    reader.unsignedGolomb();
  }
  if (reorderedFrames > 16 || lumaDepth > 16 || chromaDepth > 16) throw new RangeError('A number is too large.');
  return {
    ...checked({ width, height, reorderedFrames }),
    profileTierLevel,
    chromaFormat,
    lumaDepth,
    chromaDepth,
    temporalLayers: extraLayers + 1,
    areTemporalIdsNested,
  };
}

export function skipLayerProfiles(reader: BitReader, extraLayers: number): void {
  const present: { readonly profile: boolean; readonly level: boolean }[] = [];
  for (let layer = 0; layer < extraLayers; layer++) present.push({ profile: reader.flag(), level: reader.flag() });
  if (extraLayers > 0) reader.skip((8 - extraLayers) * 2);
  for (const { profile, level } of present) reader.skip((profile ? 88 : 0) + (level ? 8 : 0));
}
