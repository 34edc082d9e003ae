import type { Rational } from '../video-settings.ts';

/** What a look into a file found, in more detail than a transcode needs. */
export interface ProbedMedia {
  /** FFmpeg's name of the demuxer. */
  readonly demuxer: string;
  /** `quicktime` and `webm` are told from `mp4` and `matroska` by the file's own first bytes. */
  readonly brand?: 'mp4' | 'quicktime' | 'matroska' | 'webm';
  readonly durationSeconds?: number;
  /** `HH:MM:SS:FF`, or with `;` where frames are dropped. */
  readonly startTimecode?: string;
  readonly tracks: readonly ProbedTrack[];
}

export interface ProbedTrack {
  readonly kind: 'video' | 'audio' | 'data';
  /** FFmpeg's name. */
  readonly codec: string;
  readonly durationSeconds?: number;
  /** Bits a second. */
  readonly bitrate?: number;
  readonly language?: string;
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: Rational;
  /** Bits of a sample. */
  readonly bitDepth?: number;
  /** Such as `4:2:0`. */
  readonly chroma?: string;
  readonly profile?: string;
  readonly level?: string;
  /** Numbers of ITU-T H.273. */
  readonly color?: { readonly primaries: number; readonly transfer: number; readonly matrix: number };
  readonly channels?: number;
  readonly sampleRate?: number;
}

/** Platform → probe process. */
export type ToProber =
  | { readonly kind: 'start'; readonly size: number; readonly name: string; readonly memoryBytes: number }
  | { readonly kind: 'bytes'; readonly window: number; readonly bytes: Uint8Array };

/** Probe process → platform. */
export type FromProber =
  | { readonly kind: 'ready' }
  | { readonly kind: 'read'; readonly offset: number; readonly length: number; readonly window: number }
  | { readonly kind: 'done'; readonly media: ProbedMedia }
  | { readonly kind: 'failed'; readonly code: number; readonly message: string };
