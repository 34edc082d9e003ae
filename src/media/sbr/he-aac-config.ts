import { BitWriter } from './bit-writer.ts';

/** Samples a second, by the number that stands for them. */
const FREQUENCIES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];
const SPECTRAL_BAND_REPLICATION = 5;
const PARAMETRIC_STEREO = 29;
const LOW_COMPLEXITY = 2;

/**
 * The AudioSpecificConfig of HE-AAC, which names the replication first, or the stereo with it, and its core behind it
 * (ISO/IEC 14496-3, 1.6.5).
 *
 * @param sampleRate of the output; the core has half of it
 * @param channels of the core; `parametric` for the one of which two are made
 * @throws RangeError when AAC has no number for it
 */
export function heAacConfig(sampleRate: number, channels: number | 'parametric'): Buffer {
  const full = FREQUENCIES.indexOf(sampleRate);
  const core = FREQUENCIES.indexOf(sampleRate / 2);
  if (full < 0 || core < 0) throw new RangeError(`HE-AAC has no ${sampleRate} Hz.`);
  const bits = new BitWriter();
  const isParametric = channels === 'parametric';
  bits.write(isParametric ? PARAMETRIC_STEREO : SPECTRAL_BAND_REPLICATION, 5);
  bits.write(core, 4);
  bits.write(isParametric ? 1 : channels, 4);
  bits.write(full, 4);
  bits.write(LOW_COMPLEXITY, 5);
  // Frames of 1024 samples, which depend on no other coder and have no extension.
  bits.write(0, 3);
  return bits.finish();
}
