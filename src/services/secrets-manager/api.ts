import type {
  DescribeSecretRequest,
  DescribeSecretResponse,
  GetSecretValueRequest,
  GetSecretValueResponse,
} from '@aws-sdk/client-secrets-manager';
import type { Authority, Door } from '#kernel/door.ts';

/** Secrets Manager for other services: each call is validated, authorised and audited as one that came from a socket. */
export class SecretsManagerApi {
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  /** @throws ServiceError as GetSecretValue answers */
  async getSecretValue(input: GetSecretValueRequest, authority: Authority): Promise<GetSecretValueResponse> {
    return (await this.#door.invoke('secrets-manager', 'GetSecretValue', input, authority)) as GetSecretValueResponse;
  }

  /** @throws ServiceError as DescribeSecret answers */
  async describeSecret(input: DescribeSecretRequest, authority: Authority): Promise<DescribeSecretResponse> {
    return (await this.#door.invoke('secrets-manager', 'DescribeSecret', input, authority)) as DescribeSecretResponse;
  }
}
