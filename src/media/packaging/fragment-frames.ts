import { type BlockHead, readBlockHead } from '../matroska/block-head.ts';
import { ElementCursor } from '../matroska/element-cursor.ts';
import { ELEMENT } from '../matroska/element-ids.ts';
import { MatroskaError } from '../matroska/matroska-error.ts';
import { readFrames } from '../matroska/read-frames.ts';
import type { MatroskaHeader } from '../matroska/read-header.ts';
import { PackagingError } from './packaging-error.ts';
import type { TimedFrame } from './track-samples.ts';

/**
 * The frames of a fragment by their tracks' numbers, with times from the Cluster's own. They are views of the Cluster;
 * of many tiny ones, which would take more memory than the Cluster itself, no fragment is made.
 *
 * @param cluster the Cluster element, its id and size included
 * @param followers Clusters that are to be decoded after it, whose frames join the others on the first one's time axis
 * @throws PackagingError invalid-frame
 */
export function fragmentFrames(
  { tracks, timecodeScale }: Pick<MatroskaHeader, 'tracks' | 'timecodeScale'>,
  cluster: Buffer,
  ...followers: readonly Buffer[]
): ReadonlyMap<number, readonly TimedFrame[]> {
  try {
    const clusters = [cluster, ...followers];
    checkFrameCount(clusters);
    const start = clusterTimecodeMs(cluster, timecodeScale);
    const byTrack = new Map<number, TimedFrame[]>(tracks.map(({ number }) => [number, []]));
    for (const frame of clusters.flatMap((one) => readFrames(one, tracks, timecodeScale))) {
      if (frame.payload.length === 0) continue;
      const { timecodeMs, durationMs, isKeyframe, payload } = frame;
      const timed = { timeMs: timecodeMs - start, isKeyframe, payload };
      byTrack.get(frame.track)?.push(durationMs === undefined ? timed : { ...timed, durationMs });
    }
    return byTrack;
  } catch (error) {
    if (!(error instanceof MatroskaError)) throw error;
    throw new PackagingError('invalid-frame', error.message);
  }
}

/** When a Cluster begins, in milliseconds of the stream's clock. */
export function clusterTimecodeMs(cluster: Buffer, timecodeScale: number): number {
  const outer = new ElementCursor(cluster);
  if (!outer.next(true)) return 0;
  const elements = outer.children();
  while (elements.next()) if (elements.id === ELEMENT.timecode) return (elements.unsigned() * timecodeScale) / 1e6;
  return 0;
}

/** Twenty seconds, which is the longest fragment, of a thousand pictures and five hundred pieces of sound each. */
const MAX_FRAMES = 30_000;

/** @throws PackagingError invalid-frame */
function checkFrameCount(clusters: readonly Buffer[]): void {
  const head: BlockHead = { track: 0, relativeTimecode: 0, isKeyframe: false, lacing: 0, frames: 0, length: 0 };
  let frames = 0;
  const add = (block: ElementCursor): void => {
    readBlockHead(block.bytes, block.dataStart, block.dataEnd, head);
    frames += head.frames;
    if (frames > MAX_FRAMES) throw new PackagingError('invalid-frame', 'The fragment has too many frames.');
  };
  for (const cluster of clusters) eachBlock(cluster, add);
}

function eachBlock(cluster: Buffer, add: (block: ElementCursor) => void): void {
  const outer = new ElementCursor(cluster);
  if (!outer.next(true)) return;
  const elements = outer.children();
  while (elements.next()) {
    if (elements.id === ELEMENT.simpleBlock) add(elements);
    if (elements.id !== ELEMENT.blockGroup) continue;
    const group = elements.children();
    while (group.next()) if (group.id === ELEMENT.block) add(group);
  }
}
