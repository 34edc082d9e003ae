import {
  type KmsUsage,
  type ServiceUsage,
  USAGE_COLUMNS,
  type UsageColumn,
} from '#services/cloudtrail/domain/usage.ts';
import { type CommandLineOptions, ConfigError } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';
import { readTime } from '../read-time.ts';
import type { UsageItem } from '../usage.ts';
import { keyUsage } from './key-usage.ts';
import { shown, table } from './text-table.ts';

const DAY_MS = 86_400_000;

interface UsageOptions extends CommandLineOptions {
  readonly since?: string;
  readonly until?: string;
  readonly account?: string;
  readonly by?: string;
  readonly month?: string;
  readonly json?: boolean;
}

interface Report {
  readonly from: number;
  readonly to: number;
  readonly by: readonly UsageColumn[];
  readonly kms: readonly KmsUsage[];
  readonly services: readonly ServiceUsage[];
  readonly damaged: number;
}

/** Prints how many requests the audit log has. The exit status is 1 when events in it are damaged. */
export async function usage(options: UsageOptions): Promise<void> {
  if (options.month !== undefined) return keyUsage({ ...options, month: options.month });
  const now = Date.now();
  const to = options.until === undefined ? now : readTime('--until', options.until, now);
  const from = options.since === undefined ? to - DAY_MS : readTime('--since', options.since, now);
  const by = readColumns(options.by);
  const { account } = options;
  const kms: KmsUsage[] = [];
  const services: ServiceUsage[] = [];
  let damaged = 0;
  const request = { command: 'usage', from, to, by, ...(account !== undefined && { account }) } as const;
  for await (const value of runOperatorCommand(options, request)) {
    const item = value as UsageItem;
    if (item.kind === 'kms') kms.push(item.usage);
    else if (item.kind === 'service') services.push(item.usage);
    else damaged = item.damaged;
  }
  const report = { from, to, by, kms, services, damaged };
  console.log(options.json === true ? JSON.stringify(toJson(report), null, 2) : toText(report));
  if (damaged === 0) return;
  const events = damaged === 1 ? 'One event was' : `${damaged} events were`;
  console.error(`coffer: ${events} changed outside of Coffer, and not counted. coffer verify names them.`);
  process.exitCode = 1;
}

function readColumns(text: string | undefined): readonly UsageColumn[] {
  if (text === undefined) return USAGE_COLUMNS;
  const names = text.split(',');
  const unknown = names.find((name) => !USAGE_COLUMNS.some((column) => column === name));
  if (unknown === undefined) return USAGE_COLUMNS.filter((column) => names.includes(column));
  throw new ConfigError(`--by is a list of ${USAGE_COLUMNS.join(', ')}, with commas between, without '${unknown}'.`);
}

function toJson({ from, to, kms, services, damaged }: Report): object {
  return { since: new Date(from), until: new Date(to), kms, services, damagedEvents: damaged };
}

function toText(report: Report): string {
  const { from, to, by, kms, services } = report;
  const columns = by.filter((column) => column !== 'key');
  const lines = [`Requests from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`, ''];
  for (const [key, rows] of Map.groupBy(kms, (row) => row.key ?? '')) {
    lines.push(by.includes('key') ? `KMS key ${shown(key)}` : 'KMS');
    const cells = rows.map((row) => [row.requests, row.failed, ...columns.map((column) => row[column] ?? '')]);
    lines.push(...table(['REQUESTS', 'FAILED', ...columns.map((column) => column.toUpperCase())], cells), '');
  }
  const cells = services.map(({ service, requests, failed }) => [requests, failed, service]);
  lines.push('All services', ...table(['REQUESTS', 'FAILED', 'SERVICE'], cells));
  return lines.join('\n');
}
