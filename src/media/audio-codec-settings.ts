/** How a track of sound is coded. */
export type AudioCodecSettings =
  | AacSettings
  | Mp3Settings
  | UncompressedSettings
  | DolbyDigitalSettings
  | DolbyDigitalPlusSettings
  | Mp2Settings
  | OpusSettings
  | VorbisSettings
  | PassthroughSettings;

/** As the input has it; rate and channels are known once it is open. */
interface PassthroughSettings extends SampledSettings {
  readonly kind: 'passthrough';
}

export interface SampledSettings {
  readonly sampleRate: number;
  /** 1 to 64; 0 for as many as the first input's sound has. */
  readonly channels: number;
}

/** AAC LC, or HE-AAC around it. */
export interface AacSettings extends SampledSettings {
  readonly kind: 'aac';
  /** Bits a second. */
  readonly bitrate: number;
  /** Set: as many bits as this quality needs, whatever `bitrate` says. */
  readonly quality?: 'low' | 'medium-low' | 'medium-high' | 'high';
  /** True has the upper part of the spectrum replicated from the lower one (HE-AAC); only one or two channels. */
  readonly isReplicated?: boolean;
  /** True, of two channels that are replicated: one is coded, and what makes two of it (HE-AAC v2). */
  readonly isParametric?: boolean;
  /** Above it, nothing is coded. */
  readonly cutoffHz?: number;
  /** True chooses quantisers without a long search. */
  readonly isQuick?: boolean;
  /** True marks it as MPEG-2 AAC where its own headers are written. */
  readonly isMpeg2?: boolean;
  /** True: LATM in LOAS frames, as a file of its own. */
  readonly isLoas?: boolean;
}

interface Mp3Settings extends SampledSettings {
  readonly kind: 'mp3';
  /** Bits a second, or a quality from 0, the best, to 9. */
  readonly rate:
    | { readonly mode: 'cbr'; readonly bitrate: number }
    | { readonly mode: 'vbr'; readonly quality: number };
}

/** Every sample as it is, in WAV or AIFF, or packed without loss, in FLAC. */
interface UncompressedSettings extends SampledSettings {
  readonly kind: 'wav' | 'aiff' | 'flac';
  readonly bitDepth: 16 | 24;
  /** WAV: for files of more than 4 GiB, or with a head that says which channel is where. */
  readonly form?: 'rf64' | 'extensible';
}

/** What AC-3 and E-AC-3 have in common. */
export interface DolbySettings extends SampledSettings {
  readonly bitrate: number;
  /** FFmpeg's name of the service: main, commentary, …. */
  readonly service: 'ma' | 'ef' | 'vi' | 'hi' | 'di' | 'co' | 'em' | 'vo';
  /** Decibels under full scale at which dialogue is, from 1 to 31. */
  readonly dialnorm: number;
  readonly isLfeFiltered: boolean;
}

interface DolbyDigitalSettings extends DolbySettings {
  readonly kind: 'ac3';
}

export interface DolbyDigitalPlusSettings extends DolbySettings {
  readonly kind: 'eac3';
  readonly isDcFiltered: boolean;
  /** True has five channels where there are more than two. */
  readonly hasNoLfe?: boolean;
  /** True takes 3 dB off the surround channels. */
  readonly isSurroundAttenuated: boolean;
  /** FFmpeg's options that become the stream's metadata. */
  readonly metadata: Readonly<Record<string, string | number>>;
}

interface Mp2Settings extends SampledSettings {
  readonly kind: 'mp2';
  readonly bitrate: number;
}

interface OpusSettings extends SampledSettings {
  readonly kind: 'opus';
  readonly bitrate: number;
}

interface VorbisSettings extends SampledSettings {
  readonly kind: 'vorbis';
  /** From -1 to 10, the best. */
  readonly quality: number;
}
