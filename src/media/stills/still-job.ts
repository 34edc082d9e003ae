/**
 * What a stills worker is asked for: pictures out of one stretch of coded video that begins at a key frame. Plain data
 * that crosses a process boundary.
 */
export interface StillJob {
  readonly codec: StillCodec;
  /** The decoder configuration of the container: avcC or hvcC, or parameter sets with start codes. */
  readonly codecPrivate?: Uint8Array;
  /** In decoding order. */
  readonly frames: readonly CodedFrame[];
  /** When the pictures are wanted, in milliseconds of the frames' clock, ascending. */
  readonly wanted: readonly number[];
  readonly picture: PictureSettings;
  /** No further picture is made once those made have so many bytes together, or took so long. */
  readonly maximumBytes: number;
  readonly maximumMs: number;
}

export type StillCodec = 'h264' | 'hevc';

interface CodedFrame {
  /** When it is shown, in milliseconds; may have a fraction. */
  readonly timeMs: number;
  readonly payload: Uint8Array;
}

export interface PictureSettings {
  readonly format: 'JPEG' | 'PNG';
  /** From 1 (small) to 100 (good). For JPEG; PNG loses nothing. */
  readonly quality: number;
  /** Pixels. With the height alone the width follows in proportion; with neither, the video's own size. */
  readonly width?: number;
  readonly height?: number;
}

/**
 * An encoded picture, or `undefined` where the media did not give one. There is one for each wanted time, in that order,
 * as far as the job's maxima allow.
 */
export type Still = Uint8Array | undefined;
