import type { FragmentEvent, MatroskaEvent, MatroskaLimits } from './matroska-events.ts';
import { DEFAULT_MATROSKA_LIMITS } from './matroska-events.ts';

/**
 * Splits a producer's Matroska stream into its header and its fragments, as the bytes come. It holds the header or one
 * fragment at most, bounded by the limits, and copies no payload.
 *
 * A refusal is the last event (`error`), after the fragments that came before it; from then on nothing is taken.
 * Tags that follow a Cluster belong to that Cluster's fragment, until the end-of-fragment tag.
 */
export class MatroskaParser {
  readonly limits: MatroskaLimits;

  constructor(limits: Partial<MatroskaLimits> = {}) {
    this.limits = { ...DEFAULT_MATROSKA_LIMITS, ...limits };
  }

  /** Takes the next bytes. The parser keeps views of the chunk: it must not change afterwards. */
  push(_chunk: Buffer): MatroskaEvent[] {
    throw new Error('not built');
  }

  /**
   * True when the fragment at hand has all of its Cluster (its size was known, or another element followed), so that
   * only tags can still be added to it.
   */
  get hasWholeCluster(): boolean {
    throw new Error('not built');
  }

  /**
   * Gives out the fragment at hand without waiting for the next Cluster, if `hasWholeCluster`: for producers that pause
   * between fragments and write no end-of-fragment tag. Tags that come later belong to the next fragment.
   */
  closeFragment(): FragmentEvent | undefined {
    throw new Error('not built');
  }

  /**
   * The body has ended in good order. A Cluster of unknown size is whole when the body ends between two of its
   * elements; a body that ends within an element is refused (INVALID_MKV_DATA) after the fragments that were whole.
   */
  end(): MatroskaEvent[] {
    throw new Error('not built');
  }

  /** The connection broke: gives out the fragment at hand only if `hasWholeCluster`. */
  abort(): MatroskaEvent[] {
    throw new Error('not built');
  }
}
