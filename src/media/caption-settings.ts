import type { MediaLocation } from './transcode-input.ts';
import type { Rational } from './video-settings.ts';

/** Where an input's captions come from. */
export type CaptionSelector =
  | ({ readonly kind: 'file' } & CaptionFile)
  /** Line 21 captions (CEA-608) in the video stream: channel 1 to 4. */
  | { readonly kind: 'embedded'; readonly channel: number; readonly isTerminated: boolean }
  /** No captions, where other inputs have some. */
  | { readonly kind: 'none' };

/** A file of captions beside the input. */
export interface CaptionFile {
  readonly source: MediaLocation;
  readonly format: 'srt' | 'webvtt' | 'ttml' | 'scc' | 'smi' | 'stl';
  /** Added to every time; may be negative. */
  readonly deltaMs: number;
  /** What SCC's time codes count; absent: 29.97. */
  readonly framerate?: Rational;
  readonly isPaintConverted: boolean;
}

/** Captions of an output. */
export interface CaptionOutput {
  /** The selector's name, the same for all inputs; one that an input does not have gives none. */
  readonly selector: string;
  /** Lower case. */
  readonly language?: string;
  /** For people. */
  readonly languageName?: string;
  readonly destination: CaptionDestination;
}

export type CaptionDestination = SidecarDestination | BurnInDestination | EmbeddedDestination;

/** A file, or segments, of text. */
export interface SidecarDestination {
  readonly kind: 'sidecar';
  readonly format: 'srt' | 'webvtt' | 'ttml' | 'imsc' | 'scc' | 'smi';
  /** Colours, styles and places of the source are kept. */
  readonly isStyleKept: boolean;
  /** Captions of the same time become one. */
  readonly areTwinsMerged?: boolean;
  /** For people who cannot hear. */
  readonly isForAccessibility?: boolean;
  /** SCC's time codes. */
  readonly timecode?: { readonly framerate: Rational; readonly isDropFrame: boolean };
  /** Attributes of TTML that override what a caption says itself, such as `tts:color`. */
  readonly style?: Readonly<Record<string, string>>;
}

/** Line 21 captions in the video stream. */
interface EmbeddedDestination {
  readonly kind: 'embedded';
  /** 1 to 4; absent: the first that is free. */
  readonly channel?: number;
}

/** Drawn on the picture. Colours are `#rrggbb`, opacities 0 to 1, sizes pixels. */
export interface BurnInDestination {
  readonly kind: 'burn-in';
  readonly isStyleKept: boolean;
  /** Absent: in proportion to the picture. */
  readonly fontSize?: number;
  readonly fontColor?: string;
  /** Only text that is white takes `fontColor`. */
  readonly isColorForWhiteOnly?: boolean;
  readonly fontOpacity?: number;
  readonly outlineColor?: string;
  readonly outlineSize?: number;
  readonly backgroundColor?: string;
  readonly backgroundOpacity?: number;
  readonly shadowColor?: string;
  readonly shadowOpacity?: number;
  readonly shadowX?: number;
  readonly shadowY?: number;
  readonly align?: 'center' | 'left';
  readonly x?: number;
  readonly y?: number;
  readonly isMonospaced?: boolean;
  readonly isSerif?: boolean;
}
