import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggedEvent } from '#storage/event-log/event-log.ts';
import { askServer, connectToServer } from '../../bin/control-client.ts';

/** What a running server has told, as `coffer events` reads it. */
export async function readEvents(dataFolder: string, source?: string): Promise<LoggedEvent[]> {
  const connection = await connectToServer(dataFolder);
  assert.ok(connection);
  const events: LoggedEvent[] = [];
  try {
    for await (const reply of askServer(connection, { command: 'events', after: 0, from: 0 })) {
      if (reply.type === 'item') events.push((reply.value as { event: LoggedEvent }).event);
    }
  } finally {
    connection.destroy();
  }
  return events.filter((event) => source === undefined || event.source === source);
}

/** Asks again until the answer is there. */
export async function until<Value>(ask: () => Promise<Value | undefined>, timeoutMs = 30_000): Promise<Value> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error('It did not come.');
    await sleep(50);
  }
}
