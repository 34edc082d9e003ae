import { type CommandLineOptions, readConfig } from '../config.ts';
import { runningEndpoint } from '../control-client.ts';
import { endpointOf } from '../endpoint.ts';
import { requireInstallation } from '../installation.ts';
import { loadRootCredentials } from '../root-credentials.ts';
import { shellWord } from '../shell-word.ts';

/** Prints the endpoint and the root credentials of the installation, for the shell. */
export async function env(options: CommandLineOptions & { readonly json?: boolean }): Promise<void> {
  const config = readConfig(options, process.env);
  const id = await requireInstallation(config.dataFolder);
  const credentials = await loadRootCredentials(id, config, process.env);
  const endpoint = await runningEndpoint(config.dataFolder);
  if (endpoint === undefined)
    console.error('coffer: no server runs on this data folder now; start it with: coffer start');
  const values = {
    AWS_ENDPOINT_URL: endpoint ?? endpointOf(config.host, config.port),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: config.region,
    AWS_DEFAULT_REGION: config.region,
  };
  if (options.json === true) {
    console.log(JSON.stringify(values, null, 2));
    return;
  }
  // A session token of another profile would spoil the new credentials.
  console.log('unset AWS_SESSION_TOKEN AWS_PROFILE');
  for (const [name, value] of Object.entries(values)) console.log(`export ${name}=${shellWord(value)}`);
}
