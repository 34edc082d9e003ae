import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ListAliasesCommand,
  ListGrantsCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { createAccount } from '../harness/accounts.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const Plaintext = Buffer.from('a small secret');

describe('keys of other accounts', () => {
  let platform: TestPlatform;
  let owner: KMSClient;
  let stranger: KMSClient;
  let strangerArn: string;
  let key: string;

  before(async () => {
    platform = await startTestPlatform();
    owner = new KMSClient(platform.clientConfig());
    const account = await createAccount(platform);
    strangerArn = `arn:aws:iam::${account.accountId}:root`;
    stranger = new KMSClient(platform.clientConfig(account));
    key = (await owner.send(new CreateKeyCommand())).KeyMetadata?.Arn ?? '';
    await owner.send(new CreateAliasCommand({ AliasName: 'alias/payroll', TargetKeyId: key }));
  });
  after(async () => {
    owner.destroy();
    stranger.destroy();
    await platform.stop();
  });

  const uses: readonly ((KeyId: string) => Promise<unknown>)[] = [
    (KeyId) => stranger.send(new EncryptCommand({ KeyId, Plaintext })),
    (KeyId) => stranger.send(new DescribeKeyCommand({ KeyId })),
    (KeyId) => stranger.send(new DisableKeyCommand({ KeyId })),
    (KeyId) => stranger.send(new GetKeyPolicyCommand({ KeyId })),
    (KeyId) => stranger.send(new TagResourceCommand({ KeyId, Tags: [] })),
    (KeyId) => stranger.send(new ListGrantsCommand({ KeyId })),
    (KeyId) => stranger.send(new CreateGrantCommand({ KeyId, GranteePrincipal: strangerArn, Operations: ['Decrypt'] })),
    (KeyId) => stranger.send(new CreateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: KeyId })),
    (KeyId) => stranger.send(new ListAliasesCommand({ KeyId })),
  ];

  /** What a refusal says, without the name that the request gave. */
  async function refusalOf(request: Promise<unknown>, name: string): Promise<string> {
    return await request.then(
      () => 'allowed',
      (error: unknown) => {
        assert.ok(error instanceof Error);
        return `${error.name}: ${error.message}`.replaceAll(name, 'KEY');
      },
    );
  }

  it('are refused in the same words whether they are there or not', async () => {
    const absent = key.replace(/.{12}$/, '0123456789ab');
    const alias = key.replace(/key\/.*/, 'alias/payroll');
    const absentAlias = key.replace(/key\/.*/, 'alias/nowhere');
    for (const [index, use] of uses.entries()) {
      const told = await refusalOf(use(key), key);
      assert.notEqual(told, 'allowed', `use ${index}`);
      assert.equal(told, await refusalOf(use(absent), absent), `use ${index}`);
      const toldOfAlias = await refusalOf(use(alias), alias);
      assert.equal(toldOfAlias, await refusalOf(use(absentAlias), absentAlias), `use ${index}`);
      assert.ok(!toldOfAlias.includes(key.slice(-12)), 'the key behind an alias is not told');
    }
  });

  it('are not found by the names of other partitions, nor are own keys', async () => {
    const KeyId = key.replace('arn:aws:', 'arn:aws-cn:');
    await assert.rejects(owner.send(new EncryptCommand({ KeyId, Plaintext })), { name: 'InvalidArnException' });
  });

  it('are not told by their ciphertexts', async () => {
    const { CiphertextBlob } = await owner.send(new EncryptCommand({ KeyId: key, Plaintext }));
    const told = await refusalOf(stranger.send(new DecryptCommand({ CiphertextBlob })), 'no name');
    assert.match(told, /^AccessDeniedException: .* kms:Decrypt on this resource because the resource does not exist/);
    assert.ok(!told.includes(platform.accountId));
  });

  it('are not changed by the aliases of their account', async () => {
    const own = (await stranger.send(new CreateKeyCommand())).KeyMetadata?.Arn ?? '';
    await stranger.send(new CreateAliasCommand({ AliasName: 'alias/payroll', TargetKeyId: own }));
    await assert.rejects(stranger.send(new UpdateAliasCommand({ AliasName: 'alias/payroll', TargetKeyId: key })), {
      name: 'AccessDeniedException',
    });
  });
});
