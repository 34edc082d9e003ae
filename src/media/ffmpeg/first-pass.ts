import type { PredictedVideoSettings, Rational, VideoSettings } from '../video-settings.ts';
import { h264RateFactor } from './h264-options.ts';
import { h265RateFactor } from './h265-options.ts';
import { type FirstPass, nearestPass, RateGuide, totalOf } from './rate-guide.ts';

/** What the first pass encodes with; the sizes at others follow. */
const FACTORS = { h264: 24, h265: 27 } as const;
/** A film is encoded again where it is so many doublings off; H.264 less often, as it is corrected on the way. */
const FAR = { h264: 0.3, h265: 0.15 } as const;
const MOST_LOOKS = 4;

type Predicted = VideoSettings & { readonly codec: PredictedVideoSettings };

/** True where the whole film has to be known before: its average is said, and no rate is constant. */
export function needsFirstPass(video: VideoSettings | undefined): video is Predicted {
  if (video?.codec.kind !== 'h264' && video?.codec.kind !== 'h265') return false;
  const { isMultiPass, rateControl } = video.codec;
  if (isMultiPass !== true) return false;
  return rateControl.mode === 'vbr' || (rateControl.mode === 'qvbr' && rateControl.maxAverageBitrate !== undefined);
}

/**
 * The settings of the first pass. H.264 takes the quickest that tells enough, as its second pass is corrected on the
 * way; H.265's is not, and so the passes are alike.
 */
function firstPassSettings(video: Predicted): Predicted {
  const { codec } = video;
  const rateControl = { mode: 'factor', factor: FACTORS[codec.kind] } as const;
  if (codec.kind === 'h265') return { ...video, codec: { ...codec, rateControl } };
  return { ...video, codec: { ...codec, preset: 'veryfast', rateControl } };
}

/** Finds out what a film takes by encoding it: once at a usual factor and, where that is far off, again nearer to it. */
class FilmLooks {
  readonly video: Predicted;
  readonly #looks: FirstPass[] = [];
  #settings: Predicted;
  #factor: number;
  #bits: number[] = [];
  #pass: FirstPass;

  constructor(video: Predicted) {
    this.video = video;
    this.#settings = firstPassSettings(video);
    this.#factor = FACTORS[video.codec.kind];
    this.#pass = { factor: this.#factor, bits: [] };
  }

  /** With what the next look encodes: beyond the first one, within the buffer of the second pass. */
  get settings(): Predicted {
    return this.#settings;
  }

  /** What the looks have told so far. */
  get pass(): FirstPass {
    return this.#pass;
  }

  /** Takes the size of the next picture. */
  take(bits: number): void {
    this.#bits.push(bits);
  }

  /** Ends a look; true where another one is needed. */
  end(framerate: Rational): boolean {
    const look = { factor: this.#factor, bits: this.#bits };
    const budget = budgetOf(this.video, look, framerate);
    this.#pass = nearestPass([look, ...this.#looks], budget);
    this.#looks.push(look);
    this.#bits = [];
    const { rateControl } = secondPass(this.video, this.#pass, framerate);
    const { codec } = firstPassSettings(this.video);
    const isNew = this.#looks.every(({ factor }) => Math.abs(factor - rateControl.factor) > 0.1);
    const isFar = Math.abs(Math.log2(Math.max(1, totalOf(this.#pass)) / Math.max(1, budget))) > FAR[codec.kind];
    this.#factor = rateControl.factor;
    this.#settings = withControl({ ...this.video, codec }, rateControl);
    return isFar && isNew && this.#looks.length < MOST_LOOKS && rateControl.factor !== leastFactor(this.video.codec);
  }
}

/**
 * Looks at films until it is known of each what it takes.
 *
 * @param encode shows the films to encoders; tells their frame rates
 */
export function lookAtFilms(
  videos: readonly Predicted[],
  encode: (looks: readonly FilmLooks[]) => readonly Rational[],
): ReadonlyMap<VideoSettings, FirstPass> {
  const all = videos.map((video) => new FilmLooks(video));
  let looks: readonly FilmLooks[] = all;
  while (looks.length > 0) {
    const framerates = encode(looks);
    looks = looks.filter((look, index) => {
      const framerate = framerates[index];
      return framerate !== undefined && look.end(framerate);
    });
  }
  return new Map(all.map((look) => [look.video, look.pass]));
}

type FactorControl = Extract<PredictedVideoSettings['rateControl'], { mode: 'factor' }>;

function withControl({ codec, ...video }: Predicted, rateControl: FactorControl): Predicted {
  return codec.kind === 'h264'
    ? { ...video, codec: { ...codec, rateControl } }
    : { ...video, codec: { ...codec, rateControl } };
}

/** The settings of the second pass, and what leads it. */
export function secondPass(
  video: Predicted,
  pass: FirstPass,
  framerate: Rational,
): { readonly settings: VideoSettings; readonly guide: RateGuide; readonly rateControl: FactorControl } {
  const { codec } = video;
  const { rateControl: control } = codec;
  const guide = new RateGuide(pass, budgetOf(video, pass, framerate), leastFactor(codec));
  const maximum = control.mode === 'vbr' ? (control.maxBitrate ?? Math.round(control.bitrate * 1.5)) : mostOf(control);
  const rateControl = { mode: 'factor', factor: guide.factor, ...(maximum > 0 && { maxBitrate: maximum }) } as const;
  return { settings: withControl(video, rateControl), guide, rateControl };
}

/** Bits of the whole film. */
function budgetOf({ codec: { rateControl } }: Predicted, pass: FirstPass, framerate: Rational): number {
  const average = rateControl.mode === 'vbr' ? rateControl.bitrate : averageOf(rateControl);
  return (average * pass.bits.length * framerate.den) / framerate.num;
}

type Control = PredictedVideoSettings['rateControl'];

function averageOf(control: Control): number {
  return control.mode === 'qvbr' ? (control.maxAverageBitrate ?? control.maxBitrate) : 0;
}

function mostOf(control: Control): number {
  return control.mode === 'qvbr' ? control.maxBitrate : 0;
}

/** A quality that is asked for is not exceeded. */
function leastFactor({ kind, rateControl }: PredictedVideoSettings): number | undefined {
  if (rateControl.mode !== 'qvbr') return undefined;
  return kind === 'h264' ? h264RateFactor(rateControl.level) : h265RateFactor(rateControl.level);
}
