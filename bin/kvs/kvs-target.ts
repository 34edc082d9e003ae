import { type APIName, GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import type { AwsCredentialIdentity } from '@smithy/types';
import { type ClientSettings, findClientSettings } from '../client-settings.ts';
import type { CommandLineOptions } from '../config.ts';

/** How a stream is named to the API. */
export type StreamName = { readonly StreamName: string } | { readonly StreamARN: string };

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
   * @param name a stream's name or ARN
   * @throws ConfigError
   */
  static async find(name: string, options: CommandLineOptions, environment: NodeJS.ProcessEnv): Promise<KvsTarget> {
    const stream = name.startsWith('arn:') ? { StreamARN: name } : { StreamName: name };
    const own = environment['AWS_ENDPOINT_URL_KINESIS_VIDEO'];
    return new KvsTarget(await findClientSettings(options, environment, own), stream);
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
