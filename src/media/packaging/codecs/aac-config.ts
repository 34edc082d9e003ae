import { BitReader } from './bit-reader.ts';

/** AAC: what `AudioSpecificConfig` (ISO 14496-3, 1.6.2.1) says. */
export interface AacConfig {
  readonly kind: 'aac';
  /** RFC 6381: `mp4a.40.2`. */
  readonly name: string;
  /** The configuration as it came. */
  readonly record: Buffer;
  /** Of the core coder: frames count in its samples. */
  readonly sampleRate: number;
  /** Of what is heard: with parametric stereo, the core coder's one becomes two. */
  readonly channels: number;
  readonly samplesPerFrame: number;
  /** What the header of an ADTS frame says; `undefined` for what ADTS cannot carry. */
  readonly adts:
    | { readonly objectType: number; readonly frequencyIndex: number; readonly channelConfiguration: number }
    | undefined;
}

const SAMPLE_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const EXPLICIT_RATE = 15;
const CHANNELS = [2, 1, 2, 3, 4, 5, 6, 8];
/** HE-AAC with spectral band replication, and with parametric stereo: the core coder's type follows. */
const PARAMETRIC_STEREO = 29;
const EXTENDED_TYPES: ReadonlySet<number> = new Set([5, PARAMETRIC_STEREO]);
/** Object types with a `GASpecificConfig` that begins with the frame's length. */
const GENERAL_AUDIO_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);

/** @throws RangeError when the configuration is cut off or says what does not exist */
export function readAacConfig(data: Buffer): AacConfig {
  const reader = new BitReader(data);
  const objectType = readObjectType(reader);
  const core = readSampleRate(reader);
  const channelConfiguration = reader.bits(4);
  const channels = CHANNELS[channelConfiguration];
  if (channels === undefined) throw new RangeError('The channels are not known.');
  let coreType = objectType;
  if (EXTENDED_TYPES.has(objectType)) {
    readSampleRate(reader);
    coreType = readObjectType(reader);
  }
  if (!GENERAL_AUDIO_TYPES.has(coreType)) throw new RangeError('The kind of AAC is not known.');
  return {
    kind: 'aac',
    name: `mp4a.40.${objectType}`,
    record: data,
    sampleRate: core.rate,
    channels: objectType === PARAMETRIC_STEREO && channels === 1 ? 2 : channels,
    samplesPerFrame: reader.flag() ? 960 : 1024,
    adts:
      coreType <= 4 && core.index !== EXPLICIT_RATE && channelConfiguration > 0
        ? { objectType: coreType, frequencyIndex: core.index, channelConfiguration }
        : undefined,
  };
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === 31 ? 32 + reader.bits(6) : type;
}

function readSampleRate(reader: BitReader): { readonly index: number; readonly rate: number } {
  const index = reader.bits(4);
  const rate = index === EXPLICIT_RATE ? reader.bits(24) : SAMPLE_RATES[index];
  if (rate === undefined || rate === 0) throw new RangeError('The sample rate is not known.');
  return { index, rate };
}
