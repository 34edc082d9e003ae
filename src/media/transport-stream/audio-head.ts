const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const AAC_CHANNELS = [2, 1, 2, 3, 4, 5, 6, 8];
const AC3_RATES = [48000, 44100, 32000];
const AC3_CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5];
const MPEG_RATES = [44100, 48000, 32000];

export interface AudioHead {
  readonly channels: number;
  /** Hz. */
  readonly sampleRate: number;
}

/**
 * Reads the first frame's header of an audio stream: ADTS, MPEG audio, AC-3.
 *
 * @returns `undefined` where there is none, or the codec is another
 */
export function readAudioHead(codec: string, start: Buffer): AudioHead | undefined {
  if (start.length < 7) return undefined;
  if (codec === 'AAC') return readAdts(start);
  if (codec.endsWith('Audio')) return readMpegAudio(start);
  return codec === 'AC-3' ? readAc3(start) : undefined;
}

function readAdts(start: Buffer): AudioHead | undefined {
  if ((start.readUInt16BE(0) & 0xfff6) !== 0xfff0) return undefined;
  const bits = start.readUInt16BE(2);
  return head(AAC_CHANNELS[(bits >> 6) & 7], AAC_RATES[(bits >> 10) & 15]);
}

function readMpegAudio(start: Buffer): AudioHead | undefined {
  const bits = start.readUInt32BE(0);
  if (bits >>> 21 !== 0x7ff) return undefined;
  const version = (bits >> 19) & 3;
  const rate = MPEG_RATES[(bits >> 10) & 3];
  const divisor = version === 3 ? 1 : version === 2 ? 2 : 4;
  return head(((bits >> 6) & 3) === 3 ? 1 : 2, rate === undefined ? undefined : rate / divisor);
}

function readAc3(start: Buffer): AudioHead | undefined {
  if (start.readUInt16BE(0) !== 0x0b77) return undefined;
  const mode = (start[6] ?? 0) >> 5;
  const base = AC3_CHANNELS[mode];
  // The low-frequency bit stands behind fields that depend on the mode (ATSC A/52, 5.3.2).
  let at = 3;
  if ((mode & 1) === 1 && mode !== 1) at += 2;
  if ((mode & 4) !== 0) at += 2;
  if (mode === 2) at += 2;
  const lowFrequency = (((start[6] ?? 0) << 8) | (start[7] ?? 0)) & (0x8000 >> at);
  return head(base === undefined ? undefined : base + (lowFrequency === 0 ? 0 : 1), AC3_RATES[(start[4] ?? 0) >> 6]);
}

function head(channels: number | undefined, sampleRate: number | undefined): AudioHead | undefined {
  return channels === undefined || sampleRate === undefined ? undefined : { channels, sampleRate };
}
