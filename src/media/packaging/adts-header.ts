const HEADER_BYTES = 7;
const SPECTRAL_BAND_REPLICATION = 5;
const PARAMETRIC_STEREO = 29;
const LOW_COMPLEXITY = 2;

/**
 * What stands before an AAC frame that is in no container (ISO 14496-3, 1.A.2.2).
 *
 * @param config the AudioSpecificConfig; HE-AAC is named by its core, which players extend by themselves
 * @param bytes of the frame
 */
export function adtsHeader(config: Uint8Array, bytes: number): Buffer {
  const [first = 0, second = 0] = config;
  const type = first >> 3;
  const frequency = ((first & 7) << 1) | (second >> 7);
  const channels = (second >> 3) & 0x0f;
  const core = type === SPECTRAL_BAND_REPLICATION || type === PARAMETRIC_STEREO ? LOW_COMPLEXITY : type;
  const length = bytes + HEADER_BYTES;
  return Buffer.from([
    0xff,
    0xf1,
    ((core - 1) << 6) | (frequency << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ]);
}
