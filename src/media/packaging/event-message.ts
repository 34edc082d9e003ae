import type { EventMessages } from '../timed-metadata.ts';
import { fullBox, text, u32, u64 } from './mp4/box.ts';
import type { TimedTag } from './timed-tags.ts';

/** How long it lasts is not known. */
const UNKNOWN_DURATION = 0xffff_ffff;

/**
 * A tag in an event message box. Source: ISO/IEC 23009-1, 5.10.3.3.
 *
 * @param timescale ticks a second
 * @param segmentStart ticks, from which a message of version 0 is counted
 * @param id tells messages of one track apart
 */
export function eventMessage(
  { version, scheme, value }: EventMessages,
  tag: TimedTag,
  timescale: number,
  segmentStart: number,
  id: number,
): Buffer {
  const time = Math.round(tag.seconds * timescale);
  const names = text(`${scheme}\0${value}\0`);
  const parts =
    version === 0
      ? [names, u32(timescale, Math.max(0, time - segmentStart), UNKNOWN_DURATION, id)]
      : [u32(timescale), u64(time), u32(UNKNOWN_DURATION, id), names];
  return fullBox('emsg', version, 0, ...parts, tag.bytes);
}
