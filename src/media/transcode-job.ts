import type { ColorLut } from './color-lut.ts';
import type { OutputGroup } from './output-group.ts';
import type { TimedMetadata } from './timed-metadata.ts';
import type { TranscodeInput } from './transcode-input.ts';

/**
 * What a transcode worker is asked to do: plain data that crosses a process boundary. MediaConvert's job settings are
 * turned into it by `services/mediaconvert`. The keys in it are secrets: they cross the worker's pipe and are in memory.
 */
export interface TranscodeJob {
  /** Stitched together in this order. At least one. */
  readonly inputs: readonly TranscodeInput[];
  /** The timecode of the outputs' first picture, or where it comes from; absent: the first input's. */
  readonly firstTimecode?: 'embedded' | 'zero' | (string & {});
  /** At least one. */
  readonly groups: readonly OutputGroup[];
  /** Milliseconds since the epoch: what `$dt$`, `$d$` and `$t$` in names stand for. */
  readonly startedAt: number;
  /** The date of the outputs' first picture, `YYYY-MM-DD`; absent: the day on which the job began. */
  readonly firstDate?: string;
  /** For the outputs that pass tags on. */
  readonly timedMetadata?: readonly TimedMetadata[];
  /** For outputs that convert colours. */
  readonly luts?: readonly ColorLut[];
  /** Whether graphics hardware may encode what it can; absent: it may not. */
  readonly mayUseHardware?: boolean;
}
