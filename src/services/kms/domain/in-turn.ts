import { setImmediate } from 'node:timers/promises';
import { SerialQueues } from '#kernel/serial-queues.ts';

// The event loop is the process's, and so are the turns on it.
const turns = new SerialQueues();

/**
 * Does what takes milliseconds and has no thread to do it in: one such work after the other, and before each whatever else
 * is waiting. Many at once would hold up everybody.
 */
export function inTurn<Result>(work: () => Result): Promise<Result> {
  return turns.run('', async () => {
    await setImmediate();
    return work();
  });
}
