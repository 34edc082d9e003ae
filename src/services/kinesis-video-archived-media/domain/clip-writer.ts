import type { CodedTrack } from '#media/packaging/codecs/track-codec.ts';
import { fragmentFrames } from '#media/packaging/fragment-frames.ts';
import { ClipIndex, clipMedia } from '#media/packaging/mp4/clip.ts';
import { PackagingError } from '#media/packaging/packaging-error.ts';
import type { TimedFrame } from '#media/packaging/track-samples.ts';
import { type MatroskaHeader, readHeader } from '#media/matroska/read-header.ts';
import type { FragmentRecord } from '#services/kinesis-video/api.ts';
import { playableTracks } from '../sessions/playable-tracks.ts';
import { durationOf, fingerprintOf, stepBetween } from '../sessions/timeline-entry.ts';
import type { ConsumerReader } from './consumer-reader.ts';
import { groupOf } from './fragment-group.ts';
import type { MemoryBudget } from './memory-budget.ts';

/**
 * Writes a clip, one fragment in memory at a time: the first way through the fragments makes the index, which stands in
 * front, the second one gives the media out.
 */
export class ClipWriter {
  readonly #fragments: readonly FragmentRecord[];
  readonly #reader: ConsumerReader;
  readonly #budget: MemoryBudget;
  readonly #signal: AbortSignal;
  #facts: { readonly tracks: readonly CodedTrack[]; readonly fingerprint: string } | undefined;

  constructor(fragments: readonly FragmentRecord[], reader: ConsumerReader, budget: MemoryBudget, signal: AbortSignal) {
    this.#fragments = fragments;
    this.#reader = reader;
    this.#budget = budget;
    this.#signal = signal;
  }

  /**
   * Makes the index: everything that can be wrong with the media shows here.
   *
   * @returns the file's head, and the bytes that follow it
   * @throws PackagingError; ServiceError as KMS answers; FragmentMissingError
   */
  async index(): Promise<{ readonly head: Buffer; readonly mediaBytes: number }> {
    let index: ClipIndex | undefined;
    let startMs = 0;
    let before: FragmentRecord | undefined;
    for (const record of this.#fragments) {
      if (before !== undefined) startMs += stepBetween(groupOf(before), record);
      before = record;
      const place = { startMs, lengthMs: durationOf(record) };
      await this.#open(record, (tracks, frames) => {
        index ??= new ClipIndex(tracks);
        index.add(frames, place);
      });
    }
    if (index === undefined) throw new PackagingError('invalid-frame', 'The clip has no fragments.');
    return { head: index.head(), mediaBytes: index.mediaBytes };
  }

  /** The media behind the head. @throws as `index` */
  async *media(): AsyncGenerator<Buffer> {
    for (const record of this.#fragments) {
      const leave = await this.#budget.enter(record.size, this.#signal);
      try {
        const { tracks, frames } = await this.#read(record);
        yield Buffer.concat(clipMedia(tracks, frames));
      } finally {
        leave();
      }
    }
  }

  async #open(
    record: FragmentRecord,
    work: (tracks: readonly CodedTrack[], frames: ReadonlyMap<number, readonly TimedFrame[]>) => void,
  ): Promise<void> {
    const leave = await this.#budget.enter(record.size, this.#signal);
    try {
      const { tracks, frames } = await this.#read(record);
      work(tracks, frames);
    } finally {
      leave();
    }
  }

  async #read(record: FragmentRecord) {
    const { header, cluster } = await this.#reader.read(record);
    const facts = readHeader(header);
    return { tracks: this.#tracksOf(facts), frames: fragmentFrames(facts, cluster) };
  }

  /** A file has one configuration for each track. */
  #tracksOf({ tracks }: MatroskaHeader): readonly CodedTrack[] {
    const fingerprint = fingerprintOf(tracks);
    this.#facts ??= { tracks: playableTracks(tracks, 'clip').all, fingerprint };
    if (this.#facts.fingerprint === fingerprint) return this.#facts.tracks;
    throw new PackagingError('invalid-codec-private-data', 'The codec private data changes between the fragments.');
  }
}
