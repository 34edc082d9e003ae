import type { HopDestination } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import type { Hop, JobScope } from '../store.ts';
import { DEFAULT_QUEUE, nameOf } from './names.ts';

const MAX_WAIT_MINUTES = 4320;

/**
 * Reads a job's hop destinations; waits count from the submission, so they go by their length.
 *
 * @param queue the name of the queue of submission
 */
export function readHops(
  destinations: readonly HopDestination[],
  queue: string,
  scope: JobScope,
  problems: Problem[],
): readonly Hop[] {
  const hops = destinations.map(({ WaitMinutes, Queue, Priority }, index): Hop => {
    const pointer = `/hopDestinations/${index}`;
    const to = Queue === undefined ? DEFAULT_QUEUE : nameOf(Queue, 'queues', scope);
    if (WaitMinutes === undefined) problems.push({ pointer, text: 'waitMinutes is a required property' });
    else if (WaitMinutes < 1 || WaitMinutes > MAX_WAIT_MINUTES) {
      problems.push({ pointer: `${pointer}/waitMinutes`, text: `Should be between 1 and ${MAX_WAIT_MINUTES}` });
    }
    if (to === queue) {
      const text = 'Should be another queue than the one to which the job is submitted';
      problems.push(
        Queue === undefined ? { pointer, text: 'queue is a required property' } : { pointer: `${pointer}/queue`, text },
      );
    }
    return {
      afterMinutes: WaitMinutes ?? 0,
      queue: to ?? '',
      ...(Priority !== undefined && { priority: Priority }),
    };
  });
  return hops.toSorted((a, b) => a.afterMinutes - b.afterMinutes);
}
