import { readHevcConfig } from './codecs/hevc-config.ts';

/**
 * The RFC 6381 name (`avc1.640028`, `hvc1.1.6.L93.90`) of a stream in Annex B form, from its first sequence parameter
 * set; `undefined` where there is none.
 */
export function videoCodecName(kind: 'h264' | 'h265', bytes: Buffer): string | undefined {
  return kind === 'h264' ? avcCodecName(bytes) : hevcCodecName(bytes);
}

function avcCodecName(bytes: Uint8Array): string | undefined {
  const SEQUENCE_PARAMETER_SET = 7;
  for (let at = 0; at + 6 < bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    if (((bytes[at + 3] ?? 0) & 0x1f) !== SEQUENCE_PARAMETER_SET) continue;
    return `avc1.${Buffer.from(bytes.subarray(at + 4, at + 7)).toString('hex')}`;
  }
  return undefined;
}

function hevcCodecName(bytes: Buffer): string | undefined {
  try {
    return readHevcConfig(bytes).name;
  } catch {
    return undefined;
  }
}
