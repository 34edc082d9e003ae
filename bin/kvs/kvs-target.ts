import { type APIName, GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import type { AwsCredentialIdentity } from '@smithy/types';
import { type CommandLineOptions, ConfigError, readConfig } from '../config.ts';
import { runningEndpoint } from '../control-client.ts';
import { requireInstallation } from '../installation.ts';
import { loadRootCredentials } from '../root-credentials.ts';

/** How a stream is named to the API. */
export type StreamName = { readonly StreamName: string } | { readonly StreamARN: string };

/** What the SDK's clients are constructed with. */
export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  /** Absent: those of the environment or of a profile, as AWS's own tools find them. */
  readonly credentials?: AwsCredentialIdentity;
}

/** A stream, and the server that has it. */
export class KvsTarget {
  readonly client: KinesisVideoClient;
  readonly settings: ClientSettings;
  readonly stream: StreamName;

  private constructor(settings: ClientSettings, stream: StreamName) {
    this.settings = settings;
    this.stream = stream;
    this.client = new KinesisVideoClient(settings);
  }

  /**
   * The address and the credentials are those of the environment (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID` …), as for
   * AWS's own tools; what is not there is the local installation's. Never Amazon's: nobody shall send a camera there by
   * having forgotten a variable.
   *
   * @param name a stream's name or ARN
   * @throws ConfigError
   */
  static async find(name: string, options: CommandLineOptions, environment: NodeJS.ProcessEnv): Promise<KvsTarget> {
    const stream = name.startsWith('arn:') ? { StreamARN: name } : { StreamName: name };
    const config = readConfig(options, environment);
    const region = environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'] || config.region;
    const endpoint = environment['AWS_ENDPOINT_URL_KINESIS_VIDEO'] || environment['AWS_ENDPOINT_URL'];
    const hasOwn = Boolean(endpoint || environment['AWS_ACCESS_KEY_ID'] || environment['AWS_PROFILE']);
    const settings = { endpoint: endpoint || (await localEndpoint(config.dataFolder)), region };
    if (hasOwn) return new KvsTarget(settings, stream);
    const id = await requireInstallation(config.dataFolder);
    const { accessKeyId, secretAccessKey } = await loadRootCredentials(id, config, environment);
    return new KvsTarget({ ...settings, credentials: { accessKeyId, secretAccessKey } }, stream);
  }

  /** Where the operations on the stream's media are. */
  async dataEndpoint(operation: APIName): Promise<string> {
    const { DataEndpoint } = await this.client.send(new GetDataEndpointCommand({ ...this.stream, APIName: operation }));
    return DataEndpoint ?? this.settings.endpoint;
  }

  credentials(): Promise<AwsCredentialIdentity> {
    return this.client.config.credentials();
  }

  close(): void {
    this.client.destroy();
  }
}

async function localEndpoint(dataFolder: string): Promise<string> {
  const endpoint = await runningEndpoint(dataFolder);
  if (endpoint !== undefined) return endpoint;
  throw new ConfigError('No server runs on the data folder, and AWS_ENDPOINT_URL is not set. Start one: coffer start');
}
