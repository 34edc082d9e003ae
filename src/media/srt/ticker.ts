/** Milliseconds: packets are given out, acknowledged and asked for again as often. */
const INTERVAL = 5;

const calls = new Set<(now: number) => void>();
let timer: NodeJS.Timeout | undefined;

/**
 * Calls `call` every few milliseconds, until the returned function is called. All connections of a process share one
 * timer, which runs only while there are any: each wake-up costs more than what is done in it.
 */
export function everyTick(call: (now: number) => void): () => void {
  calls.add(call);
  timer ??= setInterval(tick, INTERVAL);
  return () => {
    calls.delete(call);
    if (calls.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  const now = performance.now();
  for (const call of calls) call(now);
}
