import type { Frame } from 'node-av/lib';
import type { BitWriter } from '../sbr/bit-writer.ts';

/** Samples of a frame of HE-AAC's core, of which there are half as many as of the output. */
export const CORE_FRAME = 1024;

/** Makes what HE-AAC's core encodes of the samples, and what extends it. */
export interface CoreSource {
  /** Samples of the output by which the core is later than what it is made of. */
  readonly delay: number;
  /** Takes 2048 samples, or less at the end, and gives frames of the core's, which are its own. */
  encode(frame: Frame, emit: (frame: Frame) => void): void;
  /** Goes on with so many samples of silence, and ends. */
  finish(silence: number, emit: (frame: Frame) => void): void;
  /** The extension of the core's next frame. */
  nextExtension(): BitWriter;
}

/** The samples of a frame's channels, which stay FFmpeg's. */
export function floatSamples({ extendedData, data, nbSamples }: Frame, channels: number): Float32Array[] {
  const planes = extendedData ?? data ?? [];
  return planes.slice(0, channels).map((plane) => {
    if (plane.byteOffset % 4 === 0) return new Float32Array(plane.buffer, plane.byteOffset, nbSamples);
    return new Float32Array(Uint8Array.from(plane.subarray(0, nbSamples * 4)).buffer);
  });
}
