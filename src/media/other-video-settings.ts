/** The codecs of production, of older players and of web pages. */
export type OtherVideoSettings =
  | Mpeg2Settings
  | VpxSettings
  | ProresSettings
  | Vc3Settings
  | AvcIntraSettings
  | UncompressedSettings
  | GifSettings;

export interface Mpeg2Settings {
  readonly kind: 'mpeg2';
  readonly rateControl:
    | { readonly mode: 'cbr'; readonly bitrate: number }
    | { readonly mode: 'vbr'; readonly bitrate: number; readonly maxBitrate?: number };
  /** Bits. */
  readonly bufferSize?: number;
  /** Percent. */
  readonly bufferInitialFill?: number;
  readonly profile: 'main' | '422';
  readonly level?: 'low' | 'main' | 'high1440' | 'high';
  readonly gop: { readonly size: number; readonly unit: 'frames' | 'seconds' };
  readonly isGopOpen: boolean;
  readonly isSceneChangeDetected: boolean;
  readonly minKeyInterval?: number;
  readonly bFrames?: number;
  /** Bits of the intra blocks' mean. */
  readonly dcPrecision?: 8 | 9 | 10 | 11;
  readonly isSpatiallyAdaptive: boolean;
}

export interface VpxSettings {
  readonly kind: 'vp8' | 'vp9';
  readonly rateControl: { readonly mode: 'vbr'; readonly bitrate: number; readonly maxBitrate?: number };
  readonly bufferSize?: number;
  readonly gop: { readonly size: number; readonly unit: 'frames' };
  /** How much time the encoder takes. */
  readonly effort: 'good' | 'best';
}

export interface ProresSettings {
  readonly kind: 'prores';
  readonly profile: 'proxy' | 'lt' | 'standard' | 'hq' | '4444' | '4444xq';
  readonly isSubsampled: boolean;
}

export interface Vc3Settings {
  readonly kind: 'vc3';
  readonly vc3Class: 145 | 220;
  readonly bitDepth: 8 | 10;
}

/** H.264 of key frames alone, each of a size that the class sets. */
export interface AvcIntraSettings {
  readonly kind: 'avc-intra';
  readonly avcClass: 50 | 100 | 200 | 300 | 480;
  /** True for Sony's form of it, false for Panasonic's. */
  readonly isXavc?: boolean;
}

interface UncompressedSettings {
  readonly kind: 'uncompressed';
  readonly sampling: '420' | '422' | '444';
}

interface GifSettings {
  readonly kind: 'gif';
}
