import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  type Filter,
  GetSecretValueCommand,
  ListSecretsCommand,
  type ListSecretsRequest,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { createAccount } from '../harness/accounts.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { failsWith } from '../harness/secrets-manager.ts';

const DAY_S = 86_400;

describe('Lists of secrets', () => {
  let platform: TestPlatform;
  let client: SecretsManagerClient;

  before(async () => {
    platform = await startTestPlatform();
    client = new SecretsManagerClient(platform.clientConfig());
    const create = (Name: string, Description?: string, tags: Record<string, string> = {}) =>
      client.send(
        new CreateSecretCommand({
          Name,
          ...(Description && { Description }),
          Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
        }),
      );
    await create('app/alpha', 'The Front door', { team: 'Blue', stage: 'live' });
    await create('app/beta', 'the back door', { team: 'red' });
    await create('ops/gamma', 'A window', { Team: 'blue' });
    await create('App/delta');
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  const names = async (extra: ListSecretsRequest = {}) =>
    ((await client.send(new ListSecretsCommand({ SortBy: 'name', SortOrder: 'asc', ...extra }))).SecretList ?? []).map(
      ({ Name }) => Name,
    );
  const filtered = (...Filters: Filter[]) => names({ Filters });

  it('show each with its details, of the caller’s account only', async () => {
    const { SecretList = [] } = await client.send(new ListSecretsCommand({}));
    // The newest first.
    assert.deepEqual(
      SecretList.map(({ Name }) => Name),
      ['App/delta', 'ops/gamma', 'app/beta', 'app/alpha'],
    );
    const last = SecretList.at(-1);
    assert.equal(last?.Description, 'The Front door');
    assert.ok(last?.CreatedDate && last.LastChangedDate && last.ARN?.includes(':secret:app/alpha-'));
    assert.deepEqual(last.Tags, [
      { Key: 'team', Value: 'Blue' },
      { Key: 'stage', Value: 'live' },
    ]);
    const other = await createAccount(platform);
    const foreign = new SecretsManagerClient(platform.clientConfig(other));
    assert.deepEqual((await foreign.send(new ListSecretsCommand({}))).SecretList, []);
    foreign.destroy();
  });

  it('are filtered by beginnings, with or without regard to case, negated, and all together', async () => {
    assert.deepEqual(await filtered({ Key: 'name', Values: ['app/'] }), ['app/alpha', 'app/beta']);
    assert.deepEqual(await filtered({ Key: 'name', Values: ['app/', 'ops'] }), ['app/alpha', 'app/beta', 'ops/gamma']);
    assert.deepEqual(await filtered({ Key: 'name', Values: ['!app/'] }), ['App/delta', 'ops/gamma']);
    assert.deepEqual(await filtered({ Key: 'description', Values: ['THE '] }), ['app/alpha', 'app/beta']);
    assert.deepEqual(await filtered({ Key: 'description', Values: ['door'] }), []);
    assert.deepEqual(await filtered({ Key: 'tag-key', Values: ['te'] }), ['app/alpha', 'app/beta']);
    assert.deepEqual(await filtered({ Key: 'tag-value', Values: ['blue'] }), ['ops/gamma']);
    assert.deepEqual(await filtered({ Key: 'all', Values: ['DOOR front'] }), ['app/alpha']);
    assert.deepEqual(await filtered({ Key: 'all', Values: ['blue'] }), ['app/alpha', 'ops/gamma']);
    assert.deepEqual(await filtered({ Key: 'owning-service', Values: ['rds'] }), []);
    assert.deepEqual(await filtered({ Key: 'name', Values: ['app/'] }, { Key: 'tag-value', Values: ['!Blue'] }), [
      'app/beta',
    ]);
    const invalid = failsWith('InvalidParameterException');
    await assert.rejects(filtered({ Values: ['x'] }), invalid);
    await assert.rejects(filtered({ Key: 'name' }), invalid);
    await assert.rejects(filtered({ Key: 'colour' as never, Values: ['x'] }), failsWith('ValidationException'));
  });

  it('are sorted as asked, and paged in every order', async () => {
    for (const SortBy of ['name', 'created-date', 'last-changed-date', 'last-accessed-date'] as const) {
      for (const SortOrder of ['asc', 'desc'] as const) {
        const whole = await names({ SortBy, SortOrder });
        assert.equal(whole.length, 4);
        const paged: (string | undefined)[] = [];
        let NextToken: string | undefined;
        do {
          const page = await client.send(
            new ListSecretsCommand({ SortBy, SortOrder, MaxResults: 3, ...(NextToken && { NextToken }) }),
          );
          paged.push(...(page.SecretList ?? []).map(({ Name }) => Name));
          NextToken = page.NextToken;
        } while (NextToken !== undefined);
        assert.deepEqual(paged, whole, `${SortBy} ${SortOrder}`);
      }
    }
    assert.deepEqual(await names(), ['App/delta', 'app/alpha', 'app/beta', 'ops/gamma']);
    const { NextToken = '' } = await client.send(new ListSecretsCommand({ MaxResults: 1 }));
    const badToken = failsWith('InvalidNextTokenException');
    await assert.rejects(names({ NextToken }), badToken, 'a token of another order');
    for (const token of ['x', '!', 'W10', Buffer.from('[1,"secrets name asc",{},"x"]').toString('base64url')]) {
      await assert.rejects(names({ NextToken: token }), badToken, token);
    }
    await assert.rejects(names({ MaxResults: 101 }), failsWith('ValidationException', /100/));
  });

  it('show what is to be deleted only when that is asked for', async () => {
    await client.send(new CreateSecretCommand({ Name: 'zoo/doomed' }));
    await client.send(new DeleteSecretCommand({ SecretId: 'zoo/doomed' }));
    assert.ok(!(await names()).includes('zoo/doomed'));
    const { SecretList = [] } = await client.send(
      new ListSecretsCommand({ IncludePlannedDeletion: true, Filters: [{ Key: 'name', Values: ['zoo/'] }] }),
    );
    assert.ok(SecretList[0]?.DeletedDate instanceof Date);
  });
});

describe('Secrets, as time passes', () => {
  let server: ClockedServer;
  const open: SecretsManagerClient[] = [];

  before(async () => {
    server = await ClockedServer.start();
  });
  after(async () => {
    for (const client of open) client.destroy();
    await server.stop();
  });

  /** On the server's clock, for one request. */
  function connect(): SecretsManagerClient {
    const systemClockOffset = server.parts.now - Date.now();
    const client = new SecretsManagerClient({ ...server.clientConfig(), systemClockOffset });
    open.push(client);
    return client;
  }

  it('are gone when the recovery window is over, whether or not they were swept, and their names are free', async () => {
    const { janitor, store } = server.parts.services.secretsManager;
    const SecretId = 'doomed';
    for (const Name of ['doomed', 'swept']) {
      await connect().send(new CreateSecretCommand({ Name, SecretString: 'x' }));
      await connect().send(new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays: 7 }));
    }
    server.pass(7 * DAY_S - 60);
    assert.equal(await janitor.sweep(), 0);
    assert.ok((await connect().send(new DescribeSecretCommand({ SecretId }))).DeletedDate);
    server.pass(120);
    await assert.rejects(
      connect().send(new DescribeSecretCommand({ SecretId })),
      failsWith('ResourceNotFoundException'),
    );
    const planned = new ListSecretsCommand({ IncludePlannedDeletion: true });
    assert.deepEqual((await connect().send(planned)).SecretList, []);
    await connect().send(new CreateSecretCommand({ Name: SecretId, SecretString: 'again' }));
    assert.equal((await connect().send(new GetSecretValueCommand({ SecretId }))).SecretString, 'again');
    assert.equal(await janitor.sweep(), 1);
    assert.deepEqual(
      (await store.allUnchecked()).map(({ name }) => name),
      ['doomed'],
    );
  });

  it('let go of versions without labels beyond the newest hundred, after a day', async () => {
    const SecretId = 'many';
    await connect().send(new CreateSecretCommand({ Name: SecretId, SecretString: '0' }));
    const put = (value: string, stage = 'AWSCURRENT') =>
      connect().send(new PutSecretValueCommand({ SecretId, SecretString: value, VersionStages: [stage] }));
    const kept = (await put('kept', 'mine')).VersionId;
    server.pass(1);
    for (let index = 0; index < 110; index++) await put(String(index));
    const count = async () => {
      const ids = [];
      let NextToken: string | undefined;
      do {
        const command = new ListSecretVersionIdsCommand({
          SecretId,
          IncludeDeprecated: true,
          ...(NextToken && { NextToken }),
        });
        const page = await connect().send(command);
        ids.push(...(page.Versions ?? []).map(({ VersionId }) => VersionId));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      return ids;
    };
    assert.equal((await count()).length, 112);
    server.pass(2 * DAY_S);
    await put('after two days');
    const left = await count();
    assert.equal(left.length, 101);
    assert.ok(left.includes(kept), 'what has a label stays');
    assert.equal((await connect().send(new GetSecretValueCommand({ SecretId }))).SecretString, 'after two days');
  });
});
