import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type AccountId, asAccountId, asRegion, type Region } from '#kernel/ids.ts';
import { type RemoteEntitlement, readRemoteEntitlements } from '#services/mediaconnect/domain/remote-entitlements.ts';
import { readNamedWebhooks } from './named-webhooks.ts';
import { readXksRoute, type XksRoute } from '#services/kms/xks/proxy-routes.ts';
import { readRotationEndpoint } from '#services/secrets-manager/domain/rotation-endpoint.ts';

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
  /** Where players reach the installation, without a slash at its end; absent: as it was asked. */
  readonly publicUrl: string | undefined;
  readonly rootKeyFile: string | undefined;
  readonly rootPassphrase: string | undefined;
  readonly rootPassphraseFile: string | undefined;
  /** The token whose key wraps the root key; the PIN itself or the file that holds it. */
  readonly pkcs11: {
    readonly module: string | undefined;
    readonly token: string | undefined;
    readonly key: string | undefined;
    readonly pin: string | undefined;
    readonly pinFile: string | undefined;
  };
  /** Lets SSE-C work without TLS. For tests on loopback. */
  readonly allowInsecureCustomerKeys: boolean;
  /** Puts the encoded authorization message behind the message of each refusal too. */
  readonly encodedRefusals: boolean;
  /** How many MediaConvert jobs run at once. */
  readonly mediaWorkers: number | undefined;
  /** Addresses to which Secrets Manager may send rotations; one without a path stands for all of its origin. */
  readonly rotationEndpoints: readonly string[];
  /** Addresses to which every event is sent. */
  readonly eventWebhooks: readonly string[];
  /** Addresses that buckets may tell of their events, by the names under which they do. */
  readonly s3Webhooks: ReadonlyMap<string, string>;
  /** Hosts, such as `media.example` or `10.1.2.3:8080`, that MediaConvert may read from although their addresses are private. */
  readonly httpInputHosts: readonly string[];
  /** Whether MediaConvert may encode by graphics hardware. */
  readonly mayUseHardware: boolean;
  /** Hosts at private addresses that MediaConvert may ask for content keys. */
  readonly keyProviderHosts: readonly string[];
  /** Origins of OpenID Connect providers that may be at private addresses, on loopback also by http. */
  readonly oidcIssuers: readonly string[];
  /** Where external key store proxies are asked that are not at public addresses. */
  readonly xksRoutes: readonly XksRoute[];
  /** Milliseconds within which an external key store proxy has to answer. */
  readonly xksTimeoutMs: number;
  /** The IP address on which live flows listen, and which they tell senders and takers. */
  readonly mediaConnectAddress: string;
  /** Entitlements that other installations have granted to accounts of this one. */
  readonly remoteEntitlements: readonly RemoteEntitlement[];
  /** Where `/metrics` is served, on loopback; `undefined` for nowhere, 0 lets the system choose. */
  readonly metricsPort: number | undefined;
  /** How fast everything in S3 is read again, in MiB a second; `undefined` for not at all. */
  readonly scrubRate: number | undefined;
}

export interface CommandLineOptions {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly logLevel?: string;
}

/** A setting that cannot be used, with what to do about it. */
export class ConfigError extends Error {}

/** Every variable that `readConfig` knows. */
const SETTINGS: ReadonlySet<string> = new Set([
  'COFFER_HOST',
  'COFFER_PORT',
  'COFFER_DATA',
  'COFFER_LOG_LEVEL',
  'COFFER_ACCOUNT_ID',
  'COFFER_REGION',
  'COFFER_ROOT_ACCESS_KEY_ID',
  'COFFER_ROOT_SECRET_ACCESS_KEY',
  'COFFER_DOMAIN',
  'COFFER_PUBLIC_URL',
  'COFFER_ROOT_KEY_FILE',
  'COFFER_ROOT_PASSPHRASE',
  'COFFER_ROOT_PASSPHRASE_FILE',
  'COFFER_PKCS11_MODULE',
  'COFFER_PKCS11_TOKEN',
  'COFFER_PKCS11_KEY',
  'COFFER_PKCS11_PIN',
  'COFFER_PKCS11_PIN_FILE',
  // Read by `coffer root-key rotate` alone.
  'COFFER_NEW_ROOT_PASSPHRASE',
  'COFFER_NEW_ROOT_PASSPHRASE_FILE',
  'COFFER_ALLOW_INSECURE_SSE_C',
  'COFFER_ENCODED_REFUSALS',
  'COFFER_MEDIA_WORKERS',
  'COFFER_SCRUB_RATE',
  'COFFER_ROTATION_ENDPOINTS',
  'COFFER_EVENT_WEBHOOKS',
  'COFFER_S3_WEBHOOKS',
  'COFFER_HTTP_INPUT_HOSTS',
  'COFFER_HARDWARE_ENCODERS',
  'COFFER_KEY_PROVIDER_HOSTS',
  'COFFER_OIDC_ISSUERS',
  'COFFER_XKS_PROXIES',
  'COFFER_XKS_TIMEOUT_MS',
  'COFFER_MEDIACONNECT_ADDRESS',
  'COFFER_REMOTE_ENTITLEMENTS',
  'COFFER_METRICS_PORT',
]);

const DEFAULT_PORT = 4566;
const DEFAULT_ACCOUNT = '123456789012';

/**
 * @param given environment variables; an empty one counts as not set
 * @throws ConfigError
 */
export function readConfig(options: CommandLineOptions, given: NodeJS.ProcessEnv): Config {
  const environment = withoutEmpty(given);
  const domain = environment['COFFER_DOMAIN'];
  const rootAccessKeyId = environment['COFFER_ROOT_ACCESS_KEY_ID'];
  const rootSecretAccessKey = environment['COFFER_ROOT_SECRET_ACCESS_KEY'];
  checkRootCredentials(rootAccessKeyId, rootSecretAccessKey);
  if (environment['COFFER_ROOT_PASSPHRASE'] !== undefined && environment['COFFER_ROOT_PASSPHRASE_FILE'] !== undefined) {
    throw new ConfigError('Give COFFER_ROOT_PASSPHRASE or COFFER_ROOT_PASSPHRASE_FILE, not both.');
  }
  return {
    host: readHost(options.host ?? environment['COFFER_HOST'] ?? '127.0.0.1'),
    port: readPort(options.port ?? environment['COFFER_PORT']),
    dataFolder: dataFolderOf(options, environment),
    logLevel: readLogLevel(options.logLevel ?? environment['COFFER_LOG_LEVEL'] ?? 'info'),
    accountId: reading('COFFER_ACCOUNT_ID', () => asAccountId(environment['COFFER_ACCOUNT_ID'] ?? DEFAULT_ACCOUNT)),
    region: reading('COFFER_REGION', () => asRegion(environment['COFFER_REGION'] ?? 'us-east-1')),
    rootAccessKeyId,
    rootSecretAccessKey,
    domains: ['localhost', ...(domain === undefined ? [] : domain.split(',').map(readDomain))],
    publicUrl: readPublicUrl(environment['COFFER_PUBLIC_URL']),
    rootKeyFile: readPath(environment['COFFER_ROOT_KEY_FILE']),
    rootPassphrase: environment['COFFER_ROOT_PASSPHRASE'],
    rootPassphraseFile: environment['COFFER_ROOT_PASSPHRASE_FILE'],
    pkcs11: readPkcs11(environment),
    allowInsecureCustomerKeys: readSwitch('COFFER_ALLOW_INSECURE_SSE_C', environment['COFFER_ALLOW_INSECURE_SSE_C']),
    encodedRefusals: readSwitch('COFFER_ENCODED_REFUSALS', environment['COFFER_ENCODED_REFUSALS']),
    mediaWorkers: readCount('COFFER_MEDIA_WORKERS', environment['COFFER_MEDIA_WORKERS']),
    scrubRate: readScrubRate('COFFER_SCRUB_RATE', environment['COFFER_SCRUB_RATE']),
    rotationEndpoints: reading('COFFER_ROTATION_ENDPOINTS', () =>
      (environment['COFFER_ROTATION_ENDPOINTS']?.split(',') ?? []).map(readRotationEndpoint),
    ),
    // By the same rules: https, without a password or a query, which others could read.
    eventWebhooks: reading('COFFER_EVENT_WEBHOOKS', () =>
      (environment['COFFER_EVENT_WEBHOOKS']?.split(',') ?? []).map(readRotationEndpoint),
    ),
    s3Webhooks: reading('COFFER_S3_WEBHOOKS', () => readNamedWebhooks(environment['COFFER_S3_WEBHOOKS'])),
    httpInputHosts: readHosts('COFFER_HTTP_INPUT_HOSTS', environment),
    mayUseHardware: readHardware(environment['COFFER_HARDWARE_ENCODERS']),
    keyProviderHosts: readHosts('COFFER_KEY_PROVIDER_HOSTS', environment),
    oidcIssuers: (environment['COFFER_OIDC_ISSUERS']?.split(',') ?? []).map(readIssuerOrigin),
    xksRoutes: reading('COFFER_XKS_PROXIES', () =>
      (environment['COFFER_XKS_PROXIES']?.split(',') ?? []).map(readXksRoute),
    ),
    xksTimeoutMs: readXksTimeout('COFFER_XKS_TIMEOUT_MS', environment['COFFER_XKS_TIMEOUT_MS']),
    mediaConnectAddress: readAddress('COFFER_MEDIACONNECT_ADDRESS', environment['COFFER_MEDIACONNECT_ADDRESS']),
    remoteEntitlements: readRemote('COFFER_REMOTE_ENTITLEMENTS', environment['COFFER_REMOTE_ENTITLEMENTS']),
    metricsPort:
      environment['COFFER_METRICS_PORT'] === undefined ? undefined : readPort(environment['COFFER_METRICS_PORT']),
  };
}

/** Variables that begin with `COFFER_` but are no setting: most likely misspelt. */
export function unknownSettings(environment: NodeJS.ProcessEnv): readonly string[] {
  return Object.keys(environment).filter((name) => name.startsWith('COFFER_') && !SETTINGS.has(name));
}

function dataFolderOf(options: CommandLineOptions, environment: NodeJS.ProcessEnv): string {
  if (options.data === '') throw new ConfigError('--data is the path of a folder; it is empty.');
  const base = environment['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
  return resolve(options.data ?? environment['COFFER_DATA'] ?? join(base, 'coffer'));
}

/** Where root keys of new installations are put: never in the data folder, nor beside it. */
export function keyFolderOf(environment: NodeJS.ProcessEnv): string {
  return join(environment['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'coffer', 'root-keys');
}

function withoutEmpty(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}

/** Absolute: it is kept, and the next start may be from another folder. */
function readPath(text: string | undefined): string | undefined {
  return text === undefined ? undefined : resolve(text);
}

function readPkcs11(environment: NodeJS.ProcessEnv): Config['pkcs11'] {
  const { COFFER_PKCS11_PIN: pin, COFFER_PKCS11_PIN_FILE: pinFile } = environment;
  if (pin !== undefined && pinFile !== undefined) {
    throw new ConfigError('Give COFFER_PKCS11_PIN or COFFER_PKCS11_PIN_FILE, not both.');
  }
  return {
    module: readPath(environment['COFFER_PKCS11_MODULE']),
    token: environment['COFFER_PKCS11_TOKEN'],
    key: environment['COFFER_PKCS11_KEY'],
    pin,
    pinFile,
  };
}

function readPublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isPlain = url !== null && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (!isPlain || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError('COFFER_PUBLIC_URL is an address such as https://media.example.com.');
  }
  return url.href.replace(/\/+$/, '');
}

function readHost(text: string): string {
  // An empty address would mean every interface.
  if (text === '') throw new ConfigError('--host is an address to listen on; it is empty.');
  return text;
}

function readPort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65535) throw new ConfigError(`'${text}' is not a port (0 to 65535).`);
  return port;
}

/** Hosts of addresses, with or without a port, as `URL` writes them. */
function readHosts(name: string, environment: NodeJS.ProcessEnv): readonly string[] {
  return (environment[name]?.split(',') ?? []).map((text) => readListedHost(name, text));
}

function readListedHost(name: string, text: string): string {
  const host = text.trim();
  const url = URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`) : undefined;
  if (url !== undefined && /^[^\s/?#@]+$/.test(host)) return url.host;
  throw new ConfigError(`${name} is a list such as media.example,10.1.2.3:8080, not '${text}'.`);
}

function readIssuerOrigin(text: string): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  const isLoopback = url !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback)) return url.origin;
  throw new ConfigError(
    `COFFER_OIDC_ISSUERS is a list of addresses such as https://idp.internal:8443,http://127.0.0.1:9000, not '${text}'.`,
  );
}

/** Not the wildcard: it is told to senders and takers. */
function readAddress(name: string, text = '127.0.0.1'): string {
  if (isIP(text) === 0 || /^(0\.0\.0\.0|[0:]+)$/.test(text)) {
    throw new ConfigError(`${name} is an IP address of this machine, such as 192.0.2.10, not '${text}'.`);
  }
  return text;
}

function readRemote(name: string, path: string | undefined): readonly RemoteEntitlement[] {
  return path === undefined
    ? []
    : reading(`${name} (${path})`, () => readRemoteEntitlements(readFileSync(path, 'utf8')));
}

function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new ConfigError(`${name} is a whole number from 1, not '${text}'.`);
  return count;
}

/** As long as AWS waits, unless the operator's key manager is farther away. */
function readXksTimeout(name: string, text = '250'): number {
  const timeout = readCount(name, text) ?? 0;
  if (timeout < 50 || timeout > 10_000) throw new ConfigError(`${name} is 50 to 10000 milliseconds, not '${text}'.`);
  return timeout;
}

function readScrubRate(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === 'off') return undefined;
  const rate = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || rate <= 0 || rate > 100_000) {
    throw new ConfigError(`${name} is off, or so many MiB a second, not '${text}'.`);
  }
  return rate;
}

function readSwitch(name: string, text: string | undefined): boolean {
  if (text === undefined || text === '0') return false;
  if (text !== '1') throw new ConfigError(`${name} is 1 or 0, not '${text}'.`);
  return true;
}

function readHardware(text: string | undefined): boolean {
  if (text !== undefined && text !== 'off' && text !== 'auto') {
    throw new ConfigError(`COFFER_HARDWARE_ENCODERS is off or auto, not '${text}'.`);
  }
  return text === 'auto';
}

function readDomain(text: string): string {
  const domain = text.trim().toLowerCase();
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(domain)) throw new ConfigError(`COFFER_DOMAIN: '${text}' is not a domain.`);
  return domain;
}

function checkRootCredentials(id: string | undefined, secret: string | undefined): void {
  if ((id === undefined) !== (secret === undefined)) {
    throw new ConfigError(
      'COFFER_ROOT_ACCESS_KEY_ID and COFFER_ROOT_SECRET_ACCESS_KEY go together: give both or none.',
    );
  }
  if (id !== undefined && !/^[A-Za-z0-9_]{16,128}$/.test(id)) {
    throw new ConfigError('COFFER_ROOT_ACCESS_KEY_ID is 16 to 128 letters, digits and underscores.');
  }
  // The value is not repeated: it may be a secret that was only put in the wrong form.
  if (secret !== undefined && !/^[\x21-\x7e]{8,128}$/.test(secret)) {
    throw new ConfigError('COFFER_ROOT_SECRET_ACCESS_KEY is 8 to 128 printable ASCII characters without spaces.');
  }
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
