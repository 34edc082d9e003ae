import { BandSignal, FRAME_SAMPLES, FRAME_SLOTS, FULL_SCALE, LATE_SLOTS } from '../sbr/band-signal.ts';
import type { BitWriter } from '../sbr/bit-writer.ts';
import { describeChannel } from '../sbr/describe-channel.ts';
import type { FrequencyBands } from '../sbr/frequency-bands.ts';
import { BANDS, QmfAnalysis } from '../sbr/qmf-analysis.ts';
import { QmfSynthesis } from '../sbr/qmf-synthesis.ts';
import { sbrPayload } from '../sbr/sbr-payload.ts';
import { StereoDescription } from './describe-stereo.ts';
import { Downmix } from './downmix.ts';
import { type Bands, HYBRID_REACH, SlotMeter, type SlotStereo, STEREO_BANDS } from './hybrid-bands.ts';
import { type StereoGrid, stereoData } from './stereo-data.ts';

/** Samples by which the core is later than the channels it is made of: both filter banks. */
export const CORE_DELAY = 577;
/** The same in slots, less a sample. */
const CORE_SLOTS = 9;
/** Slots of which both channels' bands are kept: what the filters look back at, a frame, and what they look ahead at. */
const KEPT_SLOTS: number = 2 * HYBRID_REACH + FRAME_SLOTS;
/** Slots of which is kept how the channels are to each other. */
const METERED_SLOTS: number = 3 * FRAME_SLOTS;
/**
 * The slot among those that begins the frame that is described: the frame before the one that was taken in, later by as
 * much as the core is, and as a decoder's high bands are.
 */
const DESCRIBED: number = METERED_SLOTS + HYBRID_REACH - 2 * FRAME_SLOTS - CORE_SLOTS - LATE_SLOTS;
/** Of the bands above the core's, one is still made, for the slopes of filters. */
const SLOPE = 1;

/** From so many bits on, stereo is told of a frame's end alone: there is no room for everything that samples could be. */
const MOST_BITS = 1000;

/** What comes of a frame. */
export interface StereoFrame {
  /** 1024 samples at half the rate, for the core to encode. */
  readonly core: Float32Array;
  /** The extension of the core's frame that ends, in a decoder, where those samples begin. */
  readonly extension: BitWriter;
}

/** HE-AAC v2 around its core: two channels in, one at half the rate out, with what makes of it all bands and both channels. */
export class StereoEncoder {
  readonly #bands: FrequencyBands;
  readonly #grid: StereoGrid;
  readonly #filters = [new QmfAnalysis(FRAME_SLOTS), new QmfAnalysis(FRAME_SLOTS)] as const;
  readonly #left = emptyBands(KEPT_SLOTS);
  readonly #right = emptyBands(KEPT_SLOTS);
  readonly #mixed = emptyBands(CORE_SLOTS + FRAME_SLOTS);
  readonly #downmix = new Downmix();
  readonly #synthesis = new QmfSynthesis();
  readonly #signal = new BandSignal();
  readonly #meter = new SlotMeter();
  readonly #slots: SlotStereo = {
    left: new Float64Array(METERED_SLOTS * STEREO_BANDS),
    right: new Float64Array(METERED_SLOTS * STEREO_BANDS),
    both: new Float64Array(METERED_SLOTS * STEREO_BANDS),
  };
  readonly #description: StereoDescription;

  constructor(bands: FrequencyBands, grid: StereoGrid) {
    this.#bands = bands;
    this.#grid = grid;
    this.#description = new StereoDescription(grid);
  }

  /** Takes the next 2048 samples of both channels; what lacks at the end is silence. */
  encode(channels: readonly Float32Array[]): StereoFrame {
    const { start, stop } = this.#bands;
    // Described with what was taken in up to now: in a decoder, a frame of the core comes a frame later.
    const replication = describeChannel(this.#bands, this.#signal);
    this.#takeIn(channels);
    const core = new Float32Array(FRAME_SAMPLES / 2);
    const mixed = this.#mixed;
    const [re, im] = [mixed.re.subarray(CORE_SLOTS * BANDS), mixed.im.subarray(CORE_SLOTS * BANDS)];
    this.#synthesis.synthesize(re, im, start + SLOPE, 1 / FULL_SCALE, core);
    this.#signal.pushBands(mixed.re, mixed.im, stop);
    const envelopes = this.#description.describe(this.#slots, DESCRIBED);
    const all = stereoData(this.#grid, envelopes);
    const stereo = all.length > MOST_BITS ? stereoData(this.#grid, envelopes.slice(-1)) : all;
    return { core, extension: sbrPayload(this.#bands, [replication], stereo) };
  }

  #takeIn(channels: readonly Float32Array[]): void {
    const lines = [this.#left, this.#right] as const;
    const first = KEPT_SLOTS - FRAME_SLOTS;
    for (const [index, { re, im }] of lines.entries()) {
      re.copyWithin(0, FRAME_SLOTS * BANDS);
      im.copyWithin(0, FRAME_SLOTS * BANDS);
      const samples = channels[index] ?? new Float32Array(0);
      this.#filters[index]?.analyze(samples, FULL_SCALE, re, im, first * BANDS);
    }
    const mixed = this.#mixed;
    mixed.re.copyWithin(0, FRAME_SLOTS * BANDS);
    mixed.im.copyWithin(0, FRAME_SLOTS * BANDS);
    this.#downmix.mix(this.#left, this.#right, first, mixed, CORE_SLOTS);
    for (const values of [this.#slots.left, this.#slots.right, this.#slots.both]) {
      values.copyWithin(0, FRAME_SLOTS * STEREO_BANDS);
    }
    for (let slot = 0; slot < FRAME_SLOTS; slot++) {
      const at = METERED_SLOTS - FRAME_SLOTS + slot;
      this.#meter.measure(this.#left, this.#right, slot + HYBRID_REACH, this.#slots, at);
    }
  }
}

function emptyBands(slots: number): Bands {
  return { re: new Float64Array(slots * BANDS), im: new Float64Array(slots * BANDS) };
}
