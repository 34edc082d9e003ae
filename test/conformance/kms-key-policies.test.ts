import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IAMClient } from '@aws-sdk/client-iam';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  KMSClient,
  PutKeyPolicyCommand,
  TagResourceCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createAccount } from '../harness/accounts.ts';
import { allowing, makeUser, policyOf } from '../harness/iam-people.ts';
import { failsWith } from '../harness/kms-errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const denied = failsWith('AccessDeniedException');
const Plaintext = Buffer.from('a small secret');
const MAX_SIZE = 32_768;

describe('key policies', () => {
  let platform: TestPlatform;
  let kms: KMSClient;
  let iam: IAMClient;
  let admin: object;
  const clients: { destroy(): void }[] = [];

  before(async () => {
    platform = await startTestPlatform();
    kms = new KMSClient(platform.clientConfig());
    iam = new IAMClient(platform.clientConfig());
    clients.push(kms, iam);
    admin = { Effect: 'Allow', Principal: { AWS: platform.accountId }, Action: 'kms:*', Resource: '*' };
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

  async function createKey(...statements: object[]): Promise<string> {
    const Policy = statements.length === 0 ? undefined : policyOf(...statements);
    return (await kms.send(new CreateKeyCommand({ Policy }))).KeyMetadata?.Arn ?? '';
  }

  it('hand the key to the account, whose identity policies decide, when no other is given', async () => {
    const KeyId = await createKey();
    const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId }));
    assert.deepEqual(JSON.parse(Policy), {
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${platform.accountId}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    });
    const able = clientOf(await makeUser(iam, 'able', allowing('kms:Encrypt')));
    const unable = clientOf(await makeUser(iam, 'unable'));
    await able.send(new EncryptCommand({ KeyId, Plaintext }));
    await assert.rejects(able.send(new DescribeKeyCommand({ KeyId })), denied);
    await assert.rejects(unable.send(new EncryptCommand({ KeyId, Plaintext })), denied);
    // Without the delegation an identity policy is nothing; being named is enough.
    const unableArn = `arn:aws:iam::${platform.accountId}:user/unable`;
    const own = { Effect: 'Allow', Principal: { AWS: unableArn }, Action: 'kms:Encrypt', Resource: '*' };
    const rest = { ...admin, Action: ['kms:Put*', 'kms:Get*'] };
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyOf(rest, own) }));
    await assert.rejects(able.send(new EncryptCommand({ KeyId, Plaintext })), denied);
    await unable.send(new EncryptCommand({ KeyId, Plaintext }));
  });

  it('are as long as 32 KiB, and no longer', async () => {
    const KeyId = await createKey();
    const ofSize = (size: number) => {
      const document = policyOf(admin);
      return document + ' '.repeat(size - document.length);
    };
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: ofSize(MAX_SIZE) }));
    for (const command of [
      new PutKeyPolicyCommand({ KeyId, Policy: ofSize(MAX_SIZE + 1) }),
      new CreateKeyCommand({ Policy: ofSize(MAX_SIZE + 1) }),
    ]) {
      await assert.rejects(kms.send(command as PutKeyPolicyCommand), failsWith('LimitExceededException'));
    }
    await assert.rejects(
      kms.send(new PutKeyPolicyCommand({ KeyId, Policy: ofSize(131_073) })),
      failsWith('ValidationException'),
    );
    await assert.rejects(
      kms.send(new PutKeyPolicyCommand({ KeyId, Policy: '{"Version":"\u{1F511}"}' })),
      failsWith('ValidationException'),
    );
  });

  it('are refused with the line and the column of what is wrong in them', async () => {
    const KeyId = await createKey();
    const lines = JSON.stringify(JSON.parse(policyOf(admin)), null, 2);
    const wrong: readonly [string, string, RegExp][] = [
      ['a comma too much', lines.replace('"kms:*",', '"kms:*",,'), /[Ll]ine 9, column/],
      ['an effect that is none', lines.replace('"Allow"', '"Permit"'), /[Ll]ine 5, column 17/],
      ['an element that is none', lines.replace('"Resource"', '"Resorce"'), /[Ll]ine 10, column 7/],
      ['no principal', policyOf({ Effect: 'Allow', Action: 'kms:*', Resource: '*' }), /[Ll]ine 1, column/],
      ['no JSON at all', 'Allow: everything', /[Ll]ine 1, column 1/],
    ];
    for (const [what, Policy, said] of wrong) {
      for (const command of [new PutKeyPolicyCommand({ KeyId, Policy }), new CreateKeyCommand({ Policy })]) {
        await assert.rejects(
          kms.send(command as PutKeyPolicyCommand),
          failsWith('MalformedPolicyDocumentException', said),
          what,
        );
      }
    }
  });

  it('let the caller in again by their conditions too', async () => {
    const conditions = (StringEquals: object) => ({ ...admin, Condition: { StringEquals } });
    await createKey(conditions({ 'kms:CallerAccount': platform.accountId, 'kms:KeySpec': 'SYMMETRIC_DEFAULT' }));
    await assert.rejects(
      createKey(conditions({ 'kms:ViaService': 's3.us-east-1.amazonaws.com' })),
      failsWith('MalformedPolicyDocumentException', /will not allow you to update the key policy in the future/),
    );
  });

  it('let other accounts in, which have to let their people too, to what may be done across accounts', async () => {
    const partner = await createAccount(platform);
    const theirs = new IAMClient(platform.clientConfig(partner));
    clients.push(theirs);
    const able = clientOf(await makeUser(theirs, 'able', allowing('kms:*')));
    const unable = clientOf(await makeUser(theirs, 'unable'));
    const KeyId = await createKey(admin, {
      Effect: 'Allow',
      Principal: { AWS: partner.accountId },
      Action: 'kms:*',
      Resource: '*',
    });
    const { CiphertextBlob } = await able.send(new EncryptCommand({ KeyId, Plaintext }));
    await able.send(new DecryptCommand({ KeyId, CiphertextBlob }));
    await assert.rejects(unable.send(new EncryptCommand({ KeyId, Plaintext })), denied);
    await assert.rejects(able.send(new TagResourceCommand({ KeyId, Tags: [] })), denied);
    await assert.rejects(able.send(new PutKeyPolicyCommand({ KeyId, Policy: policyOf(admin) })), denied);
    const closed = await createKey();
    await assert.rejects(able.send(new EncryptCommand({ KeyId: closed, Plaintext })), denied);
  });

  it('open a key through a service alone, for an account, an encryption context and an alias', async () => {
    const keys = await makeUser(iam, 'conditioned', allowing('s3:*'));
    const conditioned = clientOf(keys);
    const s3 = new S3Client(platform.clientConfig(keys));
    clients.push(s3);
    const named = (Action: string | string[], Condition: object) => ({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${platform.accountId}:user/conditioned` },
      Action,
      Resource: '*',
      Condition,
    });
    const KeyId = await createKey(
      admin,
      named(['kms:GenerateDataKey', 'kms:Decrypt'], {
        StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com', 'kms:CallerAccount': platform.accountId },
      }),
      named('kms:Encrypt', {
        StringEquals: { 'kms:EncryptionContext:Team': 'news', 'kms:RequestAlias': 'alias/conditioned' },
        'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['Team', 'Year'] },
      }),
    );
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/conditioned', TargetKeyId: KeyId }));
    const place = { Bucket: 'conditioned', Key: 'one' };
    await s3.send(new CreateBucketCommand({ Bucket: place.Bucket }));
    await s3.send(new PutObjectCommand({ ...place, Body: 'x', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId }));
    assert.equal(await (await s3.send(new GetObjectCommand(place))).Body?.transformToString(), 'x');
    const encrypt = (key: string, EncryptionContext?: Record<string, string>) =>
      conditioned.send(new EncryptCommand({ KeyId: key, Plaintext, EncryptionContext }));
    const { CiphertextBlob } = await encrypt('alias/conditioned', { Team: 'news', Year: '2026' });
    await assert.rejects(
      conditioned.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { Team: 'news', Year: '2026' } })),
      denied,
    );
    await assert.rejects(encrypt(KeyId, { Team: 'news' }), denied);
    await assert.rejects(encrypt('alias/conditioned'), denied);
    await assert.rejects(encrypt('alias/conditioned', { Team: 'sports' }), denied);
    await assert.rejects(encrypt('alias/conditioned', { Team: 'news', Other: 'x' }), denied);
  });
});
