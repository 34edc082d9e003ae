import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  CreateKeyCommand,
  CreateAliasCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  KMSClient,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { createAccount } from '../harness/accounts.ts';
import { allowing, makeRole, makeUser } from '../harness/iam-people.ts';
import { failsWith } from '../harness/kms-errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

type GrantInput = Partial<CreateGrantCommandInput>;

describe('grants, by the SDK', () => {
  let platform: TestPlatform;
  let kms: KMSClient;
  let iam: IAMClient;
  /** A user who may do nothing. */
  let ann: string;
  let annsKms: KMSClient;
  /** A user who may retire what the account lets be retired. */
  let bobsKms: KMSClient;
  let bob: string;
  let role: string;

  before(async () => {
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    kms = new KMSClient(config);
    iam = new IAMClient(config);
    annsKms = new KMSClient(platform.clientConfig(await makeUser(iam, 'ann')));
    bobsKms = new KMSClient(platform.clientConfig(await makeUser(iam, 'bob', allowing('kms:RetireGrant'))));
    ann = `arn:aws:iam::${platform.accountId}:user/ann`;
    bob = `arn:aws:iam::${platform.accountId}:user/bob`;
    role = await makeRole(iam, 'reader', { Effect: 'Allow', Principal: { AWS: ann }, Action: 'sts:AssumeRole' });
  });
  after(async () => {
    for (const client of [kms, iam, annsKms, bobsKms]) client.destroy();
    await platform.stop();
  });

  async function createKey(input: CreateKeyCommandInput = {}): Promise<string> {
    return (await kms.send(new CreateKeyCommand(input))).KeyMetadata?.Arn ?? '';
  }

  async function grant(KeyId: string, input: GrantInput = {}): Promise<{ id: string; token: string }> {
    const { GrantId = '', GrantToken = '' } = await kms.send(
      new CreateGrantCommand({ KeyId, GranteePrincipal: ann, Operations: ['Decrypt'], ...input }),
    );
    return { id: GrantId, token: GrantToken };
  }

  const listed = async (KeyId: string) => (await kms.send(new ListGrantsCommand({ KeyId }))).Grants ?? [];

  it('are listed as they were made', async () => {
    const KeyId = await createKey();
    const { id, token } = await grant(KeyId, {
      Name: 'for-ann',
      RetiringPrincipal: role,
      Operations: ['Decrypt', 'Encrypt', 'DescribeKey'],
      Constraints: { EncryptionContextSubset: { Department: 'IT' } },
    });
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.ok(Buffer.from(token, 'base64').length > 0);
    const [only, ...others] = await listed(KeyId);
    assert.deepEqual(others, []);
    const { CreationDate, ...rest } = only ?? {};
    assert.ok(CreationDate instanceof Date);
    assert.deepEqual(rest, {
      KeyId,
      GrantId: id,
      Name: 'for-ann',
      GranteePrincipal: ann,
      RetiringPrincipal: role,
      IssuingAccount: `arn:aws:iam::${platform.accountId}:root`,
      Operations: ['Decrypt', 'Encrypt', 'DescribeKey'],
      Constraints: { EncryptionContextSubset: { Department: 'IT' } },
    });
  });

  it('are made once by requests that are the same and have a name, each with a token of its own', async () => {
    const KeyId = await createKey();
    const named = { Name: 'retried', Operations: ['Decrypt', 'Encrypt'], RetiringPrincipal: role } as const;
    const [first, second] = await Promise.all([
      grant(KeyId, { ...named, Operations: ['Encrypt', 'Decrypt'] }),
      grant(KeyId, { ...named, Operations: [...named.Operations] }),
    ]);
    assert.equal(first.id, second.id);
    assert.notEqual(first.token, second.token);
    const other = await grant(KeyId, { Name: 'retried' });
    assert.notEqual(other.id, first.id);
    await grant(KeyId);
    await grant(KeyId);
    assert.equal((await listed(KeyId)).length, 4);
    await kms.send(new RetireGrantCommand({ GrantToken: second.token }));
    await assert.rejects(
      kms.send(new RetireGrantCommand({ GrantToken: first.token })),
      failsWith('InvalidGrantTokenException'),
    );
  });

  it('name those who are gone by their unique ids, and not those who have their names now', async () => {
    const KeyId = await createKey();
    const trust = { Effect: 'Allow', Principal: { AWS: ann }, Action: 'sts:AssumeRole' };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
    const makeThem = async () => {
      const { User } = await iam.send(new CreateUserCommand({ UserName: 'cara' }));
      const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'mover', AssumeRolePolicyDocument }));
      return { user: User?.Arn ?? '', userId: User?.UserId ?? '', roleId: Role?.RoleId ?? '' };
    };
    const before_ = await makeThem();
    const session = `arn:aws:sts::${platform.accountId}:assumed-role/mover/tour`;
    const old = await grant(KeyId, { GranteePrincipal: session, RetiringPrincipal: before_.user });
    await iam.send(new DeleteUserCommand({ UserName: 'cara' }));
    await iam.send(new DeleteRoleCommand({ RoleName: 'mover' }));
    const ofSession = new ListGrantsCommand({ KeyId, GranteePrincipal: session });
    const retirable = new ListRetirableGrantsCommand({ RetiringPrincipal: before_.user });
    const principalsOf = async (command: ListGrantsCommand | ListRetirableGrantsCommand) => {
      const { Grants = [] } = await kms.send(command as ListGrantsCommand);
      return Grants.map(({ GrantId, GranteePrincipal, RetiringPrincipal }) => ({
        GrantId,
        GranteePrincipal,
        RetiringPrincipal,
      }));
    };
    assert.deepEqual(await principalsOf(ofSession), []);
    assert.deepEqual(await principalsOf(retirable), []);
    await makeThem();
    const young = await grant(KeyId, { GranteePrincipal: session, RetiringPrincipal: before_.user });
    const gone = { GranteePrincipal: `${before_.roleId}:tour`, RetiringPrincipal: before_.userId };
    const present = { GranteePrincipal: session, RetiringPrincipal: before_.user };
    const both = [
      { GrantId: old.id, ...gone },
      { GrantId: young.id, ...present },
    ];
    const byId = both.toSorted((a, b) => (a.GrantId < b.GrantId ? -1 : 1));
    assert.deepEqual(await principalsOf(new ListGrantsCommand({ KeyId })), byId);
    assert.deepEqual(await principalsOf(ofSession), [both[1]]);
    assert.deepEqual(await principalsOf(retirable), [both[1]]);
    const ofGone = new ListGrantsCommand({ KeyId, GranteePrincipal: before_.roleId });
    assert.deepEqual(await principalsOf(ofGone), [both[0]]);
  });

  it('come in pages, and by grantee and id', async () => {
    const KeyId = await createKey();
    const made = new Set<string>();
    for (let i = 0; i < 5; i++) made.add((await grant(KeyId, i === 0 ? { GranteePrincipal: role } : {})).id);
    const found: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await kms.send(new ListGrantsCommand({ KeyId, Limit: 2, Marker }));
      assert.ok((page.Grants?.length ?? 0) <= 2);
      assert.equal(page.Truncated, page.NextMarker !== undefined);
      found.push(...(page.Grants ?? []).map((item) => item.GrantId ?? ''));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    assert.deepEqual(found, [...made].toSorted());
    const ofRole = await kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal: role }));
    assert.equal(ofRole.Grants?.length, 1);
    const [GrantId] = found;
    const byId = await kms.send(new ListGrantsCommand({ KeyId, GrantId }));
    assert.deepEqual(
      byId.Grants?.map((item) => item.GrantId),
      [GrantId],
    );
    await assert.rejects(
      kms.send(new ListGrantsCommand({ KeyId, GrantId: 'no-such-form' })),
      failsWith('InvalidGrantIdException'),
    );
    await assert.rejects(kms.send(new ListGrantsCommand({ KeyId, Marker: 'x' })), failsWith('InvalidMarkerException'));
  });

  it('that a principal can retire are listed for it, of all keys', async () => {
    const keys = [await createKey(), await createKey()];
    const retiring = await makeRole(iam, 'retiring', {
      Effect: 'Allow',
      Principal: { AWS: ann },
      Action: 'sts:AssumeRole',
    });
    for (const KeyId of keys) await grant(KeyId, { RetiringPrincipal: retiring });
    const { Grants = [] } = await kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: retiring }));
    assert.deepEqual(new Set(Grants.map((item) => item.KeyId)), new Set(keys));
    await assert.rejects(
      kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: 'arn:aws:iam::210987654321:role/other' })),
      failsWith('AccessDeniedException'),
    );
    await assert.rejects(
      annsKms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: retiring })),
      failsWith('AccessDeniedException', /kms:ListRetirableGrants/),
    );
  });

  it('are retired by those whom they name, and by the account', async () => {
    const KeyId = await createKey();
    const nobodys = await grant(KeyId);
    // The grantee of a grant that does not say so may not, and an identity policy alone does not help.
    for (const input of [{ GrantToken: nobodys.token }, { KeyId, GrantId: nobodys.id }]) {
      await assert.rejects(annsKms.send(new RetireGrantCommand(input)), failsWith('AccessDeniedException'));
    }
    await bobsKms.send(new RetireGrantCommand({ KeyId, GrantId: nobodys.id }));

    const byGrantee = await grant(KeyId, { Operations: ['Decrypt', 'RetireGrant'] });
    await annsKms.send(new RetireGrantCommand({ GrantToken: byGrantee.token }));
    const byRetirer = await grant(KeyId, { GranteePrincipal: role, RetiringPrincipal: ann });
    await annsKms.send(new RetireGrantCommand({ KeyId, GrantId: byRetirer.id }));
    const byRoot = await grant(KeyId);
    await kms.send(new RetireGrantCommand({ GrantToken: byRoot.token }));
    assert.deepEqual(await listed(KeyId), []);
    await assert.rejects(
      kms.send(new RetireGrantCommand({ KeyId, GrantId: byRoot.id })),
      failsWith('NotFoundException', `Grant ID ${byRoot.id} not found`),
    );
    for (const input of [{}, { KeyId }, { GrantId: byRoot.id }, { KeyId, GrantId: byRoot.id, GrantToken: 'x' }]) {
      await assert.rejects(kms.send(new RetireGrantCommand(input)), failsWith('ValidationException'));
    }
  });

  it('are not retired by a key policy, whatever that allows', async () => {
    const policy = {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: platform.accountId }, Action: 'kms:*', Resource: '*' },
        { Effect: 'Allow', Principal: { AWS: ann }, Action: ['kms:RetireGrant', 'kms:RevokeGrant'], Resource: '*' },
      ],
    };
    const KeyId = await createKey({ Policy: JSON.stringify(policy) });
    const { id, token } = await grant(KeyId);
    await assert.rejects(
      annsKms.send(new RetireGrantCommand({ GrantToken: token })),
      failsWith('AccessDeniedException'),
    );
    await annsKms.send(new RevokeGrantCommand({ KeyId, GrantId: id }));
  });

  it('are revoked by their id, on their own key', async () => {
    const [KeyId, other] = [await createKey(), await createKey()];
    const { id } = await grant(KeyId);
    await assert.rejects(
      kms.send(new RevokeGrantCommand({ KeyId: other, GrantId: id })),
      failsWith('NotFoundException'),
    );
    await assert.rejects(
      kms.send(new RevokeGrantCommand({ KeyId, GrantId: 'f'.repeat(63) })),
      failsWith('InvalidGrantIdException'),
    );
    await kms.send(new RevokeGrantCommand({ KeyId, GrantId: id }));
    await assert.rejects(kms.send(new RevokeGrantCommand({ KeyId, GrantId: id })), failsWith('NotFoundException'));
  });

  it('are refused with what a grant cannot have', async () => {
    const KeyId = await createKey();
    const hmac = await createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const rsa = await createKey({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    const pairs = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`k${index}`, 'v']));
    const wrong: readonly [string, GrantInput, string?][] = [
      ['ValidationException', { Operations: [] }],
      ['ValidationException', { Operations: ['ScheduleKeyDeletion' as 'Decrypt'] }],
      ['ValidationException', { Operations: ['Sign'] }],
      ['ValidationException', { Operations: ['Decrypt'] }, hmac],
      ['ValidationException', { Operations: ['GenerateDataKey'] }, rsa],
      [
        'ValidationException',
        { Operations: ['GenerateMac'], Constraints: { EncryptionContextEquals: { a: 'b' } } },
        hmac,
      ],
      [
        'ValidationException',
        { Constraints: { EncryptionContextEquals: { a: 'b' }, EncryptionContextSubset: { a: 'b' } } },
      ],
      ['ValidationException', { Constraints: { EncryptionContextSubset: pairs } }],
      ['ValidationException', { Constraints: { EncryptionContextSubset: { a: 'v'.repeat(385) } } }],
      ['InvalidArnException', { Constraints: { SourceArn: 'arn:aws:s3:::*' } }],
      ['InvalidArnException', { GranteePrincipal: `${ann}x` }],
      ['InvalidArnException', { GranteePrincipal: 's3.amazonaws.com' }],
      ['InvalidArnException', { GranteePrincipal: `arn:aws:iam::${platform.accountId}:group/all` }],
      ['InvalidArnException', { GranteePrincipal: 'arn:aws:iam::210987654321:root' }],
      ['InvalidArnException', { RetiringPrincipal: `arn:aws:iam::${platform.accountId}:role/none` }],
      ['ValidationException', { GranteePrincipal: undefined }],
      ['ValidationException', { GranteeServicePrincipal: 's3.amazonaws.com' }],
      ['ValidationException', { GranteePrincipal: undefined, GranteeServicePrincipal: 's3.amazonaws.com' }],
      ['ValidationException', { RetiringPrincipal: ann, RetiringServicePrincipal: 's3.amazonaws.com' }],
      ['ValidationException', { Name: 'with space' }],
      ['InvalidGrantTokenException', { GrantTokens: ['x'] }],
    ];
    for (const [name, input, on = KeyId] of wrong) {
      await assert.rejects(grant(on, input), failsWith(name), JSON.stringify(input));
    }
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/granted', TargetKeyId: KeyId }));
    await assert.rejects(grant('alias/granted'), failsWith('ValidationException', /alias/));
    await assert.rejects(
      grant(KeyId.replace(/key\/.*/, 'key/00000000-0000-4000-8000-000000000000')),
      failsWith('NotFoundException'),
    );
    assert.deepEqual(await listed(KeyId), []);
    // On their own limits, and for what each kind of key does, they are made.
    await grant(KeyId, {
      Constraints: { EncryptionContextSubset: { ...pairs, k8: undefined as unknown as string, k7: 'v'.repeat(384) } },
    });
    await grant(hmac, { Operations: ['GenerateMac', 'VerifyMac', 'DescribeKey'] });
    await grant(rsa, { Operations: ['Sign', 'Verify', 'GetPublicKey', 'CreateGrant'] });
  });

  it('for services name the resource that they act for, and who retires them', async () => {
    const KeyId = await createKey();
    const Constraints = { SourceArn: `arn:aws:mediaconvert:us-east-1:${platform.accountId}:queues/Default` };
    await grant(KeyId, {
      GranteePrincipal: undefined,
      GranteeServicePrincipal: 'mediaconvert.amazonaws.com',
      RetiringServicePrincipal: 'mediaconvert.amazonaws.com',
      Constraints,
    });
    const [only] = await listed(KeyId);
    assert.equal(only?.GranteePrincipal, undefined);
    assert.equal(only?.GranteeServicePrincipal, 'mediaconvert.amazonaws.com');
    assert.equal(only?.RetiringServicePrincipal, 'mediaconvert.amazonaws.com');
    assert.deepEqual(only?.Constraints, Constraints);
    await assert.rejects(
      kms.send(new ListGrantsCommand({ KeyId, GranteeServicePrincipal: 'mediaconvert.amazonaws.com' })),
      failsWith('ValidationException'),
    );
  });

  it('change nothing in a dry run', async () => {
    const KeyId = await createKey();
    await assert.rejects(grant(KeyId, { DryRun: true }), failsWith('DryRunOperationException'));
    const { id, token } = await grant(KeyId);
    for (const command of [
      new RevokeGrantCommand({ KeyId, GrantId: id, DryRun: true }),
      new RetireGrantCommand({ GrantToken: token, DryRun: true }),
    ]) {
      await assert.rejects(kms.send(command as RevokeGrantCommand), failsWith('DryRunOperationException'));
    }
    assert.equal((await listed(KeyId)).length, 1);
  });

  it('are not made on keys that are disabled or will be deleted, but end there', async () => {
    const KeyId = await createKey();
    const { id } = await grant(KeyId);
    const { token } = await grant(KeyId);
    await kms.send(new DisableKeyCommand({ KeyId }));
    await assert.rejects(grant(KeyId), failsWith('DisabledException'));
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    await assert.rejects(grant(KeyId), failsWith('KMSInvalidStateException'));
    assert.equal((await listed(KeyId)).length, 2);
    await kms.send(new RevokeGrantCommand({ KeyId, GrantId: id }));
    await kms.send(new RetireGrantCommand({ GrantToken: token }));
  });

  it('have tokens that every operation takes while their grant is there, and no others', async () => {
    const [KeyId, other] = [await createKey(), await createKey()];
    const mine = await grant(KeyId);
    const foreign = await grant(other);
    const Plaintext = Buffer.from('x');
    await kms.send(new EncryptCommand({ KeyId, Plaintext, GrantTokens: [mine.token, foreign.token] }));
    await kms.send(new RevokeGrantCommand({ KeyId: other, GrantId: foreign.id }));
    const bytes = Buffer.from(mine.token, 'base64');
    const changed = [...bytes.keys()].map((index) => {
      const copy = Buffer.from(bytes);
      copy[index] = (copy[index] ?? 0) ^ 1;
      return copy.toString('base64');
    });
    for (const token of [foreign.token, 'garbage', `${mine.token}A`, mine.token.slice(4), ...changed]) {
      for (const command of [
        new EncryptCommand({ KeyId, Plaintext, GrantTokens: [mine.token, token] }),
        new DescribeKeyCommand({ KeyId, GrantTokens: [token] }),
      ]) {
        await assert.rejects(kms.send(command as EncryptCommand), failsWith('InvalidGrantTokenException'), token);
      }
    }
    await assert.rejects(
      kms.send(new EncryptCommand({ KeyId, Plaintext, GrantTokens: Array.from({ length: 11 }, () => mine.token) })),
      failsWith('ValidationException'),
    );
  });

  it('are made and retired across accounts', async () => {
    const partner = await createAccount(platform);
    const partnersKms = new KMSClient(platform.clientConfig(partner));
    const policy = {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: platform.accountId }, Action: 'kms:*', Resource: '*' },
        { Effect: 'Allow', Principal: { AWS: partner.accountId }, Action: 'kms:CreateGrant', Resource: '*' },
      ],
    };
    const KeyId = await createKey({ Policy: JSON.stringify(policy) });
    const made = await partnersKms.send(
      new CreateGrantCommand({ KeyId, GranteePrincipal: bob, Operations: ['Encrypt'] }),
    );
    const [only] = await listed(KeyId);
    assert.equal(only?.IssuingAccount, `arn:aws:iam::${partner.accountId}:root`);
    await bobsKms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await assert.rejects(partnersKms.send(new ListGrantsCommand({ KeyId })), failsWith('AccessDeniedException'));
    await partnersKms.send(new RetireGrantCommand({ KeyId, GrantId: made.GrantId }));
    // What is not there, and what is not to be seen, look the same to another account.
    const refusal = failsWith('AccessDeniedException', /does not exist in this Region, no resource-based policies/);
    await assert.rejects(partnersKms.send(new RetireGrantCommand({ KeyId, GrantId: made.GrantId })), refusal);
    const absent = KeyId.replace(/key\/.*/, 'key/00000000-0000-4000-8000-000000000000');
    await assert.rejects(partnersKms.send(new RetireGrantCommand({ KeyId: absent, GrantId: made.GrantId })), refusal);
    partnersKms.destroy();
  });
});
