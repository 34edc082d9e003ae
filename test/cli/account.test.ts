import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  type Credentials,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { CofferHome, clientConfig } from '../harness/coffer-home.ts';
import { filesUnder } from '../harness/files-under.ts';
import type { TestAccount } from '../harness/accounts.ts';
import type { ClientConfig } from '../harness/platform.ts';

const COFFER = fileURLToPath(new URL('../../bin/main.mjs', import.meta.url));
const MEMBERS = ['accountId', 'accessKeyId', 'secretAccessKey', 'canonicalId', 'email'];

function linesOf(text: string): TestAccount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TestAccount);
}

const configOf = (endpoint: string, account: TestAccount) =>
  clientConfig(endpoint, account.accessKeyId, account.secretAccessKey);

async function nameOfFailure(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
}

describe('coffer account', { concurrency: 2 }, () => {
  it('creates accounts through the server, which work at once, and lists them', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const one = await home.run(['account', 'create', '555566667777']);
    assert.equal(one.code, 0);
    const [account, ...more] = linesOf(one.stdout);
    assert.ok(account);
    assert.deepEqual(more, []);
    assert.deepEqual(Object.keys(account), MEMBERS);
    assert.equal(account.accountId, '555566667777');
    assert.match(account.accessKeyId, /^AKIA[A-Z0-9]{16}$/);
    assert.match(account.canonicalId, /^[0-9a-f]{64}$/);
    const sts = new STSClient(configOf(server.endpoint, account));
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Arn, 'arn:aws:iam::555566667777:root');
    sts.destroy();
    const s3 = new S3Client(configOf(server.endpoint, account));
    assert.equal((await s3.send(new ListBucketsCommand({}))).Owner?.ID, account.canonicalId);
    s3.destroy();

    const again = await home.run(['account', 'create', '555566667777']);
    assert.equal(again.code, 1);
    assert.equal(again.stdout, '');
    assert.equal(again.stderr, 'coffer: Account 555566667777 exists already.\n');

    const listed = linesOf((await home.run(['account', 'list'])).stdout);
    assert.deepEqual(
      listed.map((item) => item.accountId),
      ['123456789012', '555566667777'],
    );
    assert.ok(
      listed.every((item) => !('secretAccessKey' in item)),
      'secrets are told once',
    );
    await server.end('SIGTERM');
  });

  it('creates 2,500 accounts in seconds, and prints every one', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const begun = Date.now();
    const { code, stdout, stderr } = await home.run(['account', 'create', '--count', '2500']);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '', 'progress is for terminals');
    assert.ok(Date.now() - begun < 15_000, `${Date.now() - begun} ms`);
    const accounts = linesOf(stdout);
    for (const member of ['accountId', 'accessKeyId', 'secretAccessKey', 'canonicalId', 'email'] as const) {
      assert.equal(new Set(accounts.map((account) => account[member])).size, 2500, member);
    }
    const last = accounts.at(-1);
    assert.ok(last);
    const sts = new STSClient(configOf(server.endpoint, last));
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Account, last.accountId);
    sts.destroy();
    await server.end('SIGTERM');
    assert.equal(linesOf((await home.run(['account', 'list'])).stdout).length, 2501);
  });

  it('works on the folder itself while no server runs', async () => {
    await using home = await CofferHome.make();
    await (await home.start()).end('SIGTERM');
    const { code, stdout, stderr } = await home.run(['account', 'create', '--count', '3']);
    assert.equal(code, 0, stderr);
    const [first, second] = linesOf(stdout);
    assert.ok(first && second);
    assert.equal((await home.run(['account', 'delete', second.accountId])).code, 0);
    const server = await home.start();
    const sts = new STSClient(configOf(server.endpoint, first));
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Account, first.accountId);
    const gone = new STSClient(configOf(server.endpoint, second));
    assert.equal(await nameOfFailure(gone.send(new GetCallerIdentityCommand({}))), 'InvalidClientTokenId');
    sts.destroy();
    gone.destroy();
    await server.end('SIGTERM');
  });

  it('refuses what is no account or no count', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const attempts: [string[], RegExp][] = [
      [['create', '12345'], /An account ID is twelve digits, not '12345'/],
      [['create', '12345678901x'], /twelve digits/],
      [['create', '--count', '0'], /--count is a whole number from 1/],
      [['create', '--count', '-1'], /--count is a whole number from 1/],
      [['create', '--count', 'many'], /--count is a whole number from 1/],
      [['create', '--count', '1.5'], /--count is a whole number from 1/],
      [['create', '--count', '100001'], /--count is a whole number from 1 to 100000/],
      [['create', '111122223333', '--count', '2'], /goes with --count 1 only/],
      [['delete', 'mine'], /twelve digits/],
      [['delete', '999988887777'], /There is no account 999988887777/],
      [['delete'], /missing required argument 'id'/],
    ];
    for (const [args, message] of attempts) {
      const { code, stdout, stderr } = await home.run(['account', ...args]);
      assert.equal(code, 1, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, message);
    }
    assert.equal(linesOf((await home.run(['account', 'list'])).stdout).length, 1);
    await server.end('SIGTERM');
  });

  it('ends quietly when its reader has seen enough', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const script = `"$0" "$@" | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const command = [COFFER, 'account', 'create', '--count', '5000'];
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script, process.execPath, ...command], {
      env: home.environment(),
    });
    assert.match(stdout, /^\{"accountId":"\d{12}",.*\}\n1\n$/);
    assert.equal(stderr, '');
    assert.equal((await home.run(['account', 'list'])).code, 0, 'the server goes on');
    await server.end('SIGTERM');
  });
});

function sessionConfig(endpoint: string, credentials: Credentials | undefined): ClientConfig {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = credentials ?? {};
  return clientConfig(endpoint, AccessKeyId, SecretAccessKey, SessionToken);
}

/** What a team has in its account. */
async function furnish(config: ClientConfig, bucket: string) {
  const iam = new IAMClient(config);
  await iam.send(new CreateUserCommand({ UserName: 'ann' }));
  const arn = 'arn:aws:iam::aws:policy/AdministratorAccess';
  await iam.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn: arn }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
  const { AccessKeyId: id = '', SecretAccessKey: secret = '' } = AccessKey ?? {};
  const ann = clientConfig(config.endpoint, id, secret);
  const sts = new STSClient(ann);
  const { Account } = await sts.send(new GetCallerIdentityCommand({}));
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: 'worker',
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${Account}:root` }, Action: 'sts:AssumeRole' }],
      }),
    }),
  );
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: Role?.Arn ?? '', RoleSessionName: 'a-session' }),
  );
  const session = sessionConfig(config.endpoint, Credentials);
  const rootSts = new STSClient(config);
  const ofRoot = await rootSts.send(new GetSessionTokenCommand({}));
  const rootSession = sessionConfig(config.endpoint, ofRoot.Credentials);
  const kms = new KMSClient(config);
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const s3 = new S3Client(ann);
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyMetadata?.Arn } as const;
  for (const [Key, size] of [
    ['small', 10],
    ['large', 300_000],
  ] as const) {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.alloc(size, Key), ...encryption }));
  }
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'parts' }));
  await s3.send(
    new UploadPartCommand({ Bucket: bucket, Key: 'parts', UploadId, PartNumber: 1, Body: Buffer.alloc(300_000, 'p') }),
  );
  for (const client of [iam, sts, rootSts, kms, s3]) client.destroy();
  return { ann, session, rootSession, keyId: KeyMetadata?.Arn ?? '' };
}

describe('coffer account delete', () => {
  it('removes everything in the account, at once, and nothing of another', async () => {
    await using home = await CofferHome.make();
    const server = await home.start();
    const [doomed, other] = linesOf((await home.run(['account', 'create', '--count', '2'])).stdout);
    assert.ok(doomed && other);
    const theirs = await furnish(configOf(server.endpoint, other), 'others-bucket');
    const blobs = join(home.dataFolder, 'blobs', 's3');
    const before = (await filesUnder(blobs)).length;
    const ours = await furnish(configOf(server.endpoint, doomed), 'doomed-bucket');
    assert.equal((await filesUnder(blobs)).length, before * 2);

    // Everything works before, so that what fails afterwards fails for the deletion; and is in every cache.
    for (const config of [ours.ann, ours.session, ours.rootSession]) {
      const sts = new STSClient(config);
      await sts.send(new GetCallerIdentityCommand({}));
      sts.destroy();
    }
    const { code, stdout, stderr } = await home.run(['account', 'delete', doomed.accountId]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { deleted: doomed.accountId });

    for (const config of [configOf(server.endpoint, doomed), ours.ann, ours.session, ours.rootSession]) {
      const sts = new STSClient(config);
      assert.notEqual(await nameOfFailure(sts.send(new GetCallerIdentityCommand({}))), 'none');
      sts.destroy();
    }
    for (let wait = 0; wait < 100 && (await filesUnder(blobs)).length > before; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal((await filesUnder(blobs)).length, before, 'no blob of the account is left');

    const s3 = new S3Client(theirs.ann);
    for (const [Key, size] of [
      ['small', 10],
      ['large', 300_000],
    ] as const) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'others-bucket', Key }));
      assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(Buffer.alloc(size, Key)));
    }
    assert.equal(
      await nameOfFailure(s3.send(new GetObjectCommand({ Bucket: 'doomed-bucket', Key: 'small' }))),
      'NoSuchBucket',
    );
    // The bucket's name is free.
    await s3.send(new CreateBucketCommand({ Bucket: 'doomed-bucket' }));
    const kms = new KMSClient(theirs.ann);
    assert.equal((await kms.send(new DescribeKeyCommand({ KeyId: theirs.keyId }))).KeyMetadata?.Enabled, true);
    assert.notEqual(await nameOfFailure(kms.send(new DescribeKeyCommand({ KeyId: ours.keyId }))), 'none');
    kms.destroy();
    s3.destroy();

    assert.equal((await home.run(['verify'])).code, 0);
    // The id may be given again, and nothing of before is in the new account.
    const [reborn] = linesOf((await home.run(['account', 'create', doomed.accountId])).stdout);
    assert.ok(reborn);
    const fresh = new S3Client(configOf(server.endpoint, reborn));
    assert.deepEqual((await fresh.send(new ListBucketsCommand({}))).Buckets ?? [], []);
    fresh.destroy();
    for (const config of [configOf(server.endpoint, doomed), ours.ann, ours.session, ours.rootSession]) {
      const sts = new STSClient(config);
      assert.notEqual(await nameOfFailure(sts.send(new GetCallerIdentityCommand({}))), 'none', 'old keys stay dead');
      sts.destroy();
    }
    await server.end('SIGTERM');
  });
});
