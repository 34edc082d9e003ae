import type { TimestampTags } from '../timed-metadata.ts';
import { dateTag, timestampTag } from './id3-tag.ts';

/** A tag with its time on an output's time line. */
export interface TimedTag {
  readonly seconds: number;
  readonly bytes: Uint8Array;
}

/** The tags of one output, in the order of their times, each given out once. */
export class TimedTags {
  readonly #listed: readonly TimedTag[];
  readonly #stamps: (TimestampTags & { readonly startMs: number; readonly clockOffsetSeconds: number }) | undefined;
  #next = 0;
  #nextStamp = 0;

  /**
   * @param listed those before the beginning are left out
   * @param stamps `startMs`: the date of the output's beginning, since the epoch
   */
  constructor(
    listed: readonly TimedTag[],
    stamps?: TimestampTags & { readonly startMs: number; readonly clockOffsetSeconds: number },
  ) {
    this.#listed = listed.filter(({ seconds }) => seconds >= 0).toSorted((a, b) => a.seconds - b.seconds);
    this.#stamps = stamps;
  }

  /** Those whose time is before a moment. */
  takeBefore(seconds: number): TimedTag[] {
    const taken: TimedTag[] = [];
    for (let tag = this.#peek(); tag !== undefined && tag.seconds < seconds - 1e-9; tag = this.#peek()) {
      taken.push(tag);
      if (tag === this.#listed[this.#next]) this.#next += 1;
      else this.#nextStamp += 1;
    }
    return taken;
  }

  #peek(): TimedTag | undefined {
    const listed = this.#listed[this.#next];
    const stamps = this.#stamps;
    if (stamps === undefined) return listed;
    const seconds = this.#nextStamp * stamps.periodSeconds;
    if (listed !== undefined && listed.seconds <= seconds) return listed;
    const bytes =
      stamps.kind === 'clock'
        ? timestampTag(seconds + stamps.clockOffsetSeconds)
        : dateTag(new Date(stamps.startMs + seconds * 1000));
    return { seconds, bytes };
  }
}
