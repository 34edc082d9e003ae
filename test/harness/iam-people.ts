import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  type IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import type { Credentials } from '@aws-sdk/client-sts';
import type { ClientConfig } from './platform.ts';

export type Keys = ClientConfig['credentials'];

/** A policy with these statements, of version 2012-10-17. */
export const policyOf = (...statements: object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

export const allowing = (...actions: string[]): string => policyOf({ Effect: 'Allow', Action: actions, Resource: '*' });

export const keysOf = (credentials: Credentials | undefined): Keys => ({
  accessKeyId: credentials?.AccessKeyId ?? '',
  secretAccessKey: credentials?.SecretAccessKey ?? '',
  sessionToken: credentials?.SessionToken ?? '',
});

/** Makes a user with an access key, and with one inline policy where it is given. */
export async function makeUser(iam: IAMClient, UserName: string, policy?: string): Promise<Keys> {
  await iam.send(new CreateUserCommand({ UserName }));
  if (policy !== undefined) {
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument: policy }));
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

/** Makes a role, and answers its ARN. */
export async function makeRole(
  iam: IAMClient,
  RoleName: string,
  trust: object,
  policy?: string,
  facts: object = {},
): Promise<string> {
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policyOf(trust), ...facts }),
  );
  if (policy !== undefined) {
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'inline', PolicyDocument: policy }));
  }
  return Role?.Arn ?? '';
}

/** For `assert.rejects`: an error of this name, with this message. */
export const failsWith = (name: string, message?: RegExp | string) => (error: unknown) => {
  if (!(error instanceof Error) || error.name !== name) return false;
  return (
    message === undefined || (typeof message === 'string' ? error.message === message : message.test(error.message))
  );
};
