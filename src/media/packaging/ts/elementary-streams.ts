import type { AacConfig } from '../codecs/aac-config.ts';
import { annexBPieces, isEntryUnit, unitsOfFrame } from '../codecs/nal-units.ts';
import type { CodedTrack, VideoCodec } from '../codecs/track-codec.ts';
import { PackagingError } from '../packaging-error.ts';
import type { TimedFrame } from '../track-samples.ts';

interface UnitTypes {
  readonly typeOf: (unit: Buffer) => number;
  readonly delimiterType: number;
  readonly delimiter: Buffer;
  readonly isParameterSet: (type: number) => boolean;
}

const AVC_UNITS: UnitTypes = {
  typeOf: (unit) => (unit[0] ?? 0) & 0x1f,
  delimiterType: 9,
  delimiter: Buffer.of(0x09, 0xf0),
  isParameterSet: (type) => type === 7 || type === 8,
};

const HEVC_UNITS: UnitTypes = {
  typeOf: (unit) => ((unit[0] ?? 0) >> 1) & 0x3f,
  delimiterType: 35,
  delimiter: Buffer.of(0x46, 0x01, 0x50),
  isParameterSet: (type) => type >= 32 && type <= 34,
};

/**
 * A video frame as an access unit in Annex B form, as MPEG-TS wants it: a delimiter first, parameter sets before each
 * picture at which decoding can begin.
 *
 * @throws PackagingError invalid-frame
 */
export function accessUnit({ codec }: CodedTrack<VideoCodec>, frame: TimedFrame): Buffer[] {
  const kinds = codec.kind === 'avc' ? AVC_UNITS : HEVC_UNITS;
  const units = unitsOfFrame(frame.payload, codec.lengthSize);
  const types = units.map(kinds.typeOf);
  const isEntry = frame.isKeyframe || units.some((unit) => isEntryUnit(codec.kind, unit));
  const hasParameterSets = types.some(kinds.isParameterSet);
  const own = units.filter((_unit, index) => types[index] !== kinds.delimiterType);
  const sets = isEntry && !hasParameterSets ? codec.parameterSets : [];
  return annexBPieces([kinds.delimiter, ...sets, ...own]);
}

const ADTS_HEAD = 7;
const MAX_ADTS_FRAME = 0x1fff;

/**
 * An AAC frame behind its ADTS header (ISO 14496-3, 1.A.3.2).
 *
 * @throws PackagingError invalid-frame
 */
export function adtsFrame({ adts }: AacConfig, { payload }: TimedFrame): Buffer[] {
  if (adts === undefined) throw new PackagingError('unsupported-media', 'This kind of AAC cannot be put into MPEG-TS.');
  const { objectType, frequencyIndex, channelConfiguration } = adts;
  const length = ADTS_HEAD + payload.length;
  if (length > MAX_ADTS_FRAME) throw new PackagingError('invalid-frame', 'An AAC frame is too long.');
  const head = Buffer.of(
    0xff,
    0xf1,
    ((objectType - 1) << 6) | (frequencyIndex << 2) | (channelConfiguration >> 2),
    ((channelConfiguration & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  );
  return [head, payload];
}
