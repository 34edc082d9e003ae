export interface AudioSettings {
  readonly selector: string;
  /** ISO 639-2, lower case; absent: unknown. */
  readonly language?: string;
  /** True: the input's own language goes before `language`. */
  readonly isLanguageFollowed?: boolean;
  readonly streamName?: string;
  readonly codec: AudioCodecSettings;
}

export type AudioCodecSettings = AacSettings | Mp3Settings | UncompressedSettings;

interface SampledSettings {
  readonly sampleRate: number;
  readonly channels: 1 | 2 | 6 | 8;
}

interface Mp3Settings extends SampledSettings {
  readonly kind: 'mp3';
  /** Bits a second, or a quality from 0, the best, to 9. */
  readonly rate:
    | { readonly mode: 'cbr'; readonly bitrate: number }
    | { readonly mode: 'vbr'; readonly quality: number };
}

/** Every sample as it is, in WAV, or packed without loss, in FLAC. */
interface UncompressedSettings extends SampledSettings {
  readonly kind: 'wav' | 'flac';
  /** Bits of a sample. */
  readonly bitDepth: 16 | 24;
  /** True writes WAV in the form for files of more than 4 GiB. */
  readonly isRf64?: boolean;
}

/** AAC LC. */
interface AacSettings {
  readonly kind: 'aac';
  /** Bits a second. */
  readonly bitrate: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2 | 6;
}
