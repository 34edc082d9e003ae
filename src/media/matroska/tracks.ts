export type TrackType = 'video' | 'audio' | 'subtitle' | 'other';

/** What was done to a track's frames before they were put into blocks. */
export type ContentEncoding =
  /** Each frame lacks these bytes at its front. */
  | { readonly kind: 'header-stripping'; readonly header: Buffer }
  /** zlib, bzlib, LZO or encryption: the frames cannot be used as they are. */
  | { readonly kind: 'other' };

/** One entry of Tracks. */
export interface Track {
  /** What blocks call it. */
  readonly number: number;
  readonly type: TrackType;
  /** For example `V_MPEG4/ISO/AVC`. */
  readonly codecId: string;
  readonly codecPrivate?: Buffer;
  readonly name?: string;
  /** As written: ISO 639-2, or BCP 47 where the producer gave that; Matroska's own default is `eng`. */
  readonly language: string;
  /** Nanoseconds of one frame, where the producer says. */
  readonly defaultDurationNs?: number;
  readonly contentEncoding?: ContentEncoding;
  readonly video?: { readonly width: number; readonly height: number };
  readonly audio?: { readonly sampleRate: number; readonly channels: number; readonly bitDepth?: number };
}
