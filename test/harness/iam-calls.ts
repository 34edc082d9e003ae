import assert from 'node:assert/strict';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  IAMServiceException,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import type { ClientConfig, TestPlatform } from './platform.ts';

/** For `assert.rejects`: an error of IAM with this name, and this message where one is given. */
export function failsWith(name: string, message?: RegExp | string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof IAMServiceException, String(error));
    assert.equal(error.name, name, error.message);
    if (typeof message === 'string') assert.equal(error.message, message);
    else if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

/** A policy document with one statement. */
export function documentOf(statement: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statement });
}

/** A policy document that allows these actions on everything. */
export function allowing(...actions: string[]): string {
  return documentOf({ Effect: 'Allow', Action: actions, Resource: '*' });
}

/** A trust policy for a service or for principals. */
export function trusting(principal: object): string {
  return documentOf({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' });
}

/** A new user with one inline policy, or with none, and the settings of its clients. */
export async function newUser(
  platform: TestPlatform,
  iam: IAMClient,
  UserName: string,
  policy?: string,
): Promise<ClientConfig> {
  await iam.send(new CreateUserCommand({ UserName }));
  if (policy !== undefined) {
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument: policy }));
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {};
  return platform.clientConfig({ accessKeyId, secretAccessKey });
}
