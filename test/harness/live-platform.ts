import { randomBytes } from 'node:crypto';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateFlowCommand,
  type CreateFlowRequest,
  DescribeFlowCommand,
  type Flow,
  MediaConnectClient,
  StartFlowCommand,
  waitUntilFlowActive,
} from '@aws-sdk/client-mediaconnect';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { sendRaw } from './raw-connection.ts';
import { signHeader } from './sigv4-signer.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from './platform.ts';

interface Peer {
  readonly name: string;
  readonly peerIpAddress?: string;
}

const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'mediaconnect.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

/** An account's side of MediaConnect: its clients, a role, and keys in secrets. */
export class LiveAccount {
  readonly client: MediaConnectClient;
  readonly secrets: SecretsManagerClient;
  readonly iam: IAMClient;
  readonly #config: ClientConfig;
  roleArn = '';

  private constructor(config: ClientConfig) {
    this.#config = config;
    this.client = new MediaConnectClient(config);
    this.secrets = new SecretsManagerClient(config);
    this.iam = new IAMClient(config);
  }

  /** With the seed's role, which may read all the account's secrets. */
  static async create(config: ClientConfig): Promise<LiveAccount> {
    const account = new LiveAccount(config);
    const RoleName = `MediaConnect-${randomBytes(4).toString('hex')}`;
    const { Role } = await account.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST }));
    await account.iam.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: 'secrets',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: [
                'secretsmanager:GetResourcePolicy',
                'secretsmanager:GetSecretValue',
                'secretsmanager:DescribeSecret',
                'secretsmanager:ListSecretVersionIds',
              ],
              Resource: '*',
            },
          ],
        }),
      }),
    );
    account.roleArn = Role?.Arn ?? '';
    return account;
  }

  /** @returns the new secret's ARN */
  async secret(value: string): Promise<string> {
    const Name = `key-${randomBytes(6).toString('hex')}`;
    const { ARN } = await this.secrets.send(new CreateSecretCommand({ Name, SecretString: value }));
    return ARN ?? '';
  }

  /** Encryption under a key of the algorithm's length, as hexadecimal text. */
  async staticKey(algorithm: 'aes128' | 'aes192' | 'aes256', key: string) {
    return {
      Algorithm: algorithm,
      KeyType: 'static-key' as const,
      RoleArn: this.roleArn,
      SecretArn: await this.secret(key),
    };
  }

  async srtPassword(passphrase: string) {
    return { KeyType: 'srt-password' as const, RoleArn: this.roleArn, SecretArn: await this.secret(passphrase) };
  }

  /** Creates a flow. @returns its ARN */
  async createFlow(request: CreateFlowRequest): Promise<string> {
    const { Flow } = await this.client.send(new CreateFlowCommand(request));
    return Flow?.FlowArn ?? '';
  }

  async start(FlowArn: string): Promise<void> {
    await this.client.send(new StartFlowCommand({ FlowArn }));
    await waitUntilFlowActive({ client: this.client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, { FlowArn });
  }

  async startedFlow(request: CreateFlowRequest): Promise<string> {
    const arn = await this.createFlow(request);
    await this.start(arn);
    return arn;
  }

  async describe(FlowArn: string): Promise<{ readonly flow: Flow; readonly errors: readonly string[] }> {
    const { Flow, Messages } = await this.client.send(new DescribeFlowCommand({ FlowArn }));
    if (Flow === undefined) throw new Error('There is no flow.');
    return { flow: Flow, errors: Messages?.Errors ?? [] };
  }

  /**
   * The addresses of the peers of a flow's sources and outputs, by their names; only of those that have one. The SDK's
   * client does not know this member yet.
   */
  async peers(FlowArn: string): Promise<ReadonlyMap<string, string>> {
    const { endpoint, region, credentials } = this.#config;
    const request = { method: 'GET', path: `/v1/flows/${FlowArn}` };
    const { host } = new URL(endpoint);
    const signed = signHeader(request, { credentials, service: 'mediaconnect', region, host });
    const { text } = await sendRaw(endpoint, signed);
    const { flow } = JSON.parse(text) as { flow: { sources: Peer[]; outputs: Peer[] } };
    return new Map(
      [...flow.sources, ...flow.outputs].flatMap(({ name, peerIpAddress }) =>
        peerIpAddress === undefined ? [] : [[name, peerIpAddress] as const],
      ),
    );
  }

  destroy(): void {
    for (const client of [this.client, this.secrets, this.iam]) client.destroy();
  }
}

/** A platform with one account that is ready for live flows. */
export class LivePlatform implements AsyncDisposable {
  readonly platform: TestPlatform;
  readonly account: LiveAccount;

  private constructor(platform: TestPlatform, account: LiveAccount) {
    this.platform = platform;
    this.account = account;
  }

  static async start(environment: NodeJS.ProcessEnv = {}): Promise<LivePlatform> {
    const platform = await startTestPlatform(environment);
    return new LivePlatform(platform, await LiveAccount.create(platform.clientConfig()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.account.destroy();
    await this.platform.stop();
  }
}

/** A key as the secret holds it: hexadecimal digits. */
export function hexKey(bytes: 16 | 24 | 32): string {
  return randomBytes(bytes).toString('hex');
}
