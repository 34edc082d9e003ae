import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListRolesCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type Credentials,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { createAccount, createAccounts, type TestAccount } from '../harness/accounts.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const failsWith = (name: string, message?: RegExp | string) => (error: unknown) => {
  assert.ok(error instanceof Error, String(error));
  assert.equal(error.name, name, error.message);
  if (typeof message === 'string') assert.equal(error.message, message);
  else if (message !== undefined) assert.match(error.message, message);
  return true;
};

const document = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (...actions: string[]) => document({ Effect: 'Allow', Action: actions, Resource: '*' });
const STS_ACTIONS = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];
const trust = (principal: object, condition?: object) =>
  document({
    Effect: 'Allow',
    Principal: principal,
    Action: STS_ACTIONS,
    ...(condition && { Condition: condition }),
  });

type Keys = ClientConfig['credentials'];

const keysOf = (credentials: Credentials | undefined): Keys => ({
  accessKeyId: credentials?.AccessKeyId ?? '',
  secretAccessKey: credentials?.SecretAccessKey ?? '',
  sessionToken: credentials?.SessionToken ?? '',
});

describe('STS, by the SDK', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let aliceKeys: Keys;
  let alice: STSClient;
  let aliceArn: string;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    aliceArn = `arn:aws:iam::${platform.accountId}:user/alice`;
    aliceKeys = await createUser('alice', allow('sts:*'));
    alice = new STSClient(platform.clientConfig(aliceKeys));
  });
  after(async () => {
    iam.destroy();
    alice.destroy();
    await platform.stop();
  });

  async function createUser(UserName: string, policy?: string): Promise<Keys> {
    await iam.send(new CreateUserCommand({ UserName }));
    if (policy !== undefined) {
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument: policy }));
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }

  async function createRole(
    RoleName: string,
    trustPolicy: string,
    policy?: string,
    facts: object = {},
  ): Promise<string> {
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustPolicy, ...facts }),
    );
    if (policy !== undefined) {
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'inline', PolicyDocument: policy }));
    }
    return Role?.Arn ?? '';
  }

  async function assume(client: STSClient, RoleArn: string, facts: Partial<AssumeRoleCommandInput> = {}) {
    return client.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session', ...facts }));
  }

  const stsOf = (keys: Keys) => new STSClient(platform.clientConfig(keys));
  const iamOf = (keys: Keys) => new IAMClient(platform.clientConfig(keys));

  it('tells root, users and sessions who they are', async () => {
    const root = await new STSClient(platform.clientConfig()).send(new GetCallerIdentityCommand({}));
    assert.deepEqual(
      [root.Arn, root.Account, root.UserId],
      [`arn:aws:iam::${platform.accountId}:root`, platform.accountId, platform.accountId],
    );
    const user = await alice.send(new GetCallerIdentityCommand({}));
    assert.equal(user.Arn, aliceArn);
    assert.match(user.UserId ?? '', /^AIDA/);
    const role = await createRole('WhoAmI', trust({ AWS: aliceArn }));
    const { Credentials: credentials, AssumedRoleUser } = await assume(alice, role);
    const session = await stsOf(keysOf(credentials)).send(new GetCallerIdentityCommand({}));
    assert.equal(session.Arn, `arn:aws:sts::${platform.accountId}:assumed-role/WhoAmI/session`);
    assert.equal(session.Arn, AssumedRoleUser?.Arn);
    assert.match(session.UserId ?? '', /^AROA[A-Z2-7]{17}:session$/);
    assert.equal(session.UserId, AssumedRoleUser?.AssumedRoleId);
  });

  it('gives a session the rights of the role, as they stand now', async () => {
    const role = await createRole('Lister', trust({ AWS: aliceArn }), allow('iam:ListUsers'));
    const { Credentials: credentials } = await assume(alice, role);
    const session = iamOf(keysOf(credentials));
    await session.send(new ListUsersCommand({}));
    await assert.rejects(
      session.send(new ListRolesCommand({})),
      failsWith(
        'AccessDenied',
        /assumed-role\/Lister\/session is not authorized to perform: iam:ListRoles .* because no id/,
      ),
    );
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'Lister', PolicyName: 'inline' }));
    await assert.rejects(session.send(new ListUsersCommand({})), failsWith('AccessDenied'));
    await iam.send(new DeleteRoleCommand({ RoleName: 'Lister' }));
    await assert.rejects(session.send(new ListUsersCommand({})), failsWith('InvalidClientTokenId'));
  });

  it('lets root assume nothing', async () => {
    const role = await createRole('NotForRoot', trust({ AWS: platform.accountId }));
    await assert.rejects(
      assume(new STSClient(platform.clientConfig()), role),
      failsWith('AccessDenied', 'Roles may not be assumed by root accounts.'),
    );
  });

  it('asks for trust, and for the right too where the trust is in the account only', async () => {
    const poorKeys = await createUser('poor');
    const poor = stsOf(poorKeys);
    const direct = await createRole('Direct', trust({ AWS: `arn:aws:iam::${platform.accountId}:user/poor` }));
    await assume(poor, direct);
    const delegated = await createRole('Delegated', trust({ AWS: platform.accountId }));
    await assume(alice, delegated);
    await assert.rejects(
      assume(poor, delegated),
      failsWith(
        'AccessDenied',
        `User: arn:aws:iam::${platform.accountId}:user/poor is not authorized to perform: sts:AssumeRole on resource: ` +
          `${delegated} because no identity-based policy allows the sts:AssumeRole action`,
      ),
    );
    const service = await createRole('ForService', trust({ Service: 'mediaconvert.amazonaws.com' }));
    await assert.rejects(
      assume(alice, service),
      failsWith('AccessDenied', /no role trust policy allows the sts:AssumeRole/),
    );
    const absent = service.replace('ForService', 'Absent');
    await assert.rejects(
      assume(alice, absent),
      failsWith('AccessDenied', /no role trust policy allows the sts:AssumeRole/),
    );
  });

  it('crosses accounts when both sides allow it', async () => {
    const other = await createAccount(platform);
    const foreignIam = new IAMClient(platform.clientConfig(other));
    const { Role } = await foreignIam.send(
      new CreateRoleCommand({
        RoleName: 'Shared',
        AssumeRolePolicyDocument: trust({ AWS: platform.accountId }, { StringEquals: { 'sts:ExternalId': 'agreed' } }),
      }),
    );
    const arn = Role?.Arn ?? '';
    await assert.rejects(assume(alice, arn), failsWith('AccessDenied'));
    await assert.rejects(assume(alice, arn, { ExternalId: 'guessed' }), failsWith('AccessDenied'));
    const { AssumedRoleUser } = await assume(alice, arn, { ExternalId: 'agreed' });
    assert.equal(AssumedRoleUser?.Arn, `arn:aws:sts::${other.accountId}:assumed-role/Shared/session`);
    const poor = stsOf(await createUser('poor-abroad'));
    await assert.rejects(
      assume(poor, arn, { ExternalId: 'agreed' }),
      failsWith('AccessDenied', /no identity-based policy allows/),
    );
  });

  it('does not let a new user of an old name into the old one’s trust', async () => {
    await createUser('heir', allow('sts:*'));
    const role = await createRole('Inherited', trust({ AWS: `arn:aws:iam::${platform.accountId}:user/heir` }));
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName: 'heir' }));
    for (const { AccessKeyId } of AccessKeyMetadata) {
      await iam.send(new DeleteAccessKeyCommand({ UserName: 'heir', AccessKeyId }));
    }
    await iam.send(new DeleteUserPolicyCommand({ UserName: 'heir', PolicyName: 'inline' }));
    await iam.send(new DeleteUserCommand({ UserName: 'heir' }));
    const heir = stsOf(await createUser('heir', allow('sts:*')));
    await assert.rejects(assume(heir, role), failsWith('AccessDenied', /no role trust policy allows/));
  });

  it('limits a session by its session policies', async () => {
    const role = await createRole('Broad', trust({ AWS: aliceArn }), allow('iam:*'));
    const { Credentials: credentials, PackedPolicySize } = await assume(alice, role, {
      Policy: allow('iam:ListUsers'),
    });
    assert.ok((PackedPolicySize ?? 0) > 0);
    const session = iamOf(keysOf(credentials));
    await session.send(new ListUsersCommand({}));
    await assert.rejects(
      session.send(new ListRolesCommand({})),
      failsWith('AccessDenied', /because no session policy allows the iam:ListRoles action$/),
    );
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'roles-only', PolicyDocument: allow('iam:ListRoles') }),
    );
    const byArn = await assume(alice, role, { PolicyArns: [{ arn: Policy?.Arn }] });
    const limited = iamOf(keysOf(byArn.Credentials));
    await limited.send(new ListRolesCommand({}));
    await assert.rejects(limited.send(new ListUsersCommand({})), failsWith('AccessDenied', /no session policy allows/));
    await assert.rejects(
      assume(alice, role, { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/Nothing' }] }),
      failsWith('ValidationError'),
    );
    await assert.rejects(
      assume(alice, role, { Policy: '{"Version":"2012-10-17",}' }),
      failsWith('MalformedPolicyDocumentException', /Line 1, column 24: there is a comma before '}'/),
    );
    await assert.rejects(
      assume(alice, role, { Policy: allow(...Array.from({ length: 150 }, (_, index) => `s3:SomeAction${index}`)) }),
      failsWith('PackedPolicyTooLargeException'),
    );
    // Within the characters that a document may have, and without much to pack in it; with tags it is too much.
    const name = (bytes: number) => randomBytes(bytes).toString('base64url');
    const Policy2 = allow(...Array.from({ length: 20 }, () => `s3:Get${name(60)}`));
    const Tags = ['a', 'b', 'c', 'd', 'e'].map((Key) => ({ Key, Value: name(190) }));
    assert.ok(Policy2.length <= 2048, `${Policy2.length} characters`);
    const fits = await assume(alice, role, { Policy: Policy2 });
    assert.ok((fits.PackedPolicySize ?? 0) > 60 && (fits.PackedPolicySize ?? 0) <= 100);
    await assert.rejects(
      assume(alice, role, { Policy: Policy2, Tags }),
      failsWith(
        'PackedPolicyTooLargeException',
        /^Packed policy consumes 1\d\d% of allotted space, please use smaller policy\.$/,
      ),
    );
  });

  it('keeps durations within the role’s and the chain’s limits', async () => {
    const role = await createRole('Long', trust({ AWS: platform.accountId }), allow('sts:AssumeRole'), {
      MaxSessionDuration: 7200,
    });
    const before = Date.now();
    const { Credentials: credentials } = await assume(alice, role, { DurationSeconds: 7200 });
    const length = (credentials?.Expiration?.getTime() ?? 0) - before;
    assert.ok(length > 7_195_000 && length <= 7_201_000, `${length} ms`);
    await assert.rejects(
      assume(alice, role, { DurationSeconds: 7201 }),
      failsWith('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'),
    );
    await assert.rejects(
      assume(alice, role, { DurationSeconds: 899 }),
      failsWith('ValidationError', /greater than or equal/),
    );
    const chained = stsOf(keysOf(credentials));
    await assume(chained, role, { DurationSeconds: 3600 });
    await assert.rejects(
      assume(chained, role, { DurationSeconds: 3601 }),
      failsWith('ValidationError', /exceeds the 1 hour session limit for roles assumed by role chaining/),
    );
  });

  it('carries tags, passes the transitive ones on, and keeps the source identity', async () => {
    const policy = document(
      { Effect: 'Allow', Action: STS_ACTIONS, Resource: '*' },
      {
        Effect: 'Allow',
        Action: 'iam:ListUsers',
        Resource: '*',
        Condition: { StringEquals: { 'aws:PrincipalTag/team': 'films' } },
      },
      {
        Effect: 'Allow',
        Action: 'iam:ListRoles',
        Resource: '*',
        Condition: { StringEquals: { 'aws:PrincipalTag/local': 'yes', 'aws:SourceIdentity': 'alice' } },
      },
    );
    const role = await createRole('Tagged', trust({ AWS: platform.accountId }), policy);
    const first = await assume(alice, role, {
      Tags: [
        { Key: 'team', Value: 'films' },
        { Key: 'local', Value: 'yes' },
      ],
      TransitiveTagKeys: ['team'],
      SourceIdentity: 'alice',
    });
    assert.equal(first.SourceIdentity, 'alice');
    await iamOf(keysOf(first.Credentials)).send(new ListUsersCommand({}));
    await iamOf(keysOf(first.Credentials)).send(new ListRolesCommand({}));
    const chained = stsOf(keysOf(first.Credentials));
    const second = await assume(chained, role);
    assert.equal(second.SourceIdentity, 'alice');
    await iamOf(keysOf(second.Credentials)).send(new ListUsersCommand({}));
    await assert.rejects(iamOf(keysOf(second.Credentials)).send(new ListRolesCommand({})), failsWith('AccessDenied'));
    await assert.rejects(assume(chained, role, { SourceIdentity: 'bob' }), failsWith('AccessDenied'));
    await assert.rejects(
      assume(chained, role, { Tags: [{ Key: 'TEAM', Value: 'other' }] }),
      failsWith('InvalidParameterValue', /conflicts with a transitive tag key/),
    );
    await assert.rejects(
      assume(alice, role, { TransitiveTagKeys: ['team'] }),
      failsWith('InvalidParameterValue', 'The specified transitive tag key must be included in the requested tags.'),
    );
  });

  it('takes no session token that was changed, or goes with another key', async () => {
    const role = await createRole('Token', trust({ AWS: aliceArn }));
    const keys = keysOf((await assume(alice, role)).Credentials);
    const others = keysOf((await assume(alice, role)).Credentials);
    const token = keys.sessionToken ?? '';
    const changed = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
    const broken = [
      { ...keys, sessionToken: changed },
      { ...keys, sessionToken: token.slice(0, -8) },
      { ...keys, sessionToken: others.sessionToken ?? '' },
      { ...keys, sessionToken: 'x' },
    ];
    for (const credentials of broken) {
      await assert.rejects(
        stsOf(credentials).send(new GetCallerIdentityCommand({})),
        failsWith('InvalidClientTokenId'),
      );
    }
    const { accessKeyId, secretAccessKey } = keys;
    await assert.rejects(
      stsOf({ accessKeyId, secretAccessKey }).send(new GetCallerIdentityCommand({})),
      failsWith('InvalidClientTokenId'),
    );
    await assert.rejects(
      stsOf({ ...keys, secretAccessKey: others.secretAccessKey }).send(new GetCallerIdentityCommand({})),
      failsWith('SignatureDoesNotMatch'),
    );
  });

  it('lends users and root sessions of their own', async () => {
    const { Credentials: credentials } = await alice.send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
    const session = stsOf(keysOf(credentials));
    assert.equal((await session.send(new GetCallerIdentityCommand({}))).Arn, aliceArn);
    await assert.rejects(
      session.send(new GetSessionTokenCommand({})),
      failsWith('AccessDenied', 'Cannot call GetSessionToken with session credentials'),
    );
    const root = await new STSClient(platform.clientConfig()).send(new GetSessionTokenCommand({}));
    assert.ok((root.Credentials?.Expiration?.getTime() ?? 0) - Date.now() <= 3_600_000);
    const { Arn } = await stsOf(keysOf(root.Credentials)).send(new GetCallerIdentityCommand({}));
    assert.equal(Arn, `arn:aws:iam::${platform.accountId}:root`);
    // IAM takes nothing from such sessions without MFA, as in AWS.
    await assert.rejects(
      iamOf(keysOf(root.Credentials)).send(new GetUserCommand({})),
      failsWith('InvalidClientTokenId', 'The security token included in the request is invalid'),
    );
  });

  it('knows whose an access key is', async () => {
    const { Account } = await alice.send(new GetAccessKeyInfoCommand({ AccessKeyId: aliceKeys.accessKeyId }));
    assert.equal(Account, platform.accountId);
    await assert.rejects(
      alice.send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAUNKNOWNUNKNOWN00' })),
      failsWith('ValidationError'),
    );
  });

  it('creates 2,500 accounts in seconds, each with a root user of its own', async () => {
    const start = performance.now();
    const accounts: TestAccount[] = await createAccounts(platform, 2500);
    assert.equal(new Set(accounts.map((account) => account.accountId)).size, 2500);
    assert.ok(performance.now() - start < 10_000, `${Math.round(performance.now() - start)} ms`);
    const last = accounts.at(-1);
    assert.ok(last);
    const identity = await stsOf(last).send(new GetCallerIdentityCommand({}));
    assert.equal(identity.Account, last.accountId);
    assert.match(last.canonicalId, /^[0-9a-f]{64}$/);
  });
});
