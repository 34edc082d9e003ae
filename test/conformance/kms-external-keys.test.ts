import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CancelKeyDeletionCommand,
  ConnectCustomKeyStoreCommand,
  CreateAliasCommand,
  CreateCustomKeyStoreCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisconnectCustomKeyStoreCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  KMSClient,
  ListKeyRotationsCommand,
  ReEncryptCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { connectToServer, askServer } from '../../bin/control-client.ts';
import { filesUnder } from '../harness/files-under.ts';
import { failsWith } from '../harness/kms-errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { newCredential, type OddAnswer, XksProxy } from '../harness/xks-proxy.ts';

const TIMEOUT_MS = 1000;
const UNREADABLE = /cannot interpret the response/;
const NOT_CONNECTED = /not connected to its external key store proxy/;
const EncryptionContext = { film: 'one', reel: '2' };

describe('KMS keys in external key stores', () => {
  let proxy: XksProxy;
  let platform: TestPlatform;
  let kms: KMSClient;
  let CustomKeyStoreId = '';
  let KeyId = '';
  let arn = '';
  let ordinary = '';

  before(async () => {
    proxy = await XksProxy.start('xks.example');
    platform = await startTestPlatform({
      COFFER_XKS_PROXIES: proxy.route,
      COFFER_XKS_TIMEOUT_MS: String(TIMEOUT_MS),
    });
    kms = new KMSClient(platform.clientConfig());
    const store = {
      CustomKeyStoreName: 'store',
      CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
      XksProxyConnectivity: 'PUBLIC_ENDPOINT',
      XksProxyUriEndpoint: proxy.endpoint,
      XksProxyUriPath: proxy.path,
      XksProxyAuthenticationCredential: proxy.credential,
    } as const;
    ({ CustomKeyStoreId = '' } = await kms.send(new CreateCustomKeyStoreCommand(store)));
    await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
    ({ KeyId, arn } = await createKey('first'));
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    ordinary = KeyMetadata?.KeyId ?? '';
  });
  after(async () => {
    kms.destroy();
    await platform.stop();
    proxy.stop();
  });
  beforeEach(() => {
    proxy.odd.clear();
    proxy.metadata.keyStatus = 'ENABLED';
    proxy.calls.length = 0;
  });

  async function createKey(XksKeyId: string): Promise<{ KeyId: string; arn: string }> {
    proxy.makeKey(XksKeyId);
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId }),
    );
    return { KeyId: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
  }

  async function encrypt(Plaintext: Buffer = Buffer.from('plain'), id = KeyId): Promise<Uint8Array> {
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: id, Plaintext, EncryptionContext }));
    return CiphertextBlob ?? Buffer.of();
  }

  async function decrypt(CiphertextBlob: Uint8Array | undefined, context: object = { EncryptionContext }) {
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob, ...context }));
    return Buffer.from(Plaintext ?? []);
  }

  async function stateOf(id = KeyId) {
    return (await kms.send(new DescribeKeyCommand({ KeyId: id }))).KeyMetadata?.KeyState;
  }

  const connect = () => kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  const disconnect = () => kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));

  it('encrypt twice: the proxy sees no plaintext, and opens nothing that KMS’s own material does not open', async () => {
    for (const length of [1, 4096]) {
      const plaintext = randomBytes(length);
      const blob = await encrypt(plaintext);
      assert.ok(blob.length <= 6144);
      assert.deepEqual(await decrypt(blob), plaintext);
      const [sealing, opening] = proxy.calls.splice(0);
      assert.equal(proxy.calls.length, 0, 'each use is one request');
      const { requestMetadata, plaintext: sent, ...request } = sealing?.body ?? {};
      const inner = Buffer.from(String(sent), 'base64');
      assert.equal(inner.length, length + 28);
      if (length > 16) assert.ok(!inner.includes(plaintext.subarray(0, 16)));
      assert.deepEqual(Object.keys(request).toSorted(), [
        'additionalAuthenticatedData',
        'ciphertextDataIntegrityValueAlgorithm',
        'encryptionAlgorithm',
      ]);
      const { kmsRequestId, ...metadata } = requestMetadata as Record<string, string>;
      const awsPrincipalArn = `arn:aws:iam::${platform.accountId}:root`;
      assert.deepEqual(metadata, { awsPrincipalArn, kmsKeyArn: arn, kmsOperation: 'Encrypt' });
      assert.match(kmsRequestId ?? '', /^[0-9a-f-]{36}$/);
      assert.equal(opening?.body['ciphertextMetadata'], Buffer.from('v=1').toString('base64'));
      assert.equal(opening?.metadata['kmsOperation'], 'Decrypt');
    }
  });

  it('give data keys and key pairs, and are re-encrypted to and from', async () => {
    const { Plaintext, CiphertextBlob, KeyMaterialId } = await kms.send(
      new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }),
    );
    assert.equal(KeyMaterialId, undefined);
    assert.deepEqual(await decrypt(CiphertextBlob), Buffer.from(Plaintext ?? []));
    const without = await kms.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 24, EncryptionContext }),
    );
    assert.equal((await decrypt(without.CiphertextBlob)).length, 24);
    const pairInput = { KeyId, KeyPairSpec: 'RSA_4096', EncryptionContext } as const;
    const pair = await kms.send(new GenerateDataKeyPairCommand(pairInput));
    assert.deepEqual(await decrypt(pair.PrivateKeyCiphertextBlob), Buffer.from(pair.PrivateKeyPlaintext ?? []));
    await kms.send(new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }));
    const other = await createKey('re-encrypted');
    const contexts = { SourceEncryptionContext: EncryptionContext, DestinationEncryptionContext: EncryptionContext };
    let blob: Uint8Array | undefined = await encrypt();
    for (const DestinationKeyId of [other.KeyId, ordinary, KeyId]) {
      ({ CiphertextBlob: blob } = await kms.send(
        new ReEncryptCommand({ CiphertextBlob: blob, DestinationKeyId, ...contexts }),
      ));
    }
    assert.equal((await decrypt(blob)).toString(), 'plain');
    const operations = new Set(proxy.calls.map((call) => `${call.operation} ${String(call.metadata['kmsOperation'])}`));
    assert.deepEqual([...operations].toSorted(), [
      'decrypt Decrypt',
      'decrypt ReEncrypt',
      'encrypt Encrypt',
      'encrypt GenerateDataKey',
      'encrypt GenerateDataKeyPair',
      'encrypt GenerateDataKeyPairWithoutPlaintext',
      'encrypt GenerateDataKeyWithoutPlaintext',
      'encrypt ReEncrypt',
      'metadata CreateKey',
    ]);
  });

  it('open nothing of another key or context, nor anything in which a byte was changed', async () => {
    const blob = Buffer.from(await encrypt());
    const rejected = failsWith('KMSInvalidStateException', /rejected the request because the specified ciphertext/);
    await assert.rejects(decrypt(blob, {}), rejected);
    await assert.rejects(decrypt(blob, { EncryptionContext: { film: 'two', reel: '2' } }), rejected);
    await assert.rejects(decrypt(blob, { EncryptionContext, KeyId: ordinary }), failsWith('IncorrectKeyException'));
    for (let index = 0; index < blob.length; index += 1) {
      const changed = Buffer.from(blob);
      changed[index] = (changed[index] ?? 0) ^ 1;
      await assert.rejects(
        decrypt(changed),
        (error: Error) => {
          // Of the salt on, it is the proxy that sees it; before, it is another key's or material's, or not of this form.
          const own = index < 49 || index === 65 || index === 66;
          assert.match(
            error.name,
            own ? /^(AccessDenied|InvalidCiphertext|KMSInvalidState)Exception$/ : /^KMSInvalidStateException$/,
          );
          return true;
        },
        `byte ${index}`,
      );
    }
    for (const part of [blob.subarray(0, -1), blob.subarray(0, 70), Buffer.concat([blob, Buffer.of(0)])]) {
      await assert.rejects(decrypt(part), /./);
    }
    // A form that the key does not have.
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: ordinary, Plaintext: Buffer.from('x') }));
    const foreign = Buffer.from(CiphertextBlob ?? []);
    foreign[0] = 3;
    await assert.rejects(decrypt(foreign, {}), failsWith('InvalidCiphertextException'));
  });

  it('end in the right error within the time limit when their proxy fails or lies, and work on after it', async () => {
    const blob = await encrypt();
    const flipped = (name: string) => (answer: Readonly<Record<string, unknown>>) => {
      const bytes = Buffer.from(String(answer[name]), 'base64');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      return { ...answer, [name]: bytes.toString('base64') };
    };
    const named = (errorName: string, status = 400): OddAnswer => ({ status, body: JSON.stringify({ errorName }) });
    const both: readonly (readonly [OddAnswer, RegExp])[] = [
      [named('ValidationException'), UNREADABLE],
      [named('InvalidStateException'), /is not enabled/],
      [named('InvalidKeyUsageException'), /does not support the requested operation/],
      [named('AuthenticationFailedException', 401), /could not authenticate/],
      [named('AccessDeniedException', 403), /denied access/],
      [named('KeyNotFoundException', 404), /was not found/],
      [named('InvalidUriPathException', 404), /invalid URI path/],
      [named('ThrottlingException', 429), /very high request rate/],
      [named('UnsupportedOperationException', 501), /does not support the requested operation/],
      [named('DependencyTimeoutException', 503), /time allotted/],
      [named('InternalException', 500), /cannot communicate with the external key manager/],
      [named('NoSuchException'), UNREADABLE],
      [{ status: 502, body: '<html>' }, UNREADABLE],
      [{ status: 204, body: '' }, UNREADABLE],
      [{ status: 302, headers: { location: 'https://elsewhere.example/' }, body: '' }, UNREADABLE],
      [{ body: 'null' }, UNREADABLE],
      [{ body: '{"ciphertext":1,"plaintext":["x"]}' }, UNREADABLE],
      [{ body: `{"plaintext":"${'A'.repeat(5_000_000)}"}` }, UNREADABLE],
      [{ headers: { 'content-length': '100' }, body: '{}' }, /did not respond in time/],
      ['silent', /did not respond in time/],
    ];
    const sealing: readonly (readonly [OddAnswer, RegExp])[] = [
      ...['authenticationTag', 'initializationVector', 'ciphertext', 'ciphertextMetadata'].map(
        (name) => [{ change: flipped(name) }, UNREADABLE] as const,
      ),
      [{ change: (answer) => ({ ...answer, ciphertextDataIntegrityValue: undefined }) }, UNREADABLE],
      [{ change: (answer) => ({ ...answer, authenticationTag: 'AAAA' }) }, UNREADABLE],
      [{ change: (answer) => ({ ...answer, initializationVector: '!' }) }, UNREADABLE],
      [{ change: (answer) => ({ ...answer, ciphertextMetadata: 'A'.repeat(28) }) }, UNREADABLE],
    ];
    const opening: readonly (readonly [OddAnswer, RegExp])[] = [
      [{ change: flipped('plaintext') }, /submitted for decryption/],
      [{ change: () => ({ plaintext: '' }) }, UNREADABLE],
      [named('InvalidCiphertextException'), /rejected the request because the specified ciphertext/],
    ];
    for (const [operation, answers, use] of [
      ['encrypt', [...both, ...sealing], () => encrypt()],
      ['decrypt', [...both, ...opening], () => decrypt(blob)],
    ] as const) {
      for (const [answer, message] of answers) {
        proxy.odd.set(operation, answer);
        const start = performance.now();
        await assert.rejects(
          use(),
          failsWith('KMSInvalidStateException', message),
          JSON.stringify(answer).slice(0, 99),
        );
        assert.ok(performance.now() - start < TIMEOUT_MS + 1000, 'within the time limit');
      }
      proxy.odd.delete(operation);
      await use();
    }
  });

  it('survive a connection that the proxy has closed, and do not survive another external key in the place of theirs', async () => {
    const blob = await encrypt();
    proxy.breaks = 1;
    assert.equal((await decrypt(blob)).toString(), 'plain');
    // A connection that was made for the request is another thing.
    proxy.breaks = 2;
    await assert.rejects(decrypt(blob), failsWith('KMSInvalidStateException', /cannot communicate/));
    assert.equal((await decrypt(blob)).toString(), 'plain');
    const former = proxy.keys.get('first') ?? Buffer.of();
    proxy.makeKey('first');
    await assert.rejects(decrypt(blob), failsWith('KMSInvalidStateException'));
    proxy.keys.set('first', former);
    assert.equal((await decrypt(blob)).toString(), 'plain');
    proxy.metadata.keyStatus = 'DISABLED';
    await assert.rejects(decrypt(blob), failsWith('KMSInvalidStateException', /is not enabled/));
  });

  it('are unavailable from the request after their key store was disconnected, and come back as they were', async () => {
    const blob = await encrypt();
    await disconnect();
    assert.equal(await stateOf(), 'Unavailable');
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    assert.equal(KeyMetadata?.Enabled, false);
    proxy.calls.length = 0;
    const refused = failsWith('KMSInvalidStateException', NOT_CONNECTED);
    await assert.rejects(encrypt(), refused);
    await assert.rejects(decrypt(blob), refused);
    await assert.rejects(kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })), refused);
    const dry = { KeyId, Plaintext: Buffer.from('x'), DryRun: true };
    await assert.rejects(kms.send(new EncryptCommand(dry)), refused);
    assert.equal(proxy.calls.length, 0, 'nothing is asked of the proxy');
    // They are managed all the same.
    await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] }));
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/unavailable', TargetKeyId: KeyId }));
    await kms.send(new DisableKeyCommand({ KeyId }));
    assert.equal(await stateOf(), 'Unavailable');
    await connect();
    assert.equal(await stateOf(), 'Disabled');
    await assert.rejects(decrypt(blob), failsWith('DisabledException'));
    await disconnect();
    await kms.send(new EnableKeyCommand({ KeyId }));
    await connect();
    assert.equal(await stateOf(), 'Enabled');
    assert.equal((await decrypt(blob)).toString(), 'plain');

    const doomed = await createKey('doomed');
    await disconnect();
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: doomed.KeyId, PendingWindowInDays: 7 }));
    assert.equal(await stateOf(doomed.KeyId), 'PendingDeletion');
    await kms.send(new CancelKeyDeletionCommand({ KeyId: doomed.KeyId }));
    assert.equal(await stateOf(doomed.KeyId), 'Unavailable');
    await connect();
    assert.equal(await stateOf(doomed.KeyId), 'Disabled');
  });

  it('do not rotate, take no material and do nothing that symmetric keys do not', async () => {
    const unsupported = failsWith('UnsupportedOperationException');
    await assert.rejects(kms.send(new EnableKeyRotationCommand({ KeyId })), unsupported);
    await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId })), unsupported);
    const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
    await assert.rejects(kms.send(new GetParametersForImportCommand({ KeyId, ...wrapping })), unsupported);
    const message = { KeyId, Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' } as const;
    await assert.rejects(kms.send(new SignCommand(message)), failsWith('InvalidKeyUsageException'));
    await assert.rejects(kms.send(new GetKeyRotationStatusCommand({ KeyId })), unsupported);
    assert.deepEqual((await kms.send(new ListKeyRotationsCommand({ KeyId }))).Rotations, []);
    await kms.send(
      new CreateGrantCommand({
        KeyId,
        GranteePrincipal: `arn:aws:iam::${platform.accountId}:root`,
        Operations: ['Decrypt'],
      }),
    );
  });

  it('encrypt objects of S3, which open while the key store is connected, and are verified through the proxy', async () => {
    const s3 = new S3Client(platform.clientConfig());
    const place = { Bucket: 'external', Key: 'film' };
    await s3.send(new CreateBucketCommand({ Bucket: place.Bucket }));
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: arn } as const;
    await s3.send(new PutObjectCommand({ ...place, ...encryption, Body: 'content' }));
    const read = async () => (await s3.send(new GetObjectCommand(place))).Body?.transformToString();
    assert.equal(await read(), 'content');
    assert.deepEqual(
      proxy.calls.map(({ operation, metadata }) => [operation, metadata['kmsOperation'], metadata['kmsViaService']]),
      [
        ['encrypt', 'GenerateDataKey', 's3.us-east-1.amazonaws.com'],
        ['decrypt', 'Decrypt', 's3.us-east-1.amazonaws.com'],
      ],
    );
    assert.deepEqual(await verify(), []);
    assert.equal(proxy.calls.at(-1)?.metadata['awsPrincipalArn'], 'AWS Internal');
    await disconnect();
    await assert.rejects(read(), { name: 'KMS.KMSInvalidStateException' });
    await connect();
    assert.equal(await read(), 'content');
    s3.destroy();
  });

  async function verify(): Promise<unknown[]> {
    const connection = await connectToServer(platform.dataFolder);
    assert.ok(connection);
    const found: unknown[] = [];
    for await (const reply of askServer(connection, { command: 'verify' })) {
      if (reply.type === 'item' && 'damage' in (reply.value as object)) found.push(reply.value);
    }
    connection.destroy();
    return found;
  }

  it('are signed for with the credential of the moment, which lies nowhere and is told to nobody', async () => {
    const former = proxy.credential;
    proxy.credential = newCredential();
    await assert.rejects(encrypt(), failsWith('KMSInvalidStateException', /could not authenticate/));
    const update = { CustomKeyStoreId, XksProxyAuthenticationCredential: proxy.credential };
    await kms.send(new UpdateCustomKeyStoreCommand(update));
    await encrypt();
    const trail = new CloudTrailClient(platform.clientConfig());
    const names = ['CreateCustomKeyStore', 'UpdateCustomKeyStore'];
    for (const AttributeValue of names) {
      const LookupAttributes = [{ AttributeKey: 'EventName', AttributeValue } as const];
      const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }));
      assert.equal(Events.length, 1);
      for (const { RawSecretAccessKey } of [former, proxy.credential]) {
        assert.ok(!JSON.stringify(Events).includes(RawSecretAccessKey));
      }
    }
    trail.destroy();
    for (const file of await filesUnder(platform.dataFolder)) {
      const bytes = await readFile(file);
      for (const { RawSecretAccessKey } of [former, proxy.credential]) {
        assert.ok(!bytes.includes(RawSecretAccessKey), file);
      }
    }
  });

  it('open after the root key was changed, and sign with the same credential', async () => {
    const blob = await encrypt();
    const connection = await connectToServer(platform.dataFolder);
    assert.ok(connection);
    const to = { provider: 'key-file', path: join(platform.dataFolder, '..', 'next.key') } as const;
    const replies = await Array.fromAsync(
      askServer(connection, { command: 'root-key-rotate', to, endsSessions: false }),
    );
    assert.deepEqual(
      replies.filter((reply) => reply.type === 'error'),
      [],
    );
    connection.destroy();
    assert.equal((await decrypt(blob)).toString(), 'plain');
    await encrypt();
  });
});
