import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import type { ClientConfig } from './platform.ts';

export const OBJECTS = { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'], Resource: '*' };

/** A role that MediaConvert may assume, with these permissions; returns its ARN. */
export async function makeMediaRole(
  config: ClientConfig,
  RoleName: string,
  statements: readonly object[],
): Promise<string> {
  const iam = new IAMClient(config);
  const trust = { Effect: 'Allow', Principal: { Service: 'mediaconvert.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const document = (list: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement: list });
  try {
    const made = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document([trust]) }));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'media', PolicyDocument: document(statements) }));
    return made.Role?.Arn ?? '';
  } finally {
    iam.destroy();
  }
}
