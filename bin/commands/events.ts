import { setTimeout as delay } from 'node:timers/promises';
import type { LoggedEvent } from '#storage/event-log/event-log.ts';
import type { CommandLineOptions } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';
import { readTime } from '../read-time.ts';

const DAY_MS = 86_400_000;
const FOLLOW_EVERY_MS = 1000;

interface EventsOptions extends CommandLineOptions {
  readonly since?: string;
  readonly account?: string;
  readonly source?: string;
  readonly follow?: boolean;
}

/** Prints the events of the event log, one line of JSON each, oldest first. */
export async function events(options: EventsOptions): Promise<void> {
  const now = Date.now();
  const from = options.since === undefined ? now - DAY_MS : readTime('--since', options.since, now);
  const { account, source, follow } = options;
  for (let after = 0; ; await delay(FOLLOW_EVERY_MS)) {
    const selection = {
      after,
      from,
      ...(account !== undefined && { account }),
      ...(source !== undefined && { source }),
    };
    for await (const value of runOperatorCommand(options, { command: 'events', ...selection })) {
      const { number, event } = value as { readonly number: number; readonly event: LoggedEvent };
      console.log(JSON.stringify(event));
      after = number;
    }
    if (follow !== true) return;
  }
}
