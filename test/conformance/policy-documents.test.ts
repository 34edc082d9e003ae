import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const statement = (members: string) => `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",${members}}]}`;

/** With what is said of each, and where. */
const HOSTILE: Readonly<Record<string, readonly [document: string, said: RegExp]>> = {
  'a trailing comma': [
    statement('"Action":["s3:*",],"Resource":"*"'),
    /Line 1, column 72: there is a comma before '\]'/,
  ],
  'a wrong service prefix': [
    statement('"Action":"kinesis-video:PutMedia","Resource":"*"'),
    /Line 1, column 65: the action is 'kinesis-video:PutMedia', but the service's prefix is 'kinesisvideo'/,
  ],
  'a name twice': [
    statement('"Action":"s3:Get*","Action":"s3:*","Resource":"*"'),
    /'Action' stands twice in one object/,
  ],
  // Of Latin-1: with others the parameter is refused as such, as in IAM.
  'a letter that only looks like another': [
    statement('"Acti\u00f3n":"s3:*","Resource":"*"'),
    /has no element 'Acti\u00f3n': it has characters that are not ASCII/,
  ],
  'another case': [statement('"action":"s3:*","Resource":"*"'), /it is written 'Action'/],
  'many levels': [`${'{"Statement":'.repeat(120)}1${'}'.repeat(120)}`, /nested too deeply/],
  'a list in a list': [statement('"Action":[["s3:*"]],"Resource":"*"'), /Action must be a string or a list of strings/],
  'an element that there is not': [statement('"Action":"s3:*","Resource":"*","Note":"x"'), /has no element 'Note'/],
};

describe('policy documents that are wrong', () => {
  let platform: TestPlatform;
  let clients: { iam: IAMClient; s3: S3Client; kms: KMSClient };
  let sts: STSClient;
  let roleArn: string;

  before(async () => {
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    clients = { iam: new IAMClient(config), s3: new S3Client(config), kms: new KMSClient(config) };
    await clients.iam.send(new CreateUserCommand({ UserName: 'alice' }));
    await clients.s3.send(new CreateBucketCommand({ Bucket: 'wrong' }));
    const trust = { Effect: 'Allow', Principal: { AWS: platform.accountId }, Action: 'sts:AssumeRole' };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: trust });
    const { Role } = await clients.iam.send(new CreateRoleCommand({ RoleName: 'role', AssumeRolePolicyDocument }));
    roleArn = Role?.Arn ?? '';
    const { AccessKey } = await clients.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }));
    const PolicyDocument = statement('"Action":"sts:*","Resource":"*"');
    await clients.iam.send(new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'assumes', PolicyDocument }));
    sts = new STSClient(
      platform.clientConfig({
        accessKeyId: AccessKey?.AccessKeyId ?? '',
        secretAccessKey: AccessKey?.SecretAccessKey ?? '',
      }),
    );
  });
  after(async () => {
    for (const client of [...Object.values(clients), sts]) client.destroy();
    await platform.stop();
  });

  for (const [what, [document, said]] of Object.entries(HOSTILE)) {
    it(`are refused with what and where by IAM, STS, S3 and KMS: ${what}`, async () => {
      const { iam, s3, kms } = clients;
      const put = { UserName: 'alice', PolicyName: 'p', PolicyDocument: document };
      await assert.rejects(iam.send(new PutUserPolicyCommand(put)), {
        name: 'MalformedPolicyDocumentException',
        message: said,
      });
      const session = { RoleArn: roleArn, RoleSessionName: 'one', Policy: document };
      await assert.rejects(sts.send(new AssumeRoleCommand(session)), {
        name: 'MalformedPolicyDocumentException',
        message: said,
      });
      // With a principal, which they need.
      const withPrincipal = document.replace('"Effect":"Allow",', '"Principal":"*","Effect":"Allow",');
      const moved = new RegExp(said.source.replace(/Line 1, column \d+/, 'Line 1, column \\d+'));
      const bucket = { Bucket: 'wrong', Policy: withPrincipal };
      await assert.rejects(s3.send(new PutBucketPolicyCommand(bucket)), { name: 'MalformedPolicy', message: moved });
      await assert.rejects(kms.send(new CreateKeyCommand({ Policy: withPrincipal })), {
        name: 'MalformedPolicyDocumentException',
        message: moved,
      });
    });
  }

  it('are trust policies for services whose names are misspelled, and not for those that are only unknown', async () => {
    const put = (services: readonly string[]) =>
      clients.iam.send(
        new UpdateAssumeRolePolicyCommand({
          RoleName: 'role',
          PolicyDocument: JSON.stringify({
            Version: '2012-10-17',
            Statement: { Effect: 'Allow', Principal: { Service: services }, Action: 'sts:AssumeRole' },
          }),
        }),
      );
    for (const [wrong, meant] of [
      ['mediaconvertt', 'mediaconvert'],
      ['elemental-mediaconvert', 'mediaconvert'],
      ['kinesis-video', 'kinesisvideo'],
    ] as const) {
      const message = new RegExp(
        `^Invalid principal in policy: "SERVICE":"${wrong}.amazonaws.com". Line 1, column 1\\d\\d: did you mean '${meant}.amazonaws.com'\\?$`,
      );
      await assert.rejects(put([`${meant}.amazonaws.com`, `${wrong}.amazonaws.com`]), {
        name: 'MalformedPolicyDocumentException',
        message,
      });
    }
    const others = ['ec2', 'medialive', 'mediapackagev2', 'kinesis', 'vpc-flow-logs', 'new-service'];
    await put(others.map((name) => `${name}.amazonaws.com`));
  });
});
