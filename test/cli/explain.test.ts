import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  GetRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, GetKeyPolicyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateJobCommand, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Grant } from '#policy/suggest-grants.ts';
import type { ExplainedAccess, ExplainedRequest } from '../../bin/explain.ts';
import type { LeastPrivilege } from '../../bin/least-privilege.ts';
import { CofferHome, clientConfig, type RunningServer } from '../harness/coffer-home.ts';
import { allowing, documentOf } from '../harness/iam-calls.ts';
import type { ClientConfig } from '../harness/platform.ts';
import { jobOf, mp4Group } from '../harness/media-job.ts';
import { mediaConvertTrust } from '../harness/published-policies.ts';

interface Refusal extends Error {
  readonly $metadata: { readonly requestId?: string; readonly httpStatusCode?: number };
  readonly $response?: { readonly headers: Readonly<Record<string, string>> };
}

const ACCOUNT = '123456789012';

describe('coffer explain and coffer least-privilege', () => {
  let home: CofferHome;
  let server: RunningServer;
  let root: { iam: IAMClient; s3: S3Client; kms: KMSClient };
  let key: string;
  const clients: { destroy(): void }[] = [];

  before(async () => {
    home = await CofferHome.make();
    server = await home.start();
    const config = await home.rootClientConfig();
    root = { iam: new IAMClient(config), s3: new S3Client(config), kms: new KMSClient(config) };
    clients.push(...Object.values(root));
    await root.s3.send(new CreateBucketCommand({ Bucket: 'films' }));
    key = (await root.kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key } as const;
    await root.s3.send(new PutObjectCommand({ Bucket: 'films', Key: 'a', Body: 'content', ...encryption }));
    await root.s3.send(new PutObjectCommand({ Bucket: 'films', Key: 'other', Body: 'content', ...encryption }));
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await server.end('SIGTERM');
    await home[Symbol.asyncDispose]();
  });

  async function userWith(UserName: string, policy?: string): Promise<ClientConfig> {
    await root.iam.send(new CreateUserCommand({ UserName }));
    if (policy !== undefined) {
      await root.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument: policy }));
    }
    const { AccessKey } = await root.iam.send(new CreateAccessKeyCommand({ UserName }));
    return clientConfig(server.endpoint, AccessKey?.AccessKeyId ?? '', AccessKey?.SecretAccessKey ?? '');
  }

  async function refusalOf(call: () => Promise<unknown>): Promise<Refusal> {
    try {
      await call();
    } catch (error) {
      assert.equal((error as Refusal).$metadata.httpStatusCode, 403, String(error));
      return error as Refusal;
    }
    assert.fail('it was not refused');
  }

  async function explain(subject: string): Promise<ExplainedRequest[]> {
    const { stdout, stderr } = await home.run(['explain', subject, '--json']);
    assert.equal(stderr, '');
    return JSON.parse(stdout) as ExplainedRequest[];
  }

  function added(text: string | undefined, statement: unknown): string {
    const { Statement = [] } = JSON.parse(text ?? '{}') as { readonly Statement?: readonly unknown[] };
    return JSON.stringify({ Version: '2012-10-17', Statement: [Statement, statement].flat() });
  }

  /** Puts a statement where the explanation says that it belongs. */
  async function apply({ place, owner = '', statement }: Grant, number: number): Promise<void> {
    const name = owner.split('/').at(-1) ?? '';
    const PolicyName = `grant-${number}`;
    const PolicyDocument = documentOf(statement);
    if (place === 'identity' && owner.includes(':user/')) {
      await root.iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName, PolicyDocument }));
    } else if (place === 'identity') {
      await root.iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName, PolicyDocument }));
    } else if (place === 'trust') {
      const { Role } = await root.iam.send(new GetRoleCommand({ RoleName: name }));
      const document = added(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), statement);
      await root.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: document }));
    } else if (place === 'boundary') {
      const document = added(allowing('ec2:*'), statement);
      await root.iam.send(
        new CreatePolicyVersionCommand({ PolicyArn: owner, PolicyDocument: document, SetAsDefault: true }),
      );
    } else if (owner.startsWith('arn:aws:s3:::')) {
      const Bucket = owner.replace('arn:aws:s3:::', '');
      const { Policy } = await root.s3
        .send(new GetBucketPolicyCommand({ Bucket }))
        .catch(() => ({ Policy: undefined }));
      await root.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: added(Policy, statement) }));
    } else {
      const { Policy } = await root.kms.send(new GetKeyPolicyCommand({ KeyId: owner }));
      await root.kms.send(new PutKeyPolicyCommand({ KeyId: owner, Policy: added(Policy, statement) }));
    }
  }

  /** Explains and applies until the call passes. @returns what had to be applied */
  async function grantUntilAllowed(call: () => Promise<unknown>): Promise<Grant[]> {
    const applied: Grant[] = [];
    for (let round = 0; round < 5; round++) {
      const outcome = await call().then(
        () => undefined,
        (error: unknown) => error as Refusal,
      );
      if (outcome === undefined) return applied;
      const accesses = (await explain(outcome.$metadata.requestId ?? '')).flatMap((request) => request.accesses);
      const grants = accesses.flatMap((access) => access.grants);
      assert.ok(grants.length > 0, JSON.stringify(accesses));
      for (const grant of grants) {
        await apply(grant, applied.length);
        applied.push(grant);
      }
    }
    assert.fail('it is still refused');
  }

  const readA = (config: ClientConfig) => async () => {
    const s3 = new S3Client(config);
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'films', Key: 'a' }));
      assert.equal(await Body?.transformToString(), 'content');
    } finally {
      s3.destroy();
    }
  };

  it('prints what every policy had to say, and the statement that was missing', async () => {
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Read',
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: 'arn:aws:s3:::films/*',
          Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } },
        },
        { Sid: 'Write', Effect: 'Allow', Action: 's3:PutObject', Resource: '*' },
      ],
    };
    const config = await userWith('ann', JSON.stringify(policy));
    const refusal = await refusalOf(readA(config));
    const { stdout, code } = await home.run(['explain', refusal.$metadata.requestId ?? '']);
    assert.equal(code, 0);
    assert.match(stdout, /s3\.amazonaws\.com {2}GetObject {2}AccessDenied/);
    assert.match(
      stdout,
      /user\/ann may not s3:GetObject on arn:aws:s3:::films\/a\n {2}because no identity-based policy allows/,
    );
    assert.match(stdout, /\[0\] Read Allow: a condition is not met/);
    assert.match(stdout, /NOT met: StringEquals aws:RequestedRegion eu-west-1 \(the request has us-east-1\)/);
    assert.match(stdout, /\[1\] Write Allow: about other actions/);
    assert.match(stdout, /aws iam put-user-policy --user-name ann --policy-name allow-s3-GetObject --policy-document/);
    const [request] = await explain(refusal.$metadata.requestId ?? '');
    assert.deepEqual(
      request?.accesses[0]?.grants.map(({ place, statement }) => [place, statement]),
      [['identity', { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::films/a' }]],
    );
  });

  it('leads to a request that passes: object and key by identity policies, the key through S3 alone', async () => {
    const applied = await grantUntilAllowed(readA(await userWith('bob')));
    assert.deepEqual(
      applied.map(({ place, statement }) => [place, statement['Action'], statement['Condition']]),
      [
        ['identity', 's3:GetObject', undefined],
        ['identity', 'kms:Decrypt', { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } }],
      ],
    );
  });

  it('leads to a request that passes where a boundary and a key’s policy stand in the way', async () => {
    const config = await userWith('cem', allowing('s3:*', 'kms:*'));
    const boundary = await root.iam.send(
      new CreatePolicyCommand({ PolicyName: 'bound', PolicyDocument: allowing('ec2:*') }),
    );
    await root.iam.send(
      new PutUserPermissionsBoundaryCommand({ UserName: 'cem', PermissionsBoundary: boundary.Policy?.Arn }),
    );
    const [first, ...more] = await grantUntilAllowed(async () => {
      const s3 = new S3Client(config);
      await s3.send(new HeadObjectCommand({ Bucket: 'films', Key: 'missing' })).catch((error: Refusal) => {
        if (error.$metadata.httpStatusCode === 403) return s3.send(new ListObjectsV2Command({ Bucket: 'films' }));
        throw error;
      });
      s3.destroy();
    });
    assert.deepEqual([first?.place, first?.statement['Action'], more], ['boundary', 's3:ListBucket', []]);
    await root.iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'cem' }));
    // A key whose policy names root alone does not leave the decision to IAM.
    const own = (await root.kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    const onlyAnn = documentOf({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/ann` },
      Action: 'kms:*',
      Resource: '*',
    });
    await root.kms.send(new PutKeyPolicyCommand({ KeyId: own, Policy: onlyAnn, BypassPolicyLockoutSafetyCheck: true }));
    const s3 = new S3Client(config);
    clients.push(s3);
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: own } as const;
    const refusal = await refusalOf(() =>
      s3.send(new PutObjectCommand({ Bucket: 'films', Key: 'b', Body: 'x', ...encryption })),
    );
    const accesses = (await explain(refusal.$metadata.requestId ?? '')).flatMap(
      (request): readonly ExplainedAccess[] => request.accesses,
    );
    assert.deepEqual(
      accesses.flatMap(({ grants }) => grants.map(({ place, owner, statement }) => [place, owner, statement])),
      [
        [
          'resource',
          own,
          {
            Effect: 'Allow',
            Action: 'kms:GenerateDataKey',
            Resource: '*',
            Condition: { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } },
            Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/cem` },
          },
        ],
      ],
    );
  });

  it('leads to a role that can be assumed', async () => {
    const config = await userWith('dana');
    await root.iam.send(new CreateRoleCommand({ RoleName: 'closed', AssumeRolePolicyDocument: mediaConvertTrust }));
    const sts = new STSClient(config);
    clients.push(sts);
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/closed`;
    const applied = await grantUntilAllowed(() =>
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'dana' })),
    );
    assert.deepEqual(
      applied.map(({ place }) => place),
      ['trust'],
    );
    assert.deepEqual(applied[0]?.statement['Principal'], { AWS: `arn:aws:iam::${ACCOUNT}:user/dana` });
  });

  it('leads to a media job that may be created, with a role passed to MediaConvert alone', async () => {
    const RoleName = 'MediaConvert_Default_Role';
    const { Role } = await root.iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: mediaConvertTrust }),
    );
    const mediaconvert = new MediaConvertClient(await userWith('hal'));
    clients.push(mediaconvert);
    const group = mp4Group({ destination: 's3://films/out/' });
    const request = jobOf(Role?.Arn ?? '', 's3://films/absent.mp4', [group]);
    const applied = await grantUntilAllowed(() => mediaconvert.send(new CreateJobCommand(request)));
    assert.deepEqual(
      applied.map(({ statement }) => [statement['Action'], statement['Condition']]),
      [
        ['mediaconvert:CreateJob', undefined],
        ['iam:PassRole', { StringEquals: { 'iam:PassedToService': 'mediaconvert.amazonaws.com' } }],
      ],
    );
  });

  it('tells the operator what another account’s caller is not told', async () => {
    const { stdout } = await home.run(['account', 'create']);
    const other = JSON.parse(stdout) as {
      readonly accountId: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
    };
    const config = clientConfig(server.endpoint, other.accessKeyId, other.secretAccessKey);
    const refusal = await refusalOf(readA(config));
    assert.equal(refusal.message, 'Access Denied');
    const applied = await grantUntilAllowed(readA(config));
    assert.deepEqual(
      applied.map(({ owner, statement }) => [owner, statement['Action'], statement['Principal']]),
      [
        ['arn:aws:s3:::films', 's3:GetObject', { AWS: `arn:aws:iam::${other.accountId}:root` }],
        [key, 'kms:Decrypt', { AWS: `arn:aws:iam::${other.accountId}:root` }],
      ],
    );
  });

  it('names the statement that denies, and promises nothing', async () => {
    const deny = { Sid: 'No', Effect: 'Deny', Action: 's3:Get*', Resource: '*' };
    const config = await userWith('eve', documentOf([{ Effect: 'Allow', Action: 's3:*', Resource: '*' }, deny]));
    const refusal = await refusalOf(readA(config));
    const id = refusal.$metadata.requestId ?? '';
    const [request] = await explain(id);
    assert.deepEqual(request?.accesses[0]?.grants, []);
    assert.deepEqual(request?.accesses[0]?.denials, [{ policy: 'own', type: 'identity-based', index: 1, sid: 'No' }]);
    assert.match(
      (await home.run(['explain', id])).stdout,
      /> \[1\] No Deny: applies, and decides[^]*statement No of own/,
    );
  });

  it('explains an encoded authorization message', async () => {
    const refusal = await refusalOf(readA(await userWith('fay')));
    const message = refusal.$response?.headers['x-coffer-authorization-message'] ?? '';
    const [request] = await explain(message);
    assert.equal(request?.source, 'message');
    assert.deepEqual(
      request?.accesses[0]?.grants.map(({ where, statement }) => [where, statement]),
      [
        [
          `a policy of the user arn:aws:iam::${ACCOUNT}:user/fay`,
          { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::films/a' },
        ],
      ],
    );
    const { stdout } = await home.run(['explain', message]);
    assert.match(stdout, /aws:requestedregion = us-east-1/);
    for (const subject of ['00000000-0000-4000-8000-000000000000', 'x'.repeat(600)]) {
      const { code, stderr } = await home.run(['explain', subject]);
      assert.notEqual(code, 0);
      assert.match(stderr, /no failed request|neither a request’s id/);
    }
  });

  it('writes the policy of what a role used, by which a fresh role can do that and nothing else', async () => {
    const trust = documentOf({ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' });
    const worker = new STSClient(await userWith('gil', allowing('sts:AssumeRole')));
    clients.push(worker);
    const sessionOf = async (RoleName: string): Promise<S3Client> => {
      const RoleArn = `arn:aws:iam::${ACCOUNT}:role/${RoleName}`;
      const { Credentials: c } = await worker.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'work' }));
      const s3 = new S3Client(
        clientConfig(server.endpoint, c?.AccessKeyId ?? '', c?.SecretAccessKey ?? '', c?.SessionToken),
      );
      clients.push(s3);
      return s3;
    };
    await root.iam.send(new CreateRoleCommand({ RoleName: 'broad', AssumeRolePolicyDocument: trust }));
    const newKey = async () => (await root.kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    const [shared, locked] = [await newKey(), await newKey()];
    for (const [Key, SSEKMSKeyId] of [
      ['shared', shared],
      ['locked', locked],
    ] as const) {
      const settings = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId, BucketKeyEnabled: true } as const;
      await root.s3.send(new PutObjectCommand({ Bucket: 'films', Key, Body: 'x', ...settings }));
      const { Body } = await root.s3.send(new GetObjectCommand({ Bucket: 'films', Key }));
      await Body?.transformToByteArray();
    }
    const broad = documentOf([
      { Effect: 'Allow', Action: ['s3:Get*', 's3:Put*', 's3:List*', 'kms:*'], Resource: '*' },
      { Effect: 'Deny', Action: 'kms:*', Resource: locked },
    ]);
    await root.iam.send(new PutRolePolicyCommand({ RoleName: 'broad', PolicyName: 'all', PolicyDocument: broad }));
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key } as const;
    const work = async (s3: S3Client) => {
      await s3.send(new PutObjectCommand({ Bucket: 'films', Key: 'made/x*y', Body: 'x', ...encryption }));
      await s3.send(
        new PutObjectCommand({ Bucket: 'films', Key: 'made/z', Body: 'x', ...encryption, BucketKeyEnabled: true }),
      );
      for (const Key of ['a', 'made/z', 'made/z', 'shared']) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'films', Key }));
        await Body?.transformToByteArray();
      }
      await s3.send(new ListObjectsV2Command({ Bucket: 'films', Prefix: 'made/' }));
    };
    const first = await sessionOf('broad');
    await work(first);
    await refusalOf(() => first.send(new DeleteObjectCommand({ Bucket: 'films', Key: 'a' })));
    await refusalOf(() => first.send(new GetObjectCommand({ Bucket: 'films', Key: 'locked' })));

    const { stdout, stderr } = await home.run([
      'least-privilege',
      '--role',
      `arn:aws:iam::${ACCOUNT}:role/broad`,
      '--since',
      '1h',
      '--json',
    ]);
    assert.equal(stderr, '');
    const answer = JSON.parse(stdout) as LeastPrivilege;
    assert.deepEqual(answer.findings, []);
    // The key was refused, and with it the object, which by itself was allowed.
    assert.equal(answer.refused, 3);
    assert.match(answer.notes.join('\n'), /3 requests were refused/);
    assert.ok(!JSON.stringify(answer.policy).includes('locked'));
    // Of a stretch in which the key was only asked whether it may be used, the log has no use of it.
    const since = new Date(Date.now() + 1).toISOString();
    await new Promise((wait) => setTimeout(wait, 5));
    const { Body } = await first.send(new GetObjectCommand({ Bucket: 'films', Key: 'shared' }));
    await Body?.transformToByteArray();
    const later = ['least-privilege', '--role', `arn:aws:iam::${ACCOUNT}:role/broad`, '--since', since, '--json'];
    const short = JSON.parse((await home.run(later)).stdout) as LeastPrivilege;
    const viaS3 = { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } };
    assert.deepEqual(short.policy.Statement, [
      { Effect: 'Allow', Action: 'kms:Decrypt', Resource: shared, Condition: viaS3 },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::films/shared' },
    ]);
    assert.ok(
      short.notes.some((note) => note.includes('at hand') && note.includes(shared)),
      short.notes.join('\n'),
    );
    const plain = await home.run(['least-privilege', '--role', `arn:aws:iam::${ACCOUNT}:role/broad`]);
    assert.deepEqual(JSON.parse(plain.stdout), answer.policy);
    assert.match(plain.stderr, /the log cannot know/);

    await root.iam.send(new CreateRoleCommand({ RoleName: 'fresh', AssumeRolePolicyDocument: trust }));
    const PolicyDocument = JSON.stringify(answer.policy);
    await root.iam.send(new PutRolePolicyCommand({ RoleName: 'fresh', PolicyName: 'least', PolicyDocument }));
    const second = await sessionOf('fresh');
    await work(second);
    await refusalOf(() => second.send(new GetObjectCommand({ Bucket: 'films', Key: 'other' })));
    await refusalOf(() => second.send(new PutObjectCommand({ Bucket: 'films', Key: 'a', Body: 'x' })));
    // The star of an object's name is no wildcard.
    await refusalOf(() => second.send(new PutObjectCommand({ Bucket: 'films', Key: 'made/xxy', Body: 'x' })));
    await refusalOf(() => second.send(new DeleteObjectCommand({ Bucket: 'films', Key: 'made/z' })));
    const statements = answer.policy.Statement.filter(({ Action }) => JSON.stringify(Action).includes('kms:'));
    assert.ok(statements.length > 0, 'the key is used through S3 alone');
    for (const { Condition } of statements) assert.deepEqual(Condition, viaS3);
  });

  it('says what it cannot be asked for', async () => {
    for (const [args, message] of [
      [['--role', 'broad'], /not the ARN of a role/],
      [[], /--role <arn> or --user <arn>/],
      [['--role', `arn:aws:iam::${ACCOUNT}:role/broad`, '--since', 'soon'], /--since/],
    ] as const) {
      const { code, stderr } = await home.run(['least-privilege', ...args]);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    }
    const { stdout, stderr } = await home.run(['least-privilege', '--role', `arn:aws:iam::${ACCOUNT}:role/nobody`]);
    assert.deepEqual(JSON.parse(stdout), { Version: '2012-10-17', Statement: [] });
    assert.match(stderr, /no allowed access/);
  });
});
