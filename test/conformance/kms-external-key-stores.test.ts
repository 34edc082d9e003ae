import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  type CreateCustomKeyStoreCommandInput,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisconnectCustomKeyStoreCommand,
  GenerateRandomCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms';
import { readConfig } from '../../bin/config.ts';
import { failsWith } from '../harness/kms-errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { newCredential, type OddAnswer, XksProxy } from '../harness/xks-proxy.ts';

const TIMEOUT_MS = 1000;

describe('external key stores', () => {
  let proxy: XksProxy;
  let plain: XksProxy;
  let mistaken: XksProxy;
  let platform: TestPlatform;
  let kms: KMSClient;

  before(async () => {
    proxy = await XksProxy.start('xks.example');
    plain = await XksProxy.start('plain.example', false);
    mistaken = await XksProxy.start('mistaken.example', true, 'other.example');
    const routes = [proxy, plain, mistaken].map((one) => one.route);
    const nowhere = 'nowhere.example=https://127.0.0.1:9';
    platform = await startTestPlatform({
      COFFER_XKS_PROXIES: [...routes, nowhere].join(','),
      COFFER_XKS_TIMEOUT_MS: String(TIMEOUT_MS),
    });
    kms = new KMSClient(platform.clientConfig());
    for (const key of ['first', 'second']) proxy.makeKey(key);
  });
  after(async () => {
    kms.destroy();
    await platform.stop();
    for (const one of [mistaken, plain, proxy]) one.stop();
  });
  afterEach(async () => {
    proxy.odd.clear();
    proxy.health = 'ACTIVE';
    Object.assign(proxy.metadata, { keySpec: 'AES_256', keyUsage: ['ENCRYPT', 'DECRYPT'], keyStatus: 'ENABLED' });
    await forgetAll();
  });

  async function forgetAll(): Promise<void> {
    const { CustomKeyStores = [] } = await kms.send(new DescribeCustomKeyStoresCommand({}));
    for (const { CustomKeyStoreId, ConnectionState } of CustomKeyStores) {
      if (ConnectionState !== 'DISCONNECTED') await kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
      await kms
        .send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }))
        .catch(failsWith('CustomKeyStoreHasCMKsException'));
    }
  }

  function settings(change: Partial<CreateCustomKeyStoreCommandInput> = {}): CreateCustomKeyStoreCommandInput {
    return {
      CustomKeyStoreName: 'store',
      CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
      XksProxyConnectivity: 'PUBLIC_ENDPOINT',
      XksProxyUriEndpoint: proxy.endpoint,
      XksProxyUriPath: proxy.path,
      XksProxyAuthenticationCredential: proxy.credential,
      ...change,
    };
  }

  async function create(change: Partial<CreateCustomKeyStoreCommandInput> = {}): Promise<string> {
    return (await kms.send(new CreateCustomKeyStoreCommand(settings(change)))).CustomKeyStoreId ?? '';
  }

  async function described(id: string) {
    const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId: id }));
    return CustomKeyStores?.[0] ?? {};
  }

  function refusesToCreate(change: Partial<CreateCustomKeyStoreCommandInput>, name: string, message?: RegExp) {
    return assert.rejects(create(change), failsWith(name, message));
  }

  it('is made, connected, disconnected and deleted, and its secret is never told', async () => {
    const id = await create();
    assert.match(id, /^cks-[0-9a-f]{17}$/);
    const store = await described(id);
    assert.deepEqual(
      { ...store, CreationDate: undefined },
      {
        CustomKeyStoreId: id,
        CustomKeyStoreName: 'store',
        CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
        ConnectionState: 'DISCONNECTED',
        CreationDate: undefined,
        XksProxyConfiguration: {
          Connectivity: 'PUBLIC_ENDPOINT',
          AccessKeyId: proxy.credential.AccessKeyId,
          UriEndpoint: proxy.endpoint,
          UriPath: proxy.path,
        },
      },
    );
    assert.deepEqual(proxy.calls.at(-1)?.metadata['kmsOperation'], 'CreateCustomKeyStore');
    const target = { CustomKeyStoreId: id };
    await assert.rejects(
      kms.send(new DisconnectCustomKeyStoreCommand(target)),
      failsWith('CustomKeyStoreInvalidStateException'),
    );
    await kms.send(new ConnectCustomKeyStoreCommand(target));
    assert.equal((await described(id)).ConnectionState, 'CONNECTED');
    await kms.send(new ConnectCustomKeyStoreCommand(target));
    await assert.rejects(
      kms.send(new DeleteCustomKeyStoreCommand(target)),
      failsWith('CustomKeyStoreInvalidStateException'),
    );
    await kms.send(new DisconnectCustomKeyStoreCommand(target));
    await kms.send(new DeleteCustomKeyStoreCommand(target));
    for (const Command of [
      ConnectCustomKeyStoreCommand,
      DisconnectCustomKeyStoreCommand,
      DeleteCustomKeyStoreCommand,
    ]) {
      await assert.rejects(kms.send(new Command(target)), failsWith('CustomKeyStoreNotFoundException'));
    }
    await assert.rejects(described(id), failsWith('CustomKeyStoreNotFoundException'));
  });

  it('is refused where its name or address is in use, or where it needs AWS’s own hardware and network', async () => {
    await create();
    await refusesToCreate({ XksProxyUriPath: '/other/kms/xks/v1' }, 'CustomKeyStoreNameInUseException');
    await refusesToCreate({ CustomKeyStoreName: 'other' }, 'XksProxyUriInUseException');
    await refusesToCreate({ CustomKeyStoreType: undefined }, 'UnsupportedOperationException', /CloudHSM/);
    await refusesToCreate(
      { XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE' },
      'UnsupportedOperationException',
      /VPC_ENDPOINT_SERVICE/,
    );
    await refusesToCreate({ KeyStorePassword: 'password' }, 'ValidationException', /KeyStorePassword/);
    await refusesToCreate({ XksProxyUriEndpoint: undefined }, 'ValidationException', /XksProxyUriEndpoint/);
    await refusesToCreate({ XksProxyAuthenticationCredential: undefined }, 'ValidationException', /Credential/);
    await refusesToCreate({ XksProxyUriPath: '/kms/xks/v2' }, 'ValidationException', /v1/);
    await refusesToCreate({ XksProxyUriEndpoint: 'http://xks.example' }, 'ValidationException', /pattern/);
    // Another region's and another account's are others.
    const elsewhere = new KMSClient(platform.clientConfig(undefined, 'eu-west-1'));
    const { CustomKeyStoreId } = await elsewhere.send(new CreateCustomKeyStoreCommand(settings()));
    await assert.rejects(described(CustomKeyStoreId ?? ''), failsWith('CustomKeyStoreNotFoundException'));
    elsewhere.destroy();
  });

  it('is refused where its proxy does not answer as it should', async () => {
    const unreachable = 'XksProxyUriUnreachableException';
    const wrong = { XksProxyAuthenticationCredential: newCredential() };
    await refusesToCreate(wrong, 'XksProxyIncorrectAuthenticationCredentialException');
    await refusesToCreate({ XksProxyUriPath: '/wrong/kms/xks/v1' }, 'XksProxyInvalidConfigurationException');
    await refusesToCreate({ XksProxyUriEndpoint: 'https://nowhere.example' }, unreachable, /cannot communicate/);
    await refusesToCreate({ XksProxyUriEndpoint: 'https://mistaken.example' }, unreachable, /TLS/);
    for (const host of ['127.0.0.1', 'localhost', '2130706433', '169.254.169.254']) {
      await refusesToCreate({ XksProxyUriEndpoint: `https://${host}` }, unreachable, /private address/);
    }
    proxy.health = 'UNAVAILABLE';
    await refusesToCreate({}, unreachable, /no external key manager/);
    proxy.health = 'DEGRADED';
    const odd: readonly (readonly [OddAnswer, string])[] = [
      [{ status: 503, body: '{"errorName":"DependencyTimeoutException"}' }, unreachable],
      [{ status: 429, body: '{"errorName":"ThrottlingException"}' }, unreachable],
      [{ status: 500, body: '{"errorName":"InternalException"}' }, 'XksProxyInvalidResponseException'],
      [{ status: 502, body: '<html>Bad gateway</html>' }, 'XksProxyInvalidResponseException'],
      [{ status: 307, headers: { location: '/elsewhere' }, body: '' }, 'XksProxyInvalidResponseException'],
      [{ body: '{}' }, 'XksProxyInvalidResponseException'],
      [{ body: `"${'x'.repeat(1_000_000)}"` }, 'XksProxyInvalidResponseException'],
      [{ change: (answer) => ({ ...answer, ekmFleetDetails: [] }) }, 'XksProxyInvalidResponseException'],
    ];
    for (const [answer, name] of odd) {
      proxy.odd.set('health', answer);
      await refusesToCreate({}, name);
    }
    proxy.odd.set('health', 'silent');
    const start = performance.now();
    await refusesToCreate({}, unreachable, /did not respond in time/);
    assert.ok(performance.now() - start < TIMEOUT_MS + 1000, 'within the time limit');
    const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({}));
    assert.deepEqual(CustomKeyStores, []);
  });

  it('says why it could not be connected, and is connected after it was disconnected and mended', async () => {
    const id = await create();
    const target = { CustomKeyStoreId: id };
    const codes: readonly (readonly [OddAnswer, string])[] = [
      [{ status: 403, body: '{"errorName":"AccessDeniedException"}' }, 'XKS_PROXY_ACCESS_DENIED'],
      [{ status: 401, body: '{"errorName":"AuthenticationFailedException"}' }, 'INVALID_CREDENTIALS'],
      [{ status: 404, body: '{"errorName":"InvalidUriPathException"}' }, 'XKS_PROXY_INVALID_CONFIGURATION'],
      [{ body: 'no JSON' }, 'XKS_PROXY_INVALID_RESPONSE'],
      ['silent', 'XKS_PROXY_TIMED_OUT'],
    ];
    for (const [answer, code] of codes) {
      proxy.odd.set('health', answer);
      await kms.send(new ConnectCustomKeyStoreCommand(target));
      const { ConnectionState, ConnectionErrorCode } = await described(id);
      assert.deepEqual([ConnectionState, ConnectionErrorCode], ['FAILED', code]);
      for (const Command of [ConnectCustomKeyStoreCommand, DeleteCustomKeyStoreCommand]) {
        await assert.rejects(kms.send(new Command(target)), failsWith('CustomKeyStoreInvalidStateException'));
      }
      await kms.send(new DisconnectCustomKeyStoreCommand(target));
    }
    proxy.odd.clear();
    await kms.send(new ConnectCustomKeyStoreCommand(target));
    const { ConnectionState, ConnectionErrorCode } = await described(id);
    assert.deepEqual([ConnectionState, ConnectionErrorCode], ['CONNECTED', undefined]);
  });

  it('answers each of its operations as AWS does, whatever the state of its connection', async () => {
    const wrong = 'CustomKeyStoreInvalidStateException';
    const outcomes: Readonly<Record<string, readonly string[]>> = {
      // By the states' order below.
      ConnectCustomKeyStore: ['', '', wrong],
      DisconnectCustomKeyStore: [wrong, '', ''],
      DeleteCustomKeyStore: ['', wrong, wrong],
      UpdateCustomKeyStore: ['', '', wrong],
      DescribeCustomKeyStores: ['', '', ''],
      CreateKey: [wrong, 'XksKeyNotFoundException', wrong],
    };
    const commands: Readonly<Record<string, (id: string) => unknown>> = {
      ConnectCustomKeyStore: (CustomKeyStoreId) => new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }),
      DisconnectCustomKeyStore: (CustomKeyStoreId) => new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }),
      DeleteCustomKeyStore: (CustomKeyStoreId) => new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }),
      UpdateCustomKeyStore: (CustomKeyStoreId) =>
        new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, NewCustomKeyStoreName: 'renamed' }),
      DescribeCustomKeyStores: (CustomKeyStoreId) => new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }),
      CreateKey: (CustomKeyStoreId) =>
        new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'of-nobody' }),
    };
    proxy.isAnyPath = true;
    for (const [index, state] of ['DISCONNECTED', 'CONNECTED', 'FAILED'].entries()) {
      for (const [name, command] of Object.entries(commands)) {
        const id = await create({
          CustomKeyStoreName: `${name} ${state}`,
          XksProxyUriPath: `/${name}/${state}/kms/xks/v1`,
        });
        if (state === 'FAILED') proxy.health = 'UNAVAILABLE';
        if (state !== 'DISCONNECTED') await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId: id }));
        proxy.health = 'ACTIVE';
        assert.equal((await described(id)).ConnectionState, state);
        const outcome = await kms.send(command(id) as ConnectCustomKeyStoreCommand).then(
          () => '',
          (error: unknown) => (error instanceof Error ? error.name : 'no error'),
        );
        assert.equal(outcome, outcomes[name]?.[index], `${name} of a key store that is ${state}`);
        await forgetAll();
      }
    }
    const CustomKeyStoreId = 'cks-00000000000000000';
    for (const [name, command] of Object.entries(commands)) {
      const refusal = failsWith('CustomKeyStoreNotFoundException');
      await assert.rejects(kms.send(command(CustomKeyStoreId) as ConnectCustomKeyStoreCommand), refusal, name);
    }
    proxy.isAnyPath = false;
  });

  it('takes a new name, credential and path while it is connected, and another endpoint when it is not', async () => {
    const id = await create();
    const other = await create({
      CustomKeyStoreName: 'plain',
      XksProxyUriEndpoint: plain.endpoint,
      XksProxyAuthenticationCredential: plain.credential,
    });
    const update = (change: object) => kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId: id, ...change }));
    await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId: id }));
    await update({ NewCustomKeyStoreName: 'renamed' });
    assert.equal((await described(id)).CustomKeyStoreName, 'renamed');
    const former = proxy.credential;
    proxy.credential = newCredential();
    await assert.rejects(
      update({ XksProxyAuthenticationCredential: former }),
      failsWith('XksProxyIncorrectAuthenticationCredentialException'),
    );
    await update({ XksProxyAuthenticationCredential: proxy.credential });
    assert.equal((await described(id)).XksProxyConfiguration?.AccessKeyId, proxy.credential.AccessKeyId);
    await assert.rejects(
      update({ XksProxyUriPath: '/x/kms/xks/v1' }),
      failsWith('XksProxyInvalidConfigurationException'),
    );
    const toOther = { XksProxyUriEndpoint: plain.endpoint, XksProxyAuthenticationCredential: plain.credential };
    await assert.rejects(update(toOther), failsWith('CustomKeyStoreInvalidStateException'));
    await assert.rejects(update({}), failsWith('ValidationException'));
    await assert.rejects(update({ CloudHsmClusterId: 'cluster-aaaaaaaaaaa' }), failsWith('ValidationException'));
    await assert.rejects(update({ NewCustomKeyStoreName: 'plain' }), failsWith('CustomKeyStoreNameInUseException'));
    await kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId: id }));
    await assert.rejects(update(toOther), failsWith('XksProxyUriInUseException'));
    await kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId: other }));
    await update(toOther);
    assert.equal((await described(id)).XksProxyConfiguration?.UriEndpoint, plain.endpoint);
    await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId: id }));
    assert.equal((await described(id)).ConnectionState, 'CONNECTED');
  });

  it('is one of ten at most', async () => {
    proxy.isAnyPath = true;
    const path = (index: number) => ({ CustomKeyStoreName: `store ${index}`, XksProxyUriPath: `/${index}/kms/xks/v1` });
    for (let index = 0; index < 10; index += 1) await create(path(index));
    await refusesToCreate(path(10), 'LimitExceededException');
    proxy.isAnyPath = false;
  });

  it('is found by its name or id, and listed in pages', async () => {
    const ids = [
      await create(),
      await create({
        CustomKeyStoreName: 'plain',
        XksProxyUriEndpoint: plain.endpoint,
        XksProxyAuthenticationCredential: plain.credential,
      }),
    ];
    const describe = async (input: object) => kms.send(new DescribeCustomKeyStoresCommand(input));
    const named = await describe({ CustomKeyStoreName: 'plain' });
    assert.deepEqual(
      named.CustomKeyStores?.map((store) => store.CustomKeyStoreId),
      [ids[1]],
    );
    const first = await describe({ Limit: 1 });
    const second = await describe({ Limit: 1, Marker: first.NextMarker });
    const listed = [first, second].flatMap((page) => page.CustomKeyStores ?? []);
    assert.deepEqual(
      listed.map((store) => store.CustomKeyStoreId),
      ids.toSorted(),
    );
    assert.deepEqual([first.Truncated, second.Truncated, second.NextMarker], [true, false, undefined]);
    await assert.rejects(describe({ CustomKeyStoreName: 'none' }), failsWith('CustomKeyStoreNotFoundException'));
    const both = { CustomKeyStoreName: 'plain', CustomKeyStoreId: ids[1] };
    await assert.rejects(describe(both), failsWith('ValidationException'));
    await assert.rejects(describe({ Marker: '!' }), failsWith('InvalidMarkerException'));
  });

  it('holds keys that are enabled AES-256 keys of the key manager, each for one KMS key', async () => {
    const id = await create();
    const ask: CreateKeyCommandInput = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId: id, XksKeyId: 'first' };
    const createKey = (change: object = {}) => kms.send(new CreateKeyCommand({ ...ask, ...change }));
    await assert.rejects(createKey(), failsWith('CustomKeyStoreInvalidStateException', /not connected/));
    await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId: id }));
    for (const change of [{ keySpec: 'AES_128' }, { keyUsage: ['ENCRYPT'] }, { keyStatus: 'DISABLED' }]) {
      const truth = { ...proxy.metadata };
      Object.assign(proxy.metadata, change);
      await assert.rejects(createKey(), failsWith('XksKeyInvalidConfigurationException'));
      Object.assign(proxy.metadata, truth);
    }
    const unsupported = failsWith('UnsupportedOperationException');
    await assert.rejects(createKey({ XksKeyId: 'none' }), failsWith('XksKeyNotFoundException'));
    await assert.rejects(createKey({ XksKeyId: '..' }), failsWith('ValidationException'));
    await assert.rejects(createKey({ XksKeyId: undefined }), failsWith('ValidationException'));
    await assert.rejects(createKey({ CustomKeyStoreId: 'cks-0' }), failsWith('CustomKeyStoreNotFoundException'));
    await assert.rejects(createKey({ MultiRegion: true }), unsupported);
    await assert.rejects(createKey({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }), unsupported);
    await assert.rejects(createKey({ Origin: 'AWS_CLOUDHSM' }), unsupported);
    await assert.rejects(createKey({ Origin: undefined }), failsWith('ValidationException'));
    proxy.odd.set('metadata', { status: 403, body: '{"errorName":"AccessDeniedException"}' });
    await assert.rejects(createKey(), failsWith('KMSInvalidStateException', /denied access/));
    proxy.odd.set('metadata', { body: '[]' });
    await assert.rejects(createKey(), failsWith('CustomKeyStoreInvalidStateException'));
    proxy.odd.clear();

    const { KeyMetadata } = await createKey();
    const KeyId = KeyMetadata?.KeyId;
    const { KeyMetadata: seen } = await kms.send(new DescribeKeyCommand({ KeyId }));
    assert.deepEqual(seen, KeyMetadata);
    const { Origin, CustomKeyStoreId, XksKeyConfiguration, KeyState, CurrentKeyMaterialId } = seen ?? {};
    assert.deepEqual(
      { Origin, CustomKeyStoreId, XksKeyConfiguration, KeyState, CurrentKeyMaterialId },
      {
        Origin: 'EXTERNAL_KEY_STORE',
        CustomKeyStoreId: id,
        XksKeyConfiguration: { Id: 'first' },
        KeyState: 'Enabled',
        CurrentKeyMaterialId: undefined,
      },
    );
    const metadata = proxy.calls.at(-1)?.metadata ?? {};
    assert.deepEqual(
      [metadata['awsPrincipalArn'], metadata['kmsOperation']],
      [`arn:aws:iam::${platform.accountId}:root`, 'CreateKey'],
    );
    await assert.rejects(createKey(), failsWith('XksKeyAlreadyInUseException'));
    await createKey({ XksKeyId: 'second' });
    await assert.rejects(
      kms.send(new GenerateRandomCommand({ NumberOfBytes: 8, CustomKeyStoreId: id })),
      failsWith('UnsupportedOperationException'),
    );
    await kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId: id }));
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await assert.rejects(
      kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId: id })),
      failsWith('CustomKeyStoreHasCMKsException'),
    );
  });

  it('have as long to answer as in AWS, unless the operator says otherwise', () => {
    assert.equal(readConfig({}, {}).xksTimeoutMs, 250);
    for (const timeout of ['49', '10001', '1s']) {
      assert.throws(() => readConfig({}, { COFFER_XKS_TIMEOUT_MS: timeout }), /COFFER_XKS_TIMEOUT_MS/);
    }
    assert.throws(() => readConfig({}, { COFFER_XKS_PROXIES: 'http://xks.example' }), /COFFER_XKS_PROXIES/);
  });
});
