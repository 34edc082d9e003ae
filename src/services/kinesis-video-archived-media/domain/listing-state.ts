import type { FragmentRecord } from '#services/kinesis-video/api.ts';

/** A range of timestamps: milliseconds since the epoch, both ends included. */
export interface FragmentRange {
  readonly by: 'server' | 'producer';
  readonly start: number;
  readonly end: number;
}

/** What a listing's token says. */
export interface ListingState extends FragmentRange {
  /** The last fragment of the page before. */
  readonly after: Pick<FragmentRecord, 'number' | 'serverTimestamp' | 'producerTimestamp'>;
}
