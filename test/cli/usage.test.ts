import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DecryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CofferHome, clientConfig, type RunningServer } from '../harness/coffer-home.ts';
import type { TestAccount } from '../harness/accounts.ts';
import type { ClientConfig } from '../harness/platform.ts';
import { factsOf } from '#services/cloudtrail/domain/audit-event.ts';
import { unpackEvents } from '#services/cloudtrail/domain/event-block.ts';
import { changed, withDatabase } from '../harness/database-damage.ts';

interface Counts {
  readonly requests: number;
  readonly failed: number;
}
interface KmsCounts extends Counts {
  readonly key: string;
  readonly operation: string;
  readonly principal: string;
  readonly credential: string;
  readonly via: string;
}
interface Report {
  readonly since: string;
  readonly until: string;
  readonly kms: readonly KmsCounts[];
  readonly services: readonly (Counts & { readonly service: string })[];
  readonly damagedEvents: number;
}

const ACCOUNT = '123456789012';
const OTHER = '555566667777';
const VIA_S3 = 's3.us-east-1.amazonaws.com';

describe('coffer usage', () => {
  let home: CofferHome;
  let server: RunningServer;
  let key: string;
  let camera: ClientConfig;
  let begun: string;

  const report = async (...args: string[]): Promise<Report> => {
    const { stdout, stderr } = await home.run(['usage', '--json', ...args]);
    assert.equal(stderr, '');
    return JSON.parse(stdout) as Report;
  };
  const find = (kms: readonly KmsCounts[], wanted: Partial<KmsCounts>) =>
    kms.filter((row) => Object.entries(wanted).every(([name, value]) => row[name as keyof KmsCounts] === value));

  before(async () => {
    begun = new Date().toISOString();
    home = await CofferHome.make();
    server = await home.start();
    const root = await home.rootClientConfig();
    const iam = new IAMClient(root);
    await iam.send(new CreateUserCommand({ UserName: 'camera' }));
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['kms:GenerateDataKey', 's3:*'], Resource: '*' }],
    });
    await iam.send(new PutUserPolicyCommand({ UserName: 'camera', PolicyName: 'p', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'camera' }));
    camera = clientConfig(server.endpoint, AccessKey?.AccessKeyId ?? '', AccessKey?.SecretAccessKey ?? '');
    iam.destroy();

    const kms = new KMSClient(root);
    const created = await kms.send(new CreateKeyCommand({}));
    key = created.KeyMetadata?.Arn ?? '';
    const { CiphertextBlob } = await kms.send(new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256' }));
    await kms.send(new DecryptCommand({ CiphertextBlob }));
    await kms.send(new DecryptCommand({ CiphertextBlob }));

    const asCamera = new KMSClient(camera);
    for (let count = 0; count < 3; count++) {
      await asCamera.send(new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256' }));
    }
    await assert.rejects(asCamera.send(new DecryptCommand({ CiphertextBlob })), { name: 'AccessDeniedException' });
    asCamera.destroy();

    // Through a service, which asks by a dry run when it holds the data key already.
    const s3 = new S3Client(camera);
    await s3.send(new CreateBucketCommand({ Bucket: 'usage' }));
    const object = { Bucket: 'usage', Key: 'a' };
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key } as const;
    await s3.send(new PutObjectCommand({ ...object, Body: 'x', ...encryption }));
    await assert.rejects(s3.send(new GetObjectCommand(object)), { name: 'AccessDenied' });
    s3.destroy();

    // Another account, by the key's policy: the request stands in both accounts' logs.
    const { stdout } = await home.run(['account', 'create', OTHER]);
    const other = JSON.parse(stdout) as TestAccount;
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${OTHER}:root` }, Action: 'kms:Decrypt', Resource: '*' },
      ],
    });
    await kms.send(new PutKeyPolicyCommand({ KeyId: key, Policy }));
    const foreign = new KMSClient(clientConfig(server.endpoint, other.accessKeyId, other.secretAccessKey));
    await foreign.send(new DecryptCommand({ CiphertextBlob }));
    foreign.destroy();
    kms.destroy();
  });
  after(async () => {
    await home[Symbol.asyncDispose]();
  });

  it('tells for each key how many requests every principal and credential made, through which service', async () => {
    const { kms } = await report();
    const mine = kms.filter((row) => row.key === key);
    const root = `arn:aws:iam::${ACCOUNT}:root`;
    const user = `arn:aws:iam::${ACCOUNT}:user/camera`;
    const { accessKeyId: credential } = camera.credentials;
    const counts = (wanted: Partial<KmsCounts>) =>
      find(mine, wanted).map(({ requests, failed }) => ({ requests, failed }));
    assert.deepEqual(counts({ operation: 'GenerateDataKey', principal: user, credential, via: '' }), [
      { requests: 3, failed: 0 },
    ]);
    assert.deepEqual(counts({ operation: 'GenerateDataKey', principal: user, credential, via: VIA_S3 }), [
      { requests: 1, failed: 0 },
    ]);
    assert.deepEqual(counts({ operation: 'Decrypt', principal: user, via: '' }), [{ requests: 1, failed: 1 }]);
    assert.deepEqual(counts({ operation: 'Decrypt', principal: user, via: VIA_S3 }), [{ requests: 1, failed: 1 }]);
    assert.deepEqual(counts({ operation: 'GenerateDataKey', principal: root }), [{ requests: 1, failed: 0 }]);
    assert.deepEqual(counts({ operation: 'Decrypt', principal: root }), [{ requests: 2, failed: 0 }]);
  });

  it('counts the request of another account once, and in the log of each of the two', async () => {
    const foreign = { operation: 'Decrypt', principal: `arn:aws:iam::${OTHER}:root` };
    for (const args of [[], ['--account', ACCOUNT], ['--account', OTHER]]) {
      const [row, ...more] = find((await report(...args)).kms, foreign);
      assert.deepEqual([row?.requests, row?.key, more.length], [1, key, 0], args.join(' '));
    }
    const other = await report('--account', OTHER);
    assert.equal(
      other.kms.reduce((sum, row) => sum + row.requests, 0),
      1,
    );
    assert.deepEqual(other.services, [{ service: 'kms.amazonaws.com', requests: 1, failed: 0 }]);
  });

  it('adds up the requests of each service', async () => {
    const { kms, services } = await report();
    const s3 = services.find(({ service }) => service === 's3.amazonaws.com');
    assert.deepEqual(s3, { service: 's3.amazonaws.com', requests: 3, failed: 1 });
    const sum = kms.reduce((total, row) => total + row.requests, 0);
    assert.equal(services.find(({ service }) => service === 'kms.amazonaws.com')?.requests, sum);
  });

  it('counts within a time, given as a date or as how long ago', async () => {
    assert.deepEqual((await report('--until', begun)).services, []);
    assert.deepEqual((await report('--since', '2999-01-01', '--until', '2999-01-02T00:00:00Z')).services, []);
    const all = await report();
    assert.deepEqual((await report('--since', '15m')).kms, all.kms);
    assert.deepEqual((await report('--since', begun)).kms, all.kms);
    assert.equal(Date.parse(all.until) - Date.parse(all.since), 86_400_000);
  });

  it('leaves out columns that are not asked for', async () => {
    const { kms } = await report('--by', 'operation,key');
    const [decrypt, ...more] = find(kms, { key, operation: 'Decrypt' });
    assert.deepEqual(decrypt, { key, operation: 'Decrypt', requests: 5, failed: 2 });
    assert.equal(more.length, 0);
  });

  it('prints a table for people', async () => {
    const { stdout, code } = await home.run(['usage']);
    assert.equal(code, 0);
    const lines = stdout.split('\n');
    const at = lines.indexOf(`KMS key ${key}`);
    assert.ok(at > 0, stdout);
    assert.match(lines[at + 1] ?? '', /^ {2}REQUESTS {2}FAILED {2}OPERATION +PRINCIPAL +CREDENTIAL +VIA$/);
    assert.match(
      lines[at + 2] ?? '',
      /^ +3 +0 {2}GenerateDataKey +arn:aws:iam::123456789012:user\/camera +AKIA\w+ +-$/,
    );
    assert.match(stdout, /^All services\n {2}REQUESTS {2}FAILED {2}SERVICE$/m);
  });

  it('refuses what it does not understand, by name', async () => {
    for (const [args, message] of [
      [['--since', 'yesterday'], /^coffer: --since is a time such as .*, not 'yesterday'\.$/m],
      [['--until', '2026-13-45'], /^coffer: --until is a time such as/m],
      [['--since', '1h', '--until', '2h'], /^coffer: --since is later than --until\.$/m],
      [['--account', 'me'], /^coffer: An account ID is twelve digits, not 'me'\.$/m],
      [['--by', 'key,colour'], /^coffer: --by is a list of .*, without 'colour'\.$/m],
    ] as const) {
      const { code, stdout, stderr } = await home.run(['usage', ...args]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    }
  });

  it('counts the same without a server, and says which events it could not believe', async () => {
    const before = await report('--until', new Date().toISOString(), '--since', begun);
    const range = ['--since', before.since, '--until', before.until];
    await server.end('SIGTERM');
    assert.deepEqual(await report(...range), before);
    const lost = withDatabase(join(home.dataFolder, 'records.db'), (database) => {
      const row = database
        .prepare(
          `SELECT id, events FROM cloudtrail_block WHERE id =
            (SELECT block FROM cloudtrail_term WHERE kind = 'name' AND value = 'GenerateDataKey' LIMIT 1)`,
        )
        .get();
      const update = database.prepare('UPDATE cloudtrail_block SET events = ? WHERE id = ?');
      update.run(changed(row?.['events'] ?? null), row?.['id'] ?? null);
      return unpackEvents(row?.['events'] as Uint8Array).map(factsOf);
    });
    const lostUses = lost.filter(({ eventName }) => eventName === 'GenerateDataKey').length;
    const { code, stdout, stderr } = await home.run(['usage', '--json', '--by', 'operation', ...range]);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      lost.length === 1
        ? 'coffer: One event was changed outside of Coffer, and not counted. coffer verify names them.\n'
        : `coffer: ${lost.length} events were changed outside of Coffer, and not counted. coffer verify names them.\n`,
    );
    const after = JSON.parse(stdout) as Report;
    assert.equal(after.damagedEvents, lost.length);
    const of = ({ kms }: Report) =>
      find(kms, { operation: 'GenerateDataKey' }).reduce((total, row) => total + row.requests, 0);
    assert.equal(of(after), of(before) - lostUses);
  });
});
