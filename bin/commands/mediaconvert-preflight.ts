import { readFile } from 'node:fs/promises';
import type { Finding } from '#services/mediaconvert/preflight/finding.ts';
import { type CommandLineOptions, ConfigError, readConfig } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';

interface PreflightOptions extends CommandLineOptions {
  readonly account?: string;
  readonly region?: string;
  readonly json?: boolean;
}

/** Says what a job would lack, and what would grant it. The exit status is 1 when it lacks something. */
export async function mediaconvertPreflight(file: string, options: PreflightOptions): Promise<void> {
  const request = toApiNames(await readJob(file)) as Readonly<Record<string, unknown>>;
  const config = readConfig(options, process.env);
  const role = /^arn:aws:iam::(\d{12}):role\//.exec(String(request['Role']));
  const account = options.account ?? role?.[1] ?? config.accountId;
  const region = options.region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? config.region;
  const findings: Finding[] = [];
  for await (const value of runOperatorCommand(options, {
    command: 'mediaconvert-preflight',
    account,
    region,
    request,
  })) {
    findings.push(value as Finding);
  }
  console.log(options.json === true ? JSON.stringify(findings, null, 2) : toText(findings));
  if (findings.length > 0) process.exitCode = 1;
}

async function readJob(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ConfigError(`${file} is not a file with JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Members whose own members have names that somebody chose. */
const MAPS: ReadonlySet<string> = new Set([
  'AudioSelectors',
  'AudioSelectorGroups',
  'CaptionSelectors',
  'Tags',
  'UserMetadata',
]);

/** Job files are written as the wire has it (`settings`), or as the console and the command line do (`Settings`). */
function toApiNames(value: unknown, isMap = false): unknown {
  if (Array.isArray(value)) return value.map((item) => toApiNames(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const name = isMap ? key : key.charAt(0).toUpperCase() + key.slice(1);
      return [name, toApiNames(member, !isMap && MAPS.has(name))];
    }),
  );
}

function toText(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'The role may do all that the job asks for.';
  return findings
    .map(({ step, problem, grants }) =>
      [
        `${step}:`,
        `  ${problem}`,
        ...grants.map(({ where, statement }) => `  ${where} grants it with\n    ${JSON.stringify(statement)}`),
      ].join('\n'),
    )
    .join('\n');
}
