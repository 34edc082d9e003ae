import type { OutputPicture } from './picture-settings.ts';
import type { OtherVideoSettings } from './other-video-settings.ts';

export interface Rational {
  readonly num: number;
  readonly den: number;
}

export interface Deinterlacing {
  readonly method: 'interpolate' | 'ticker' | 'blend' | 'linear' | 'inverse-telecine';
  /** Only those that are marked as interlaced, or every one. */
  readonly pictures: 'interlaced' | 'all';
  /** Which pictures are interlaced is seen from them, whatever their marks say. */
  readonly isDetected: boolean;
}

export interface VideoSettings {
  /** Pixels, even. With only one of the two the other follows in proportion; with none, the first input's size. */
  readonly width?: number;
  readonly height?: number;
  readonly scaling: 'fit-and-pad' | 'stretch' | 'fit' | 'fit-no-upscale' | 'fill';
  /** The kernel of the scaler. */
  readonly scaler: 'bicubic' | 'lanczos' | 'bilinear';
  /** Absent: the first input's rate. */
  readonly framerate?: Rational;
  /** Absent: the first input's. */
  readonly pixelAspect?: Rational;
  readonly isColorTagged: boolean;
  /** How pictures come about that the input does not have; absent: they are repeated. */
  readonly rateConversion?: 'blend' | 'motion';
  /** Absent: interlaced pictures stay as they are. */
  readonly deinterlace?: Deinterlacing;
  readonly picture?: OutputPicture;
  /** Absent: whole pictures. */
  readonly interlaced?: Interlacing;
  /** Pictures at 24000/1001 a second become fields at 30000/1001, in the pattern of films on television. */
  readonly isTelecined?: boolean;
  /** Smooths what costs bits and is hardly seen, before the encoder. */
  readonly bandwidthReduction?: {
    readonly strength: 'low' | 'medium' | 'high';
    readonly sharpening?: 'low' | 'medium' | 'high';
  };
  readonly codec: VideoCodecSettings;
}

/** How pictures are made of two fields. */
export interface Interlacing {
  readonly firstField: 'top' | 'bottom';
  /** True: of interlaced pictures the first field stays the one that it is. */
  readonly isFollowed: boolean;
  /** True: of an input with twice the rate each picture becomes a field. */
  readonly isOptimized: boolean;
}

export type VideoCodecSettings =
  | PredictedVideoSettings
  | Av1Settings
  | JpegSettings
  | OtherVideoSettings
  | PassthroughSettings;

/** Those that an encoder makes. */
export type EncodedVideoSettings = Exclude<VideoCodecSettings, PassthroughSettings>;

export type PredictedVideoSettings = H264Settings | H265Settings;

/** What the encoders of H.264 and H.265 have in common. */
export interface PredictedPictureSettings {
  readonly rateControl:
    | { readonly mode: 'cbr'; readonly bitrate: number }
    | { readonly mode: 'vbr'; readonly bitrate: number; readonly maxBitrate?: number }
    /** `level` from 1 to 10, with fractions. */
    | {
        readonly mode: 'qvbr';
        readonly level: number;
        readonly maxBitrate: number;
        /** Over the whole film; needs two passes. */
        readonly maxAverageBitrate?: number;
      }
    /** The encoder's own measure of quality. */
    | { readonly mode: 'factor'; readonly factor: number; readonly maxBitrate?: number };
  /** Bits. */
  readonly bufferSize?: number;
  /** Percent. */
  readonly bufferInitialFill?: number;
  readonly preset: 'veryfast' | 'medium' | 'slow';
  /** True looks at the whole film before it is encoded. */
  readonly isMultiPass?: boolean;
  /** Absent: two seconds, or what the segments ask for. */
  readonly gop?: { readonly size: number; readonly unit: 'frames' | 'seconds' };
  readonly minKeyInterval?: number;
  readonly isSceneChangeDetected: boolean;
  readonly isGopOpen: boolean;
  /** Of open GOPs: so many of them, and the next one is closed; absent: none is. */
  readonly closedGopEvery?: number;
  /** True makes key frames no better than what is around them, so that they do not show. */
  readonly isFlickerReduced?: boolean;
  /** True looks further ahead for cuts and fades. */
  readonly areTransitionsDetected?: boolean;
  readonly bFrames?: number;
  readonly isBFrameCountAdaptive: boolean;
  readonly areBFramesReferences?: boolean;
  readonly references?: number;
  readonly slices?: number;
  /** Such as `4.1`. */
  readonly level?: string;
  /** The strength of variance-based adaptive quantisation; 0 turns it off. */
  readonly adaptiveQuantization?: number;
  readonly isTemporalAdaptive: boolean;
}

export interface H264Settings extends PredictedPictureSettings {
  readonly kind: 'h264';
  readonly profile: 'baseline' | 'main' | 'high' | 'high10' | 'high422';
  readonly bitDepth: 8 | 10;
  /** How MP4 names it: `avc3` has the parameter sets in the stream, too. */
  readonly tag?: 'avc1' | 'avc3';
  readonly entropy?: 'cabac' | 'cavlc';
}

export interface H265Settings extends PredictedPictureSettings {
  readonly kind: 'h265';
  readonly profile: 'main' | 'main10' | 'main422-10';
  readonly bitDepth: 8 | 10;
  readonly tier: 'main' | 'high';
  readonly isDeblocked: boolean;
  readonly isSampleOffsetAdaptive: boolean;
  /** Pixels of a side; absent: the encoder's choice. */
  readonly treeBlockSize?: 32;
  readonly isMotionPredictedOverTime: boolean;
  /** True tells which pictures may be left out. */
  readonly areTemporalLayersWritten?: boolean;
  /** True tells that the transfer function is HLG to those who know it. */
  readonly isHlgSignalled?: boolean;
  /** How MP4 names it: `hvc1` keeps the parameter sets in the index, `hev1` in the stream too. */
  readonly tag: 'hvc1' | 'hev1';
}

export interface Av1Settings {
  readonly kind: 'av1';
  readonly rateControl: Extract<PredictedPictureSettings['rateControl'], { readonly mode: 'qvbr' }>;
  /** Absent: two seconds. */
  readonly gop?: { readonly size: number; readonly unit: 'frames' };
  readonly bFrames?: 3 | 7 | 15;
  readonly bitDepth: 8 | 10;
  /** Columns of a picture that are decoded by themselves, as a power of two; absent: one. */
  readonly tileColumnsLog2?: number;
  /** How many bits go to where little moves in brightness: 0, none; absent: the encoder's choice. */
  readonly adaptiveQuantization?: 0 | 1 | 2 | 3 | 4;
}

/** Pictures at the output's frame rate, from the first one on. */
export interface JpegSettings {
  readonly kind: 'jpeg';
  /** 1 to 100. */
  readonly quality: number;
  readonly maxPictures?: number;
}

/** The input's picture as it is, without a decoder. */
interface PassthroughSettings {
  readonly kind: 'passthrough';
}
