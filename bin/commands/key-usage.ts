import type { AccountCost, PriceClass } from '#services/kms/usage/cost.ts';
import type { UsageReport } from '#services/kms/usage/usage-report.ts';
import { type CommandLineOptions, ConfigError } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';
import { table } from './text-table.ts';

interface KeyUsageOptions extends CommandLineOptions {
  readonly month: string;
  readonly account?: string;
  readonly since?: string;
  readonly until?: string;
  readonly by?: string;
  readonly json?: boolean;
}

const CLASS_NAMES: Readonly<Record<PriceClass, string>> = {
  symmetric: 'symmetric and others',
  rsa2048: 'with RSA_2048 keys',
  asymmetric: 'with other asymmetric keys',
  eccDataKeyPair: 'GenerateDataKeyPair, ECC',
  rsaDataKeyPair: 'GenerateDataKeyPair, RSA',
};

/** Prints a month's KMS requests by day, and what the same use costs at AWS. */
export async function keyUsage(options: KeyUsageOptions): Promise<void> {
  const { month, account } = options;
  if (options.since !== undefined || options.until !== undefined || options.by !== undefined) {
    throw new ConfigError('--month goes without --since, --until and --by.');
  }
  const request = { command: 'key-usage', month, ...(account !== undefined && { account }) } as const;
  for await (const value of runOperatorCommand(options, request)) {
    const report = value as UsageReport;
    console.log(options.json === true ? JSON.stringify(report, null, 2) : toText(report));
  }
}

function toText({ month, days, costs, prices }: UsageReport): string {
  const rows = days.map((row) => [
    row.requests,
    row.failed,
    row.day,
    row.key_id === '' ? '' : `${row.region}:${row.key_id}`,
    row.variant === '' ? row.operation : `${row.operation} ${row.variant}`,
    row.principal,
  ]);
  const heads = ['REQUESTS', 'FAILED', 'DAY', 'KEY', 'OPERATION', 'PRINCIPAL'];
  return [
    `KMS in ${month} (UTC)`,
    '',
    ...table(heads, rows),
    ...costs.flatMap((cost) => ['', ...costLines(cost)]),
    '',
    `Prices of us-east-1 as of ${prices.date}: ${prices.source}`,
  ].join('\n');
}

function costLines({ account, keys, keyMonths, keyCost, requests, total }: AccountCost): string[] {
  const lines = requests.map(({ priceClass, requests: count, free, cost }) => [
    count,
    dollars(cost),
    `requests ${CLASS_NAMES[priceClass]}${free > 0 ? `, ${free} of them in the free tier` : ''}`,
  ]);
  return [
    `The same at AWS, account ${account}`,
    ...table(
      ['COUNT', 'USD', 'WHAT'],
      [
        [keys, dollars(keyCost), `keys: ${keyMonths.toFixed(2)} key-months with rotations`],
        ...lines,
        ['', dollars(total), 'total'],
      ],
    ),
  ];
}

function dollars(amount: number): string {
  return amount.toFixed(amount > 0 && amount < 0.01 ? 6 : 2);
}
