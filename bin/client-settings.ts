import type { AwsCredentialIdentity } from '@smithy/types';
import { type CommandLineOptions, ConfigError, readConfig } from './config.ts';
import { runningEndpoint } from './control-client.ts';
import { requireInstallation } from './installation.ts';
import { loadRootCredentials } from './root-credentials.ts';

/** What the SDK's clients are constructed with. */
export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  /** Absent: those of the environment or of a profile, as AWS's own tools find them. */
  readonly credentials?: AwsCredentialIdentity;
}

/**
 * The address and the credentials are those of the environment (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID` …), as for
 * AWS's own tools; what is not there is the local installation's. Never Amazon's: nobody shall send anything there by
 * having forgotten a variable.
 *
 * @param ownEndpoint the service's own address, where the environment has one (`AWS_ENDPOINT_URL_…`)
 * @throws ConfigError
 */
export async function findClientSettings(
  options: CommandLineOptions,
  environment: NodeJS.ProcessEnv,
  ownEndpoint?: string,
): Promise<ClientSettings> {
  const config = readConfig(options, environment);
  const region = environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'] || config.region;
  const endpoint = ownEndpoint || environment['AWS_ENDPOINT_URL'];
  const hasOwn = Boolean(endpoint || environment['AWS_ACCESS_KEY_ID'] || environment['AWS_PROFILE']);
  const settings = { endpoint: endpoint || (await localEndpoint(config.dataFolder)), region };
  if (hasOwn) return settings;
  const id = await requireInstallation(config.dataFolder);
  const { accessKeyId, secretAccessKey } = await loadRootCredentials(id, config, environment);
  return { ...settings, credentials: { accessKeyId, secretAccessKey } };
}

async function localEndpoint(dataFolder: string): Promise<string> {
  const endpoint = await runningEndpoint(dataFolder);
  if (endpoint !== undefined) return endpoint;
  throw new ConfigError('No server runs on the data folder, and AWS_ENDPOINT_URL is not set. Start one: coffer start');
}
