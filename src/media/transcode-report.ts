import type { OutputGroup } from './output-group.ts';
import type { Rational } from './video-settings.ts';

/** What a probe of an input found. */
export interface MediaInfo {
  /** FFmpeg's name of the demuxer. */
  readonly format: string;
  readonly durationSeconds?: number;
  readonly streams: readonly StreamInfo[];
}

export interface StreamInfo {
  readonly index: number;
  /** The stream's own number in the container: a PID in MPEG-TS, a track id in MP4. */
  readonly id: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly codec: string;
  readonly durationSeconds?: number;
  readonly bitrate?: number;
  readonly language?: string;
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: Rational;
  readonly pixelAspect?: Rational;
  readonly sampleRate?: number;
  readonly channels?: number;
}

type TranscodePhase = 'PROBING' | 'TRANSCODING' | 'UPLOADING';

/** What a running job tells. */
export type TranscodeEvent =
  | { readonly kind: 'phase'; readonly phase: TranscodePhase }
  | { readonly kind: 'input'; readonly index: number; readonly info: MediaInfo }
  /** `percent` is absent where the inputs' length is unknown. */
  | { readonly kind: 'progress'; readonly percent?: number; readonly framesDecoded: number }
  | { readonly kind: 'warning'; readonly code: number; readonly message: string };

/** What a finished job has written. */
export interface TranscodeResult {
  readonly groups: readonly GroupResult[];
}

export interface GroupResult {
  readonly kind: OutputGroup['kind'];
  /** `s3://…` */
  readonly playlistPaths: readonly string[];
  readonly outputs: readonly OutputResult[];
}

export interface OutputResult {
  /** `s3://…` */
  readonly paths: readonly string[];
  readonly durationMs: number;
  readonly width?: number;
  readonly height?: number;
  /** Bits a second. */
  readonly averageBitrate?: number;
}
