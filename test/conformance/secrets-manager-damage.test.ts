import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { asAccountId, asRegion } from '#kernel/ids.ts';
import { ClockedServer } from '../harness/clocked-server.ts';

describe('What is stored of secrets', () => {
  let server: ClockedServer;
  let client: SecretsManagerClient;

  before(async () => {
    server = await ClockedServer.start();
    client = new SecretsManagerClient(server.clientConfig());
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  const store = () => server.parts.services.secretsManager.store;
  const versionRows = async () => {
    const rows = await Promise.all(
      (await store().allUnchecked()).map(({ id }) => Array.fromAsync(store().versionsUnchecked(id))),
    );
    return rows.flat();
  };

  /** What a version's value is stored in. */
  async function whole(versionId: string) {
    const version = (await versionRows()).find(({ version_id }) => version_id === versionId);
    assert.ok(version);
    const { sealed, data_key, key_arn } = version;
    return { sealed, data_key, key_arn };
  }

  it('does not open in the place of another value, even under a row’s own seal, and verify names it', async () => {
    const { ARN, VersionId = '' } = await client.send(
      new CreateSecretCommand({ Name: 'swapped', SecretString: 'mine' }),
    );
    const { VersionId: second = '' } = await client.send(
      new PutSecretValueCommand({ SecretId: 'swapped', SecretString: 'other' }),
    );
    assert.deepEqual(await server.parts.verify(), []);
    const [one, other] = [VersionId, second].map(
      (id) => async () => (await versionRows()).find(({ version_id }) => version_id === id),
    );
    const [first, last] = [await one?.(), await other?.()];
    assert.ok(first && last);
    const { data_key, key_arn, sealed } = first;
    // Written through the store, so that the row bears its seal.
    for (const set of [
      { sealed },
      { sealed, data_key, key_arn },
      { ...(await whole(second)), kind: 'binary' as const },
    ]) {
      await store().write(async (transaction) => {
        await transaction.updateTable('secrets_manager_version').set(set).where('version_id', '=', second).execute();
      });
      await assert.rejects(client.send(new GetSecretValueCommand({ SecretId: 'swapped' })), (error: Error) => {
        assert.match(error.name, /InternalServiceError|DecryptionFailure/);
        assert.doesNotMatch(String(error), /mine|other/);
        return true;
      });
      const damage = await server.parts.verify();
      assert.deepEqual(
        damage.map(({ what }) => what),
        [`${ARN} version ${second}`],
      );
    }
    await store().write(async (transaction) => {
      const { sealed: right, data_key: rightKey, key_arn: rightArn } = last;
      await transaction
        .updateTable('secrets_manager_version')
        .set({ sealed: right, data_key: rightKey, key_arn: rightArn, kind: 'string' })
        .where('version_id', '=', second)
        .execute();
    });
    assert.equal((await client.send(new GetSecretValueCommand({ SecretId: 'swapped' }))).SecretString, 'other');
  });

  it('is not given to a call that was allowed another secret of that name', async () => {
    const { secrets } = server.parts.services.secretsManager;
    const create = () => client.send(new CreateSecretCommand({ Name: 'replaced', SecretString: 'x' }));
    const remove = new DeleteSecretCommand({ SecretId: 'replaced', ForceDeleteWithoutRecovery: true });
    await create();
    const { accountId } = server;
    const arn = `arn:aws:iam::${accountId}:root`;
    const caller = { type: 'root', accountId: asAccountId(accountId), arn, principalId: accountId } as const;
    const call = { caller, region: asRegion('us-east-1'), now: server.parts.now };
    await secrets.access('GetSecretValue', 'replaced', call);
    assert.equal((await secrets.find('replaced', call)).name, 'replaced');
    await client.send(remove);
    await create();
    await assert.rejects(secrets.find('replaced', call), { code: 'ResourceNotFoundException' });
    assert.equal((await secrets.find('replaced', { ...call })).name, 'replaced');
  });

  it('goes with the account', async () => {
    const AddReplicaRegions = [{ Region: 'eu-west-1' }];
    await client.send(new CreateSecretCommand({ Name: 'gone', SecretString: 'x', AddReplicaRegions }));
    const [account] = await server.parts.services.iam.accounts.list();
    assert.ok(account && (await store().allUnchecked()).length >= 2);
    for (const { accountId } of await server.parts.services.iam.accounts.list()) {
      const step = server.parts.services.purgeSteps(accountId).find(({ what }) => what === 'secrets');
      await step?.run();
    }
    assert.deepEqual([await store().allUnchecked(), await versionRows()], [[], []]);
    assert.deepEqual(await store().read.selectFrom('secrets_manager_replica').selectAll().execute(), []);
  });
});
