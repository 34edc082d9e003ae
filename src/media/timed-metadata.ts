/** A tag (ID3) that is carried beside pictures and sound, and reaches the player at its time. */
export interface TimedMetadata {
  /** Of the outputs' time line. */
  readonly timecode: string;
  readonly tag: Uint8Array;
}

/** Tags that an HLS output has beside those of the job: where it is in the stream's own time, or the date. */
export interface TimestampTags {
  readonly kind: 'clock' | 'date';
  readonly periodSeconds: number;
}

/** How tags are written in fragmented MP4 (`emsg`). */
export interface EventMessages {
  readonly version: 0 | 1;
  readonly scheme: string;
  readonly value: string;
  /** True tells of them in the MPD. */
  readonly isSignalled: boolean;
}
