import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type AccountId, asAccountId, asRegion, type Region } from '#kernel/ids.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How a server is to run: from the command line, else from `COFFER_*`, else the default. */
export interface Config {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly dataFolder: string;
  readonly logLevel: LogLevel;
  /** The account of a first start. */
  readonly accountId: AccountId;
  /** The region of anonymous calls and of `coffer env`. */
  readonly region: Region;
  /** Root credentials for a first start; made at random when absent. */
  readonly rootAccessKeyId: string | undefined;
  readonly rootSecretAccessKey: string | undefined;
  /** Domains under which virtual-hosted buckets are recognised. */
  readonly domains: readonly string[];
  readonly rootKeyFile: string | undefined;
  readonly rootPassphrase: string | undefined;
  readonly rootPassphraseFile: string | undefined;
  /** Lets SSE-C work without TLS. For tests on loopback. */
  readonly allowInsecureCustomerKeys: boolean;
  /** How many MediaConvert jobs run at once. */
  readonly mediaWorkers: number | undefined;
}

export interface CommandLineOptions {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly logLevel?: string;
}

/** A setting that cannot be used, with what to do about it. */
export class ConfigError extends Error {}

const DEFAULT_PORT = 4566;
const DEFAULT_ACCOUNT = '123456789012';

export function readConfig(options: CommandLineOptions, environment: NodeJS.ProcessEnv): Config {
  const domain = environment['COFFER_DOMAIN'];
  return {
    host: options.host ?? environment['COFFER_HOST'] ?? '127.0.0.1',
    port: readPort(options.port ?? environment['COFFER_PORT']),
    dataFolder: dataFolderOf(options, environment),
    logLevel: readLogLevel(options.logLevel ?? environment['COFFER_LOG_LEVEL'] ?? 'info'),
    accountId: reading('COFFER_ACCOUNT_ID', () => asAccountId(environment['COFFER_ACCOUNT_ID'] ?? DEFAULT_ACCOUNT)),
    region: reading('COFFER_REGION', () => asRegion(environment['COFFER_REGION'] ?? 'us-east-1')),
    rootAccessKeyId: environment['COFFER_ROOT_ACCESS_KEY_ID'],
    rootSecretAccessKey: environment['COFFER_ROOT_SECRET_ACCESS_KEY'],
    domains: ['localhost', ...(domain === undefined || domain === '' ? [] : domain.toLowerCase().split(','))],
    rootKeyFile: environment['COFFER_ROOT_KEY_FILE'],
    rootPassphrase: environment['COFFER_ROOT_PASSPHRASE'],
    rootPassphraseFile: environment['COFFER_ROOT_PASSPHRASE_FILE'],
    allowInsecureCustomerKeys: environment['COFFER_ALLOW_INSECURE_SSE_C'] === '1',
    mediaWorkers: readCount('COFFER_MEDIA_WORKERS', environment['COFFER_MEDIA_WORKERS']),
  };
}

export function dataFolderOf(options: CommandLineOptions, environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
  return resolve(options.data ?? environment['COFFER_DATA'] ?? join(base, 'coffer'));
}

/** Where root keys of new installations are put: never in the data folder, nor beside it. */
export function keyFolderOf(environment: NodeJS.ProcessEnv): string {
  return join(environment['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'coffer', 'root-keys');
}

function readPort(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new ConfigError(`'${text}' is not a port (0 to 65535).`);
  return port;
}

function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new ConfigError(`${name} is a whole number from 1, not '${text}'.`);
  return count;
}

function readLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((candidate) => candidate === text);
  if (level === undefined)
    throw new ConfigError(`'${text}' is not a log level; it is one of ${LOG_LEVELS.join(', ')}.`);
  return level;
}

function reading<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new ConfigError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
