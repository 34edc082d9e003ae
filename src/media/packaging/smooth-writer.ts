import type { Packet } from 'node-av/lib';
import type { FFmpeg } from '../ffmpeg/load-ffmpeg.ts';
import { type ByteTarget, Muxer, type MuxerTrack } from '../ffmpeg/muxer.ts';
import type { FileProtection } from './cenc/file-protection.ts';
import { type PartSink, ObjectWriter } from './object-writer.ts';
import { type SmoothFragment, fragmentIndex, smoothFragments } from './smooth-fragments.ts';

/**
 * What every track's clock begins with: Smooth Streaming has no edit lists, and all files of a group have to be moved by
 * the same for what is decoded before it is shown.
 */
const CLOCK_OFFSET_SECONDS = 1;

interface WriterFacts {
  readonly sink: PartSink;
  readonly key: string;
  readonly tracks: readonly MuxerTrack[];
  /** True where track 0 is a picture, which then decides where fragments may begin. */
  readonly hasPicture: boolean;
  readonly fragmentSeconds: number;
  /** Absent: the content stays in the clear. */
  readonly protection?: FileProtection;
}

/** Writes one Smooth Streaming file (`.ismv`): fragments of each track, and an index of them at the end. */
export class SmoothWriter {
  readonly facts: WriterFacts;
  readonly #muxer: Muxer;
  readonly #writer: ObjectWriter;
  readonly #fragments: SmoothFragment[] = [];
  readonly #toSeconds: number;
  #pieces: Buffer[] = [];
  #fragmentStart = 0;
  #isEmpty = true;

  constructor(ffmpeg: FFmpeg, facts: WriterFacts) {
    this.facts = facts;
    const { num, den } = facts.tracks[0]?.encoder.timeBase ?? { num: 1, den: 1 };
    this.#toSeconds = num / den;
    this.#writer = new ObjectWriter(facts.sink, { key: facts.key, contentType: 'video/mp4' });
    const target: ByteTarget = { length: 0, write: (bytes) => void this.#pieces.push(Buffer.from(bytes)) };
    const options = { movflags: 'frag_custom+skip_trailer' };
    this.#muxer = new Muxer(ffmpeg, 'ismv', facts.tracks, target, options, CLOCK_OFFSET_SECONDS);
  }

  /** Of all tracks, by their number from 1, with their places in the file. */
  get fragments(): readonly SmoothFragment[] {
    return this.#fragments;
  }

  get length(): number {
    return this.#writer.length;
  }

  write(track: number, packet: Packet): void {
    if (track === 0) {
      const time = Math.max(0, Number(packet.pts) * this.#toSeconds);
      const fragmentAt = (seconds: number): number => Math.floor(seconds / this.facts.fragmentSeconds + 1e-6);
      const isEntry = !this.facts.hasPicture || packet.isKeyframe;
      if (isEntry && !this.#isEmpty && fragmentAt(time) > fragmentAt(this.#fragmentStart)) {
        this.#flush();
        this.#fragmentStart = time;
      }
      this.#isEmpty = false;
    }
    this.#muxer.write(track, packet);
  }

  finish(): void {
    this.#flush();
    this.#muxer.finish();
    this.#store();
    this.#writer.write(fragmentIndex(this.#fragments));
    this.#writer.end();
  }

  #flush(): void {
    this.#muxer.flush();
    this.#store();
  }

  #store(): void {
    const clear = Buffer.concat(this.#pieces);
    this.#pieces = [];
    const bytes = this.facts.protection?.protect(clear) ?? clear;
    const base = this.#writer.length;
    for (const fragment of smoothFragments(bytes)) {
      this.#fragments.push({ ...fragment, offset: base + fragment.offset });
    }
    this.#writer.write(bytes);
  }
}
