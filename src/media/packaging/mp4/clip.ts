import type { CodedTrack } from '../codecs/track-codec.ts';
import { PackagingError } from '../packaging-error.ts';
import { type FragmentPlace, mp4Frame, type TimedFrame } from '../track-samples.ts';
import { text, u32 } from './box.ts';
import { ClipTrack } from './clip-track.ts';
import { fileType, movie } from './movie.ts';

/** Decoding begins before what is shown first, and no time may be negative. */
const ROOM_MS = 60_000;

/** Frames by their track's number. */
type FrameMap = ReadonlyMap<number, readonly TimedFrame[]>;

/**
 * The index of a clip: one MP4 file with the index in front. Fragments are added once for the index; then the file is
 * its head, and each fragment's media in the same order (`clipMedia`). So no more than one fragment need be held.
 */
export class ClipIndex {
  readonly #tracks: readonly ClipTrack[];
  #mediaBytes = 0;

  constructor(tracks: readonly CodedTrack[]) {
    this.#tracks = tracks.map((track) => new ClipTrack(track));
  }

  /** Bytes of media so far. */
  get mediaBytes(): number {
    return this.#mediaBytes;
  }

  /**
   * Adds the next fragment.
   *
   * @param place `startMs` from the clip's beginning
   * @throws PackagingError invalid-frame
   */
  add(frames: FrameMap, place: FragmentPlace): void {
    const later = { ...place, startMs: place.startMs + ROOM_MS };
    for (const clip of this.#tracks) {
      this.#mediaBytes += clip.add(frames.get(clip.track.number) ?? [], later, this.#mediaBytes);
    }
  }

  /**
   * Everything before the media: `ftyp`, `moov` and the head of `mdat`.
   *
   * @throws PackagingError invalid-frame when there is no media
   */
  head(): Buffer {
    const tracks = this.#tracks.filter(({ isEmpty }) => !isEmpty);
    if (tracks.length === 0) throw new PackagingError('invalid-frame', 'The fragments have no frames.');
    const start = Math.min(...tracks.map(({ firstShown }) => firstShown));
    const type = fileType('isom', 'isom', 'iso4', 'mp41', 'mp42');
    const indexFor = (mediaStart: number): Buffer => movie(tracks.map((track) => track.finish(mediaStart, start)));
    // The offsets in the index depend on its size, and its size not on them.
    const mediaStart = type.length + indexFor(0).length + 8;
    return Buffer.concat([type, indexFor(mediaStart), u32(this.#mediaBytes + 8), text('mdat')]);
  }
}

/** A fragment's media as it stands in a clip. */
export function clipMedia(tracks: readonly CodedTrack[], frames: FrameMap): Buffer[] {
  return tracks.flatMap((track) => (frames.get(track.number) ?? []).flatMap((frame) => mp4Frame(track, frame).pieces));
}
