import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  DeleteAccessKeyCommand,
  GetRoleCommand,
  IAMClient,
  ListAccessKeysCommand,
} from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  PutResourcePolicyCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { newUser } from '../harness/iam-calls.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('a policy of a resource that names a user', () => {
  let platform: TestPlatform;
  let root: { iam: IAMClient; s3: S3Client; kms: KMSClient; secrets: SecretsManagerClient; sts: STSClient };
  let ann: string;
  let keyId: string;
  let roleArn: string;

  const clientsOf = (config: ClientConfig) => ({
    iam: new IAMClient(config),
    s3: new S3Client(config),
    kms: new KMSClient(config),
    secrets: new SecretsManagerClient(config),
    sts: new STSClient(config),
  });

  before(async () => {
    platform = await startTestPlatform();
    root = clientsOf(platform.clientConfig());
    ann = `arn:aws:iam::${platform.accountId}:user/ann`;
    await root.s3.send(new CreateBucketCommand({ Bucket: 'films' }));
    keyId = (await root.kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
    await root.secrets.send(new CreateSecretCommand({ Name: 'word', SecretString: 'x' }));
    roleArn = `arn:aws:iam::${platform.accountId}:role/player`;
  });
  after(async () => {
    for (const client of Object.values(root)) client.destroy();
    await platform.stop();
  });

  /** With spaces, which come back as they were written. */
  const policy = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 3);
  const names = (Action: string, Resource: string) => ({
    Effect: 'Allow',
    Principal: { AWS: [ann] },
    Action,
    Resource,
  });

  it('means that very user, and not a later one of the name', async () => {
    const first = clientsOf(await newUser(platform, root.iam, 'ann'));
    const bucketPolicy = policy(names('s3:ListBucket', 'arn:aws:s3:::films'), {
      ...names('s3:GetObject', 'arn:aws:s3:::films/*'),
      Condition: { ArnEquals: { 'aws:PrincipalArn': ann } },
    });
    const keyPolicy = policy(
      { Effect: 'Allow', Principal: { AWS: platform.accountId }, Action: 'kms:*', Resource: '*' },
      names('kms:DescribeKey', '*'),
    );
    const secretPolicy = policy(names('secretsmanager:DescribeSecret', '*'));
    const trustPolicy = policy({ Effect: 'Allow', Principal: { AWS: ann }, Action: 'sts:AssumeRole' });
    await root.s3.send(new PutBucketPolicyCommand({ Bucket: 'films', Policy: bucketPolicy }));
    await root.kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy: keyPolicy }));
    await root.secrets.send(new PutResourcePolicyCommand({ SecretId: 'word', ResourcePolicy: secretPolicy }));
    await root.iam.send(new CreateRoleCommand({ RoleName: 'player', AssumeRolePolicyDocument: trustPolicy }));
    const policies = async () => [
      (await root.s3.send(new GetBucketPolicyCommand({ Bucket: 'films' }))).Policy,
      (await root.kms.send(new GetKeyPolicyCommand({ KeyId: keyId }))).Policy,
      (await root.secrets.send(new GetResourcePolicyCommand({ SecretId: 'word' }))).ResourcePolicy,
      decodeURIComponent(
        (await root.iam.send(new GetRoleCommand({ RoleName: 'player' }))).Role?.AssumeRolePolicyDocument ?? '',
      ),
    ];
    const written = [bucketPolicy, keyPolicy, secretPolicy, trustPolicy];
    assert.deepEqual(await policies(), written);

    const asks = (clients: typeof root) => [
      () => clients.s3.send(new ListObjectsV2Command({ Bucket: 'films' })),
      () => clients.kms.send(new DescribeKeyCommand({ KeyId: keyId })),
      () => clients.secrets.send(new DescribeSecretCommand({ SecretId: 'word' })),
      () => clients.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'one' })),
    ];
    for (const ask of asks(first)) await ask();

    const { AccessKeyMetadata: [key] = [] } = await root.iam.send(new ListAccessKeysCommand({ UserName: 'ann' }));
    await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'ann', AccessKeyId: key?.AccessKeyId }));
    await root.iam.send(new DeleteUserCommand({ UserName: 'ann' }));
    const second = clientsOf(await newUser(platform, root.iam, 'ann'));
    for (const ask of asks(second)) await assert.rejects(ask(), /AccessDenied|not authorized/);
    for (const [index, shown = ''] of (await policies()).entries()) {
      const id = /"(AIDA[A-Z0-9]+)"/.exec(shown)?.[1] ?? 'none';
      // Conditions compare names, and keep them.
      const before = written[index]?.split('"Condition"') ?? [];
      assert.equal(shown, [before[0]?.replaceAll(ann, id), ...before.slice(1)].join('"Condition"'));
    }
    for (const client of [first, second].flatMap((clients) => Object.values(clients))) client.destroy();
  });

  it('is shown with the name that the user or role has now', async () => {
    await root.iam.send(new CreateUserCommand({ UserName: 'ben' }));
    const AssumeRolePolicyDocument = policy({
      Effect: 'Allow',
      Principal: { AWS: platform.accountId },
      Action: 'sts:AssumeRole',
    });
    await root.iam.send(new CreateRoleCommand({ RoleName: 'lamp', AssumeRolePolicyDocument }));
    const [ben, lamp] = ['user/ben', 'role/lamp'].map((name) => `arn:aws:iam::${platform.accountId}:${name}`);
    const Policy = policy({
      Effect: 'Deny',
      NotPrincipal: { AWS: [ben, lamp, platform.accountId] },
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::films/*',
    });
    await root.s3.send(new PutBucketPolicyCommand({ Bucket: 'films', Policy }));
    assert.equal((await root.s3.send(new GetBucketPolicyCommand({ Bucket: 'films' }))).Policy, Policy);
    await root.iam.send(new DeleteRoleCommand({ RoleName: 'lamp' }));
    const shown = (await root.s3.send(new GetBucketPolicyCommand({ Bucket: 'films' }))).Policy ?? '';
    assert.match(shown, new RegExp(`"${ben}",\\s+"AROA[A-Z0-9]+",\\s+"${platform.accountId}"`));
  });

  it('is refused when there is no such user or role, with where it says so', async () => {
    const wrong = (Resource: string, action: string) =>
      `{"Version":"2012-10-17","Statement":[\n{"Effect":"Allow","Principal":{"AWS":["${platform.accountId}","arn:aws:iam::${platform.accountId}:role/nobody"]},"Action":"${action}","Resource":"${Resource}"}]}`;
    const said = /Line 2, column 54: there is no such user or role: arn:aws:iam::\d{12}:role\/nobody$/;
    const bucket = { Bucket: 'films', Policy: wrong('arn:aws:s3:::films/*', 's3:GetObject') };
    await assert.rejects(root.s3.send(new PutBucketPolicyCommand(bucket)), { name: 'MalformedPolicy', message: said });
    const malformed = { name: 'MalformedPolicyDocumentException', message: said };
    const Policy = wrong('*', 'kms:*');
    await assert.rejects(root.kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy })), malformed);
    await assert.rejects(root.kms.send(new CreateKeyCommand({ Policy })), malformed);
    const ResourcePolicy = wrong('*', 'secretsmanager:GetSecretValue');
    const secret = { SecretId: 'word', ResourcePolicy };
    await assert.rejects(root.secrets.send(new PutResourcePolicyCommand(secret)), malformed);
  });
});
