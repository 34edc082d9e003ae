import { type CommandLineOptions, ConfigError } from '../config.ts';
import type { LeastPrivilege } from '../least-privilege.ts';
import { runOperatorCommand } from '../operator-command.ts';
import { printable } from '../printable.ts';
import { readTime } from '../read-time.ts';

const WEEK_MS = 7 * 86_400_000;

interface LeastPrivilegeOptions extends CommandLineOptions {
  readonly role?: string;
  readonly user?: string;
  readonly since?: string;
  readonly until?: string;
  readonly json?: boolean;
}

/** Prints the policy that covers what a principal used; what the log could not tell goes to standard error. */
export async function leastPrivilege(options: LeastPrivilegeOptions): Promise<void> {
  const principal = options.role ?? options.user;
  if (principal === undefined || (options.role !== undefined && options.user !== undefined)) {
    throw new ConfigError('Say whose: --role <arn> or --user <arn>.');
  }
  const now = Date.now();
  const to = options.until === undefined ? now : readTime('--until', options.until, now);
  const from = options.since === undefined ? to - WEEK_MS : readTime('--since', options.since, now);
  const request = { command: 'least-privilege', principal, from, to } as const;
  for await (const value of runOperatorCommand(options, request)) {
    const answer = value as LeastPrivilege;
    if (options.json === true) {
      console.log(JSON.stringify({ since: new Date(from), until: new Date(to), ...answer }, null, 2));
      continue;
    }
    console.log(JSON.stringify(answer.policy, null, 2));
    console.error(`${answer.requests} requests, ${answer.accesses} different accesses.`);
    for (const note of answer.notes) console.error(`- ${printable(note)}`);
    for (const { issueCode, findingDetails } of answer.findings)
      console.error(`- ${issueCode}: ${printable(findingDetails)}`);
  }
}
