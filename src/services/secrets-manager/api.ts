import type {
  CreateSecretRequest,
  CreateSecretResponse,
  DescribeSecretRequest,
  DescribeSecretResponse,
  GetSecretValueRequest,
  GetSecretValueResponse,
  PutSecretValueRequest,
  PutSecretValueResponse,
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

  /** @throws ServiceError as CreateSecret answers */
  async createSecret(input: CreateSecretRequest, authority: Authority): Promise<CreateSecretResponse> {
    return (await this.#door.invoke('secrets-manager', 'CreateSecret', input, authority)) as CreateSecretResponse;
  }

  /** @throws ServiceError as PutSecretValue answers */
  async putSecretValue(input: PutSecretValueRequest, authority: Authority): Promise<PutSecretValueResponse> {
    return (await this.#door.invoke('secrets-manager', 'PutSecretValue', input, authority)) as PutSecretValueResponse;
  }
}
