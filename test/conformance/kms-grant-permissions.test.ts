import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ListGrantsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { createAccount } from '../harness/accounts.ts';
import { allowing, keysOf, makeRole, makeUser, policyOf } from '../harness/iam-people.ts';
import { failsWith } from '../harness/kms-errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

type GrantInput = Partial<CreateGrantCommandInput>;
type Operations = CreateGrantCommandInput['Operations'];

const denied = failsWith('AccessDeniedException');
const Plaintext = Buffer.from('a small secret');

describe('a grant', () => {
  let platform: TestPlatform;
  let root: { kms: KMSClient; iam: IAMClient; trail: CloudTrailClient };
  let arnOf: (name: string) => string;
  const clients: { destroy(): void }[] = [];

  before(async () => {
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    root = { kms: new KMSClient(config), iam: new IAMClient(config), trail: new CloudTrailClient(config) };
    clients.push(root.kms, root.iam, root.trail);
    arnOf = (name) => `arn:aws:iam::${platform.accountId}:user/${name}`;
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await platform.stop();
  });

  function clientOf(keys: Parameters<TestPlatform['clientConfig']>[0]): KMSClient {
    const client = new KMSClient(platform.clientConfig(keys));
    clients.push(client);
    return client;
  }

  /** A user who may do nothing, or what the policy allows. */
  async function user(name: string, policy?: string): Promise<KMSClient> {
    return clientOf(await makeUser(root.iam, name, policy));
  }

  async function createKey(): Promise<string> {
    return (await root.kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  }

  async function grant(KeyId: string, GranteePrincipal: string, operations: Operations, input: GrantInput = {}) {
    const made = await root.kms.send(
      new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: operations, ...input }),
    );
    return { id: made.GrantId ?? '', token: made.GrantToken ?? '' };
  }

  it('allows its operations on its key to its grantee, and ends with it', async () => {
    const [KeyId, other] = [await createKey(), await createKey()];
    const [ann, bert] = [await user('ann'), await user('bert')];
    const encrypt = (kms: KMSClient, key = KeyId) => kms.send(new EncryptCommand({ KeyId: key, Plaintext }));
    await assert.rejects(encrypt(ann), denied);
    const { id, token } = await grant(KeyId, arnOf('ann'), ['Encrypt', 'DescribeKey']);
    const { CiphertextBlob } = await encrypt(ann);
    await ann.send(new DescribeKeyCommand({ KeyId }));
    await ann.send(new EncryptCommand({ KeyId, Plaintext, GrantTokens: [token] }));
    await assert.rejects(ann.send(new DecryptCommand({ CiphertextBlob })), denied);
    await assert.rejects(ann.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })), denied);
    await assert.rejects(ann.send(new ListGrantsCommand({ KeyId })), denied);
    await assert.rejects(ann.send(new DisableKeyCommand({ KeyId })), denied);
    await assert.rejects(encrypt(ann, other), denied);
    await assert.rejects(ann.send(new EncryptCommand({ KeyId: other, Plaintext, GrantTokens: [token] })), denied);
    await assert.rejects(encrypt(bert), denied);
    await assert.rejects(bert.send(new EncryptCommand({ KeyId, Plaintext, GrantTokens: [token] })), denied);
    await root.kms.send(new RevokeGrantCommand({ KeyId, GrantId: id }));
    await assert.rejects(encrypt(ann), denied);
  });

  it('needs no key policy that delegates, but nothing that denies helps against it', async () => {
    const KeyId = await createKey();
    const cora = await user('cora');
    await grant(KeyId, arnOf('cora'), ['Encrypt']);
    const encrypt = () => cora.send(new EncryptCommand({ KeyId, Plaintext }));
    const admin = { Effect: 'Allow', Principal: { AWS: platform.accountId }, Action: 'kms:*', Resource: '*' };
    const put = (...statements: object[]) =>
      root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyOf(admin, ...statements) }));
    await put({ Effect: 'Deny', Principal: { AWS: arnOf('cora') }, Action: 'kms:Encrypt', Resource: '*' });
    await assert.rejects(encrypt(), failsWith('AccessDeniedException', /explicit deny in a resource-based policy/));
    await put();
    await encrypt();
    const PolicyDocument = policyOf({ Effect: 'Deny', Action: 'kms:Encrypt', Resource: KeyId });
    await root.iam.send(new PutUserPolicyCommand({ UserName: 'cora', PolicyName: 'no', PolicyDocument }));
    await assert.rejects(encrypt(), failsWith('AccessDeniedException', /explicit deny in an identity-based policy/));
  });

  it('to a user is not limited by a boundary that is silent, but by one that denies', async () => {
    const KeyId = await createKey();
    const dora = await user('dora');
    await grant(KeyId, arnOf('dora'), ['Encrypt']);
    const encrypt = () => dora.send(new EncryptCommand({ KeyId, Plaintext }));
    const bound = async (PolicyName: string, PolicyDocument: string) => {
      const { Policy } = await root.iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }));
      const PermissionsBoundary = Policy?.Arn;
      await root.iam.send(new PutUserPermissionsBoundaryCommand({ UserName: 'dora', PermissionsBoundary }));
    };
    await bound('silent', allowing('s3:GetObject'));
    await encrypt();
    await bound('denying', policyOf({ Effect: 'Deny', Action: 'kms:Encrypt', Resource: '*' }));
    await assert.rejects(encrypt(), failsWith('AccessDeniedException', /explicit deny in a permissions boundary/));
  });

  it('to a role is for its sessions, within their session policies', async () => {
    const KeyId = await createKey();
    const eve = await makeUser(root.iam, 'eve', allowing('sts:AssumeRole'));
    const RoleArn = await makeRole(root.iam, 'worker', {
      Effect: 'Allow',
      Principal: { AWS: arnOf('eve') },
      Action: 'sts:AssumeRole',
    });
    const sts = new STSClient(platform.clientConfig(eve));
    clients.push(sts);
    const session = async (RoleSessionName: string, Policy?: string) =>
      clientOf(keysOf((await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName, Policy }))).Credentials));
    const one = await session('one');
    const two = await session('two');
    const limited = await session('three', allowing('kms:Decrypt'));
    const { id } = await grant(KeyId, RoleArn, ['Encrypt']);
    await one.send(new EncryptCommand({ KeyId, Plaintext }));
    await assert.rejects(
      limited.send(new EncryptCommand({ KeyId, Plaintext })),
      failsWith('AccessDeniedException', /no session policy allows/),
    );
    await root.kms.send(new RevokeGrantCommand({ KeyId, GrantId: id }));
    await grant(KeyId, `arn:aws:sts::${platform.accountId}:assumed-role/worker/two`, ['Encrypt']);
    await two.send(new EncryptCommand({ KeyId, Plaintext }));
    await assert.rejects(one.send(new EncryptCommand({ KeyId, Plaintext })), denied);
  });

  it('to an account leaves it to that account’s policies', async () => {
    const KeyId = await createKey();
    const partner = await createAccount(platform);
    const config = platform.clientConfig(partner);
    const iam = new IAMClient(config);
    clients.push(iam);
    const theirs = {
      root: clientOf(partner),
      able: clientOf(await makeUser(iam, 'able', allowing('kms:Encrypt', 'kms:Decrypt'))),
      unable: clientOf(await makeUser(iam, 'unable')),
      named: clientOf(await makeUser(iam, 'named')),
    };
    const encrypt = (kms: KMSClient) => kms.send(new EncryptCommand({ KeyId, Plaintext }));
    await assert.rejects(encrypt(theirs.root), denied);
    await grant(KeyId, `arn:aws:iam::${partner.accountId}:root`, ['Encrypt']);
    const { CiphertextBlob } = await encrypt(theirs.root);
    await encrypt(theirs.able);
    await assert.rejects(encrypt(theirs.unable), denied);
    await assert.rejects(theirs.able.send(new DecryptCommand({ CiphertextBlob, KeyId })), denied);
    // A user of another account that is named needs no policy there.
    await grant(KeyId, `arn:aws:iam::${partner.accountId}:user/named`, ['Encrypt']);
    await encrypt(theirs.named);
  });

  it('is not for another user who takes the name of its grantee', async () => {
    const KeyId = await createKey();
    await user('frank');
    await grant(KeyId, arnOf('frank'), ['Encrypt']);
    const name = { UserName: 'frank' };
    const { AccessKeyMetadata = [] } = await root.iam.send(new ListAccessKeysCommand(name));
    for (const { AccessKeyId } of AccessKeyMetadata) {
      await root.iam.send(new DeleteAccessKeyCommand({ ...name, AccessKeyId }));
    }
    await root.iam.send(new DeleteUserCommand(name));
    await root.iam.send(new CreateUserCommand(name));
    const { AccessKey } = await root.iam.send(new CreateAccessKeyCommand(name));
    const other = clientOf({
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    });
    await assert.rejects(other.send(new EncryptCommand({ KeyId, Plaintext })), denied);
  });

  it('holds the encryption context to its constraint, in every case and order', async () => {
    const KeyId = await createKey();
    const gina = await user('gina');
    const encrypt = (EncryptionContext?: Record<string, string>) =>
      gina.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
    const equals = await grant(KeyId, arnOf('gina'), ['Encrypt', 'Decrypt', 'DescribeKey'], {
      Constraints: { EncryptionContextEquals: { Team: 'news', Year: '2026' } },
    });
    const EncryptionContext = { Year: '2026', Team: 'news' };
    const { CiphertextBlob } = await encrypt(EncryptionContext);
    await gina.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    await gina.send(new DescribeKeyCommand({ KeyId }));
    const others: (Record<string, string> | undefined)[] = [
      undefined,
      { Team: 'news' },
      { Team: 'News', Year: '2026' },
      { team: 'news', Year: '2026' },
      { Team: 'news', Year: '2026', More: 'x' },
      { Team: 'news', Year: '2026', team: 'news' },
    ];
    for (const context of others) await assert.rejects(encrypt(context), denied, JSON.stringify(context));
    await root.kms.send(new RevokeGrantCommand({ KeyId, GrantId: equals.id }));
    await grant(KeyId, arnOf('gina'), ['Encrypt'], { Constraints: { EncryptionContextSubset: { Team: 'news' } } });
    await encrypt({ Team: 'news' });
    await encrypt({ Team: 'news', More: 'x' });
    for (const context of [undefined, { More: 'x' }, { team: 'news' }, { Team: 'sports', team: 'news' }]) {
      await assert.rejects(encrypt(context), denied, JSON.stringify(context));
    }
  });

  it('of a source is not for requests that no service makes for it', async () => {
    const KeyId = await createKey();
    const hugo = await user('hugo');
    const SourceArn = `arn:aws:mediaconvert:us-east-1:${platform.accountId}:queues/Default`;
    await grant(KeyId, arnOf('hugo'), ['Encrypt'], { Constraints: { SourceArn } });
    await assert.rejects(hugo.send(new EncryptCommand({ KeyId, Plaintext })), denied);
  });

  it('covers each side of a re-encryption apart', async () => {
    const [from, to] = [await createKey(), await createKey()];
    const ines = await user('ines');
    const { CiphertextBlob } = await root.kms.send(new EncryptCommand({ KeyId: from, Plaintext }));
    const move = () => ines.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: to }));
    const first = await grant(from, arnOf('ines'), ['ReEncryptFrom']);
    await assert.rejects(move(), denied);
    const second = await grant(to, arnOf('ines'), ['ReEncryptTo']);
    await move();
    await ines.send(
      new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: to, GrantTokens: [first.token, second.token] }),
    );
  });

  it('that allows CreateGrant passes on no more than it has', async () => {
    const KeyId = await createKey();
    const [jane, karl] = [await user('jane'), await user('karl')];
    await grant(KeyId, arnOf('jane'), ['Encrypt', 'Decrypt', 'CreateGrant'], {
      Constraints: { EncryptionContextSubset: { Team: 'news' } },
    });
    const pass = (kms: KMSClient, name: string, input: GrantInput) =>
      kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: arnOf(name), Operations: ['Encrypt'], ...input }));
    const news = { Team: 'news' };
    const wider: GrantInput[] = [
      {},
      { Constraints: { EncryptionContextSubset: { Team: 'sports' } } },
      { Constraints: { EncryptionContextSubset: { More: 'x' } } },
      { Constraints: { EncryptionContextEquals: { More: 'x' } } },
      { Constraints: { EncryptionContextSubset: news }, Operations: ['GenerateDataKey'] },
      { Constraints: { EncryptionContextSubset: news }, Operations: ['Encrypt', 'DescribeKey'] },
    ];
    for (const input of wider) await assert.rejects(pass(jane, 'karl', input), denied, JSON.stringify(input));
    await pass(jane, 'karl', {
      Operations: ['Encrypt', 'CreateGrant'],
      Constraints: { EncryptionContextEquals: { Team: 'news', Year: '2026' } },
    });
    await karl.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { Team: 'news', Year: '2026' } }));
    await assert.rejects(karl.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: news })), denied);
    // Down the chain it gets narrower still.
    await assert.rejects(pass(karl, 'jane', { Constraints: { EncryptionContextSubset: news } }), denied);
    await assert.rejects(
      pass(karl, 'jane', { Constraints: { EncryptionContextSubset: { Team: 'news', Year: '2026' } } }),
      denied,
    );
    await pass(karl, 'jane', { Constraints: { EncryptionContextEquals: { Year: '2026', Team: 'news' } } });
  });

  it('is not made without a constraint by who has to set one, an empty one either', async () => {
    const KeyId = await createKey();
    const Condition = { StringEquals: { 'kms:GrantConstraintType': 'EncryptionContextSubset' } };
    const policy = policyOf({ Effect: 'Allow', Action: 'kms:CreateGrant', Resource: '*', Condition });
    const nina = await user('nina', policy);
    await user('olga');
    const pass = (pairs: Record<string, string>) =>
      nina.send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: arnOf('olga'),
          Operations: ['Encrypt'],
          Constraints: { EncryptionContextSubset: pairs },
        }),
      );
    await assert.rejects(pass({}), denied);
    await pass({ Team: 'news' });
  });

  it('is enough for S3 and Secrets Manager when they ask in its grantee’s name', async () => {
    const KeyId = await createKey();
    const keys = await makeUser(root.iam, 'lena', allowing('s3:*', 'secretsmanager:*'));
    const s3 = new S3Client(platform.clientConfig(keys));
    const secrets = new SecretsManagerClient(platform.clientConfig(keys));
    clients.push(s3, secrets);
    const place = { Bucket: 'granted', Key: 'film.mp4' };
    await s3.send(new CreateBucketCommand({ Bucket: place.Bucket }));
    const put = () =>
      s3.send(new PutObjectCommand({ ...place, Body: 'x', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId }));
    const create = (Name: string) =>
      secrets.send(new CreateSecretCommand({ Name, SecretString: 'x', KmsKeyId: KeyId }));
    await assert.rejects(put(), { name: 'AccessDenied' });
    await assert.rejects(create('before'));
    const { id } = await grant(KeyId, arnOf('lena'), ['GenerateDataKey', 'Decrypt'], {
      Constraints: { EncryptionContextSubset: { 'aws:s3:arn': 'arn:aws:s3:::granted/film.mp4' } },
    });
    await put();
    const { Body } = await s3.send(new GetObjectCommand(place));
    assert.equal(await Body?.transformToString(), 'x');
    await assert.rejects(create('with a constraint'));
    const wide = await grant(KeyId, arnOf('lena'), ['GenerateDataKey', 'Decrypt']);
    const { ARN } = await create('after');
    const value = await secrets.send(new GetSecretValueCommand({ SecretId: ARN }));
    assert.equal(value.SecretString, 'x');
    for (const GrantId of [id, wide.id]) await root.kms.send(new RevokeGrantCommand({ KeyId, GrantId }));
    await assert.rejects(s3.send(new GetObjectCommand(place)), { name: 'AccessDenied' });
    await assert.rejects(secrets.send(new GetSecretValueCommand({ SecretId: ARN })));
  });

  it('stands in the audit log where it allowed, and where it did not', async () => {
    const KeyId = await createKey();
    const mona = await user('mona');
    const { id } = await grant(KeyId, arnOf('mona'), ['Encrypt'], {
      Constraints: { EncryptionContextEquals: { Team: 'news' } },
    });
    const encrypt = (EncryptionContext: Record<string, string>) =>
      mona.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
    await encrypt({ Team: 'news' });
    await assert.rejects(encrypt({ Team: 'sports' }), denied);
    const LookupAttributes = [{ AttributeKey: 'Username', AttributeValue: 'mona' } as const];
    const { Events = [] } = await root.trail.send(new LookupEventsCommand({ LookupAttributes }));
    const details = Events.map(
      (event) =>
        JSON.parse(event.CloudTrailEvent ?? '{}') as {
          errorCode?: string;
          additionalEventData?: { allowedBy?: string[]; refusals?: { policies: { type: string; name: string }[] }[] };
        },
    );
    const [allowed] = details.filter(({ errorCode }) => errorCode === undefined);
    assert.deepEqual(allowed?.additionalEventData?.allowedBy, [`${id}#0`]);
    const [refused] = details.filter(({ errorCode }) => errorCode !== undefined);
    const looked = refused?.additionalEventData?.refusals?.flatMap(({ policies }) => policies) ?? [];
    assert.ok(
      looked.some(({ type, name }) => type === 'key-grant' && name === id),
      JSON.stringify(looked),
    );
  });
});
