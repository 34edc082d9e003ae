import type { AudioCodecSettings } from './audio-codec-settings.ts';

/** One track of sound in an output. */
export interface AudioSettings {
  /** The selector of each input by which the sound is found. */
  readonly selector: string;
  /** ISO 639-2, lower case; absent: unknown. */
  readonly language?: string;
  /** True: the input's own language goes before `language`. */
  readonly isLanguageFollowed?: boolean;
  readonly streamName?: string;
  /** `audio_type` of ISO 13818-1, for MPEG-TS: 1 clean effects, 2 hearing impaired, 3 visually impaired. */
  readonly audioType?: number;
  /** True: the input's own type goes before `audioType`. */
  readonly isTypeFollowed?: boolean;
  /** Absent: the channels are brought to the codec's number in the usual way. */
  readonly remix?: Remix;
  /** Absent: the loudness is left as it is, and not measured. */
  readonly loudness?: LoudnessSettings;
  /** True: it ends with the picture, filled up with silence or cut off. */
  readonly isLengthOfVideo?: boolean;
  readonly codec: AudioCodecSettings;
}

/** A matrix: how much of each input channel is in each output channel. */
export interface Remix {
  /** By output channel, then by input channel: factors, 1 for as it is and 0 for not at all. */
  readonly gains: readonly (readonly number[])[];
}

export interface LoudnessSettings {
  /** Quiet passages are left out of the measurement (BS.1770-2 and later) or not (BS.1770-1). */
  readonly isGated: boolean;
  /** False only measures. */
  readonly isCorrected: boolean;
  /** LKFS. */
  readonly target: number;
  /** LKFS; sound that measures less is not corrected. */
  readonly correctionGate: number;
  /** dBTP. */
  readonly truePeakLimit: number;
  readonly isTruePeakMeasured: boolean;
  /** True writes what was measured beside the output. */
  readonly isLogged: boolean;
}
