import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  buildClient,
  CommitmentPolicy,
  KmsKeyringNode,
  getClient,
  KMS,
  buildAwsKmsMrkAwareStrictMultiKeyringNode,
} from '@aws-crypto/client-node';
import {
  CreateGrantCommand,
  CreateKeyCommand,
  KMSClient,
  ReplicateKeyCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
type ClientProvider = NonNullable<NonNullable<ConstructorParameters<typeof KmsKeyringNode>[0]>['clientProvider']>;

const film = Buffer.from('what the film says');
const context = { film: 'one', reel: '2' };

describe('the AWS Encryption SDK for JavaScript', () => {
  let platform: TestPlatform;
  let kms: KMSClient;
  let iam: IAMClient;

  before(async () => {
    platform = await startTestPlatform();
    kms = new KMSClient(platform.clientConfig());
    iam = new IAMClient(platform.clientConfig());
  });
  after(async () => {
    kms.destroy();
    iam.destroy();
    await platform.stop();
  });

  const providerFor = (credentials?: ClientConfig['credentials']) => {
    const { endpoint, credentials: root } = platform.clientConfig();
    // Its types are those of a client whose answers have no optional members.
    return getClient(KMS as never, { endpoint, credentials: credentials ?? root }) as ClientProvider;
  };

  async function createKey(MultiRegion = false): Promise<string> {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion }));
    return KeyMetadata?.Arn ?? '';
  }

  it('encrypts under a generator and a further key, and either opens it alone, or a discovery', async () => {
    const [generatorKeyId, other] = [await createKey(), await createKey()];
    const clientProvider = providerFor();
    const both = new KmsKeyringNode({ clientProvider, generatorKeyId, keyIds: [other] });
    const { result } = await encrypt(both, film, { encryptionContext: context });
    const discoveryFilter = { accountIDs: [platform.accountId], partition: 'aws' };
    const keyrings = [
      both,
      new KmsKeyringNode({ clientProvider, keyIds: [generatorKeyId] }),
      new KmsKeyringNode({ clientProvider, keyIds: [other] }),
      new KmsKeyringNode({ clientProvider, discovery: true, discoveryFilter }),
    ];
    for (const keyring of keyrings) {
      const { plaintext, messageHeader } = await decrypt(keyring, result);
      assert.deepEqual(plaintext, film);
      assert.equal(messageHeader.encryptionContext['film'], 'one');
    }
    const stranger = new KmsKeyringNode({ clientProvider, keyIds: [await createKey()] });
    await assert.rejects(decrypt(stranger, result));
  });

  it('opens no message whose encryption context, wrapped key or text was changed', async () => {
    const keyring = new KmsKeyringNode({ clientProvider: providerFor(), generatorKeyId: await createKey() });
    const { result } = await encrypt(keyring, film, { encryptionContext: context });
    const inContext = result.indexOf('reel') + 'reel'.length + 2;
    const inKey = result.indexOf('aws-kms') + 300;
    for (const place of [inContext, inKey, result.length - 1]) {
      const changed = Buffer.from(result);
      changed[place] = (changed[place] ?? 0) ^ 1;
      await assert.rejects(decrypt(keyring, changed), `byte ${place} of ${result.length}`);
    }
  });

  it('opens nothing any more once the right to the key was revoked', async () => {
    const generatorKeyId = await createKey();
    const owner = new KmsKeyringNode({ clientProvider: providerFor(), generatorKeyId });
    const { result } = await encrypt(owner, film);
    const UserName = 'viewer';
    const { User } = await iam.send(new CreateUserCommand({ UserName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    };
    const viewer = new KmsKeyringNode({ clientProvider: providerFor(credentials), keyIds: [generatorKeyId] });
    await assert.rejects(decrypt(viewer, result));
    const grant = { KeyId: generatorKeyId, GranteePrincipal: User?.Arn, Operations: ['Decrypt' as const] };
    const { GrantId } = await kms.send(new CreateGrantCommand(grant));
    assert.deepEqual((await decrypt(viewer, result)).plaintext, film);
    await kms.send(new RevokeGrantCommand({ KeyId: generatorKeyId, GrantId }));
    await assert.rejects(decrypt(viewer, result));
  });

  it('encrypts in one Region and decrypts in another with a multi-Region key', async () => {
    const here = await createKey(true);
    await kms.send(new ReplicateKeyCommand({ KeyId: here, ReplicaRegion: 'eu-west-1' }));
    const there = here.replace('us-east-1', 'eu-west-1');
    const clientProvider = providerFor();
    const first = buildAwsKmsMrkAwareStrictMultiKeyringNode({ clientProvider, generatorKeyId: here });
    const second = buildAwsKmsMrkAwareStrictMultiKeyringNode({ clientProvider, generatorKeyId: there });
    const { result } = await encrypt(first, film, { encryptionContext: context });
    assert.deepEqual((await decrypt(second, result)).plaintext, film);
  });
});
