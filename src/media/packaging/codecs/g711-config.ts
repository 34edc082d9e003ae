/** G.711: one byte for each sample of each channel. */
export interface G711Config {
  readonly kind: 'g711';
  /** The sample entry of QuickTime, which is also how manifests call it. */
  readonly name: 'alaw' | 'ulaw';
  readonly sampleRate: number;
  readonly channels: number;
}

const WAVE_FORMAT_HEAD = 16;
const FORMATS: Readonly<Record<number, G711Config['name']>> = { 6: 'alaw', 7: 'ulaw' };

/**
 * Reads `WAVEFORMATEX`, the codec private data of `A_MS/ACM`.
 *
 * @returns `undefined` for a format that is not G.711
 * @throws RangeError when it is cut off or says what does not exist
 */
export function readG711Config(data: Buffer): G711Config | undefined {
  if (data.length < WAVE_FORMAT_HEAD) throw new RangeError('The format is cut off.');
  const name = FORMATS[data.readUInt16LE(0)];
  if (name === undefined) return undefined;
  const channels = data.readUInt16LE(2);
  const sampleRate = data.readUInt32LE(4);
  if (channels < 1 || channels > 8 || sampleRate < 1 || sampleRate > 192_000) {
    throw new RangeError('The format has no sensible channels or sample rate.');
  }
  return { kind: 'g711', name, sampleRate, channels };
}
