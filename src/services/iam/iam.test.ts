import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { RootKey } from '#crypto/root-key.ts';
import type { SessionFacts } from '#kernel/caller.ts';
import { asAccountId } from '#kernel/ids.ts';
import { systemRandomness } from '#kernel/randomness.ts';
import { compilePolicy } from '#policy/compile-policy.ts';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { AccountExistsError } from './accounts.ts';
import { IamApi } from './api.ts';
import { awsManagedPolicies } from './domain/aws-managed-policies.ts';
import { ChangeCache } from '#storage/change-cache.ts';
import { cutPage, pageOf, pageOfList } from './domain/page.ts';
import { countedLength, encodeDocument } from './domain/policy-text.ts';
import { SessionTokens } from './domain/session-tokens.ts';
import { IamStore, type IamTables, iamMigrations } from './store.ts';

const rootKey = new RootKey(Buffer.alloc(32, 7));
const NOW = Date.UTC(2026, 0, 1);
const facts: SessionFacts = {
  issuedAt: NOW,
  expiresAt: NOW + 900_000,
  policies: [],
  tags: {},
  transitiveTagKeys: [],
  isMfaAuthenticated: false,
};

describe('IamApi', () => {
  let folder: string;
  let records: SqliteRecords;
  let store: IamStore;
  let iam: IamApi;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-iam-'));
    records = await SqliteRecords.open(join(folder, 'records.db'), iamMigrations, Buffer.alloc(32, 7));
    store = new IamStore(records.of<IamTables>());
    iam = new IamApi(store, rootKey, systemRandomness, { now: () => NOW });
  });

  afterEach(async () => {
    await records.close();
    await rm(folder, { recursive: true });
  });

  async function addRole(account: string, name: string): Promise<void> {
    await store.write((transaction) =>
      transaction
        .insertInto('iam_principal')
        .values({
          id: `AROA${name.toUpperCase()}`,
          account: asAccountId(account),
          kind: 'role',
          name,
          name_key: name.toLowerCase(),
          path: '/p/',
          created_at: NOW,
          boundary_arn: null,
          trust_policy: '{}',
          bound_trust_policy: '{}',
          description: null,
          max_session: 3600,
        })
        .execute(),
    );
  }

  it('finds an account by its keys, id and canonical id', async () => {
    const [account] = await iam.accounts.create([{ accountId: asAccountId('111122223333') }]);
    assert.ok(account);
    const found = await iam.findCredentials(account.accessKeyId, undefined, NOW);
    assert.ok(typeof found === 'object');
    assert.equal(found.secretAccessKey, account.secretAccessKey);
    assert.deepEqual(found.caller, {
      type: 'root',
      accountId: '111122223333',
      arn: 'arn:aws:iam::111122223333:root',
      principalId: '111122223333',
      accessKeyId: account.accessKeyId,
    });
    assert.equal((await iam.accounts.findByCanonicalId(account.canonicalId))?.accountId, '111122223333');
    assert.equal((await iam.policiesOf(found.caller)).canonicalId, account.canonicalId);
    assert.equal(await iam.findCredentials('AKIAUNKNOWN', undefined, NOW), 'unknown');
    assert.equal(await iam.findCredentials(account.accessKeyId, 'token', NOW), 'invalid-token');
  });

  it('creates all accounts of a request or none', async () => {
    await iam.accounts.create([{ accountId: asAccountId('111122223333') }]);
    const taken = [{ accountId: asAccountId('444455556666') }, { accountId: asAccountId('111122223333') }];
    await assert.rejects(iam.accounts.create(taken), AccountExistsError);
    const twice = [{ accountId: asAccountId('444455556666') }, { accountId: asAccountId('444455556666') }];
    await assert.rejects(iam.accounts.create(twice), AccountExistsError);
    const key = [{ accessKeyId: 'AKIAGIVEN' }, { accessKeyId: 'AKIAGIVEN' }];
    await assert.rejects(iam.accounts.create(key));
    assert.deepEqual(
      (await iam.accounts.list()).map((account) => account.accountId),
      ['111122223333'],
    );
  });

  it('forgets a deleted account with its keys and roles at once', async () => {
    const [account] = await iam.accounts.create([{}]);
    assert.ok(account);
    await addRole(account.accountId, 'Gone');
    const roleArn = `arn:aws:iam::${account.accountId}:role/p/Gone`;
    assert.ok(await iam.findRole(roleArn));
    assert.ok(typeof (await iam.findCredentials(account.accessKeyId, undefined, NOW)) === 'object');
    assert.equal(await iam.accounts.delete(account.accountId), true);
    assert.equal(await iam.findCredentials(account.accessKeyId, undefined, NOW), 'unknown');
    assert.equal(await iam.findRole(roleArn), undefined);
    assert.equal(await iam.accounts.delete(account.accountId), false);
  });

  it('finds a role by its exact ARN only', async () => {
    const [account] = await iam.accounts.create([{}]);
    assert.ok(account);
    await addRole(account.accountId, 'Exact');
    const arn = `arn:aws:iam::${account.accountId}:role/p/Exact`;
    assert.equal((await iam.findRole(arn))?.roleName, 'Exact');
    for (const other of [
      arn.replace('/p/', '/'),
      arn.replace('Exact', 'EXACT'),
      `${arn}/`,
      'Exact',
      '',
      'arn:aws:iam:::role/',
    ]) {
      assert.equal(await iam.findRole(other), undefined, other);
    }
  });

  it('ends temporary credentials when their time is over, from the cache too', async () => {
    const [account] = await iam.accounts.create([{}]);
    assert.ok(account);
    const issued = await iam.issueCredentials({ account: account.accountId, owner: { type: 'root' }, facts });
    assert.ok(issued);
    const find = (now: number) => iam.findCredentials(issued.accessKeyId, issued.sessionToken, now);
    assert.ok(typeof (await find(NOW)) === 'object');
    assert.ok(typeof (await find(facts.expiresAt - 1)) === 'object');
    assert.equal(await find(facts.expiresAt), 'expired');
    assert.equal(await iam.findCredentials(issued.accessKeyId, undefined, NOW), 'unknown');
    assert.equal(await iam.findCredentials('ASIAOTHER', issued.sessionToken, NOW), 'invalid-token');
  });

  it('leaves no secret in the database file', async () => {
    const accounts = await iam.accounts.create(Array.from({ length: 20 }, () => ({})));
    const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
    const all = Buffer.concat(files);
    assert.ok(
      accounts.some((account) => all.includes(account.accessKeyId)),
      'the ids are there',
    );
    for (const account of accounts) assert.equal(all.includes(account.secretAccessKey), false);
  });

  it('finds a stored secret that was changed or swapped', async () => {
    const [one, two] = await iam.accounts.create([{}, {}]);
    assert.ok(one && two);
    const isSound = async () => {
      const results: boolean[] = [];
      for await (const result of iam.checkAccessKeys()) results.push(result.isSound);
      return results;
    };
    assert.deepEqual(await isSound(), [true, true]);
    const row = await store.read
      .selectFrom('iam_access_key')
      .select('sealed')
      .where('id', '=', one.accessKeyId)
      .executeTakeFirstOrThrow();
    await store.write((transaction) =>
      transaction.updateTable('iam_access_key').set({ sealed: row.sealed }).where('id', '=', two.accessKeyId).execute(),
    );
    assert.equal((await isSound()).filter(Boolean).length, 1);
    await assert.rejects(iam.findCredentials(two.accessKeyId, undefined, NOW));
  });
});

describe('session tokens', () => {
  const tokens = new SessionTokens(rootKey);
  const claims = {
    accessKeyId: 'ASIAX',
    secretAccessKey: 'secret',
    account: '111122223333',
    owner: { type: 'root' } as const,
    facts,
  };

  it('open as they were sealed, and hide what they carry', () => {
    const token = tokens.seal(claims);
    assert.deepEqual(tokens.open(token), claims);
    assert.equal(Buffer.from(token, 'base64').includes('secret'), false);
  });

  it('do not open with any bit changed, or under another root key', () => {
    const sealed = Buffer.from(tokens.seal(claims), 'base64');
    fc.assert(
      fc.property(fc.nat({ max: sealed.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(sealed);
        const at = bit >> 3;
        changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
        assert.equal(tokens.open(changed.toString('base64')), undefined);
      }),
    );
    assert.equal(new SessionTokens(new RootKey(Buffer.alloc(32, 8))).open(sealed.toString('base64')), undefined);
  });

  it('take any text', () => {
    fc.assert(fc.property(fc.string(), (text) => assert.equal(tokens.open(text), undefined)));
  });
});

describe('ChangeCache', () => {
  it('does not keep what was read before a change', async () => {
    const cache = new ChangeCache<string>(10);
    let finish: (value: string) => void = () => {};
    const slow = cache.get('key', () => new Promise<string>((resolve) => (finish = resolve)));
    cache.clear();
    finish('old');
    assert.equal(await slow, 'old');
    assert.equal(await cache.get('key', async () => 'new'), 'new');
    assert.equal(await cache.get('key', async () => 'newer'), 'new');
  });

  it('keeps no more than its capacity', async () => {
    const cache = new ChangeCache<number>(2);
    for (const key of ['a', 'b', 'c']) await cache.get(key, async () => 1);
    assert.equal(await cache.get('a', async () => 2), 2);
    assert.equal(await cache.get('c', async () => 2), 1);
  });
});

describe('pages', () => {
  it('give every item once, whatever the page size', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 30 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 7 }), (items, MaxItems) => {
        const seen: string[] = [];
        let Marker: string | undefined;
        do {
          const page = pageOfList(items, { MaxItems, Marker }, (item) => item);
          seen.push(...page.items);
          Marker = page.Marker;
        } while (Marker !== undefined);
        assert.deepEqual(seen.toSorted(), items.toSorted());
      }),
    );
  });

  it('refuse markers from elsewhere', () => {
    assert.throws(() => pageOf({ Marker: '****' }), /Invalid Marker/);
    assert.throws(() => pageOf({ Marker: '' }), /Invalid Marker/);
    assert.equal(cutPage(['a'], pageOf({}), (item) => item).IsTruncated, false);
  });
});

describe('policies', () => {
  it('of AWS are valid managed policies', () => {
    for (const { document, name, id } of awsManagedPolicies.values()) {
      compilePolicy(document, 'managed');
      assert.match(id, /^ANPA[A-Z2-7]{17}$/, name);
    }
  });

  it('count without white space, and leave encoded', () => {
    assert.equal(countedLength(' { "a" : 1 }\n'), 7);
    const text = '{"a":"ü!\'()*+ %"}';
    assert.equal(decodeURIComponent(encodeDocument(text)), text);
    assert.doesNotMatch(encodeDocument(text), /[!'()*+ ]/);
  });
});
