import { BandSignal } from './band-signal.ts';
import type { BitWriter } from './bit-writer.ts';
import { describeChannel } from './describe-channel.ts';
import type { FrequencyBands } from './frequency-bands.ts';
import { sbrPayload } from './sbr-payload.ts';

/** Spectral band replication's part of an encoder: samples of one or two channels in, what their high bands are out. */
export class SbrEncoder {
  readonly #bands: FrequencyBands;
  readonly #signals: readonly BandSignal[];

  constructor(bands: FrequencyBands, channels: number) {
    this.#bands = bands;
    this.#signals = Array.from({ length: channels }, () => new BandSignal());
  }

  /**
   * Takes the next 2048 samples of each channel.
   *
   * @returns the extension of the core's frame that ends, in a decoder, with these samples
   */
  encode(channels: readonly Float32Array[]): BitWriter {
    const frames = this.#signals.map((signal, index) => {
      signal.push(channels[index] ?? new Float32Array(0), this.#bands.stop);
      return describeChannel(this.#bands, signal);
    });
    return sbrPayload(this.#bands, frames);
  }
}
