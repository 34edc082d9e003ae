import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { accessKeyRecord } from './domain/access-keys.ts';
import { newAccessKeyId, newSecretAccessKey } from './domain/identifiers.ts';
import type { AccountRecord, IamStore } from './store.ts';

interface Account {
  readonly accountId: AccountId;
  /** 64 hexadecimal digits. */
  readonly canonicalId: string;
  readonly email: string;
  /** Milliseconds since the epoch, in whole seconds. */
  readonly createdAt: number;
}

/** An account with the access key of its root user; the secret is told this once. */
interface CreatedAccount extends Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface AccountRequest {
  /** Drawn at random when absent. */
  readonly accountId?: AccountId;
  /** Of the root user's key; drawn at random when absent. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly email?: string;
}

/** The account or access key exists already. */
export class AccountExistsError extends Error {}

const ROWS_OF_ONE_INSERT = 200;

/** The accounts of this installation. What they own in other services is those services' affair. */
export class Accounts {
  readonly #store: IamStore;
  readonly #rootKey: RootKey;
  readonly #randomness: Randomness;
  readonly #clock: Clock;

  constructor(store: IamStore, rootKey: RootKey, randomness: Randomness, clock: Clock) {
    this.#store = store;
    this.#rootKey = rootKey;
    this.#randomness = randomness;
    this.#clock = clock;
  }

  /**
   * Creates accounts, all or none, in one commit.
   * @throws AccountExistsError when an id or access key is taken
   */
  async create(requests: readonly AccountRequest[]): Promise<CreatedAccount[]> {
    const accounts = requests.map((request) => this.#prepare(request));
    const keys = accounts.map(({ accessKeyId, secretAccessKey, accountId, createdAt }) =>
      accessKeyRecord({ id: accessKeyId, secret: secretAccessKey, account: accountId, now: createdAt }, this.#rootKey),
    );
    await this.#store.write(async (transaction) => {
      for (let start = 0; start < accounts.length; start += ROWS_OF_ONE_INSERT) {
        const chunk = accounts.slice(start, start + ROWS_OF_ONE_INSERT);
        const ids = chunk.map((account) => account.accountId);
        const taken = await transaction
          .selectFrom('iam_account')
          .select('id')
          .where('id', 'in', ids)
          .executeTakeFirst();
        const id = taken?.id ?? ids.find((other, index) => ids.indexOf(other) !== index);
        if (id !== undefined) throw new AccountExistsError(`Account ${id} exists already.`);
        const keyIds = chunk.map((account) => account.accessKeyId);
        const used = await transaction
          .selectFrom('iam_access_key')
          .select('id')
          .where('id', 'in', keyIds)
          .executeTakeFirst();
        if (used !== undefined) throw new AccountExistsError(`Access key ${used.id} exists already.`);
        await transaction.insertInto('iam_account').values(chunk.map(toRecord)).execute();
        await transaction
          .insertInto('iam_access_key')
          .values(keys.slice(start, start + ROWS_OF_ONE_INSERT))
          .execute();
      }
    });
    return accounts;
  }

  /** In the order of their ids. */
  async list(): Promise<Account[]> {
    const rows = await this.#store.read.selectFrom('iam_account').selectAll().orderBy('id').execute();
    return rows.map(fromRecord);
  }

  async find(accountId: string): Promise<Account | undefined> {
    const record = await this.#store.findAccount(accountId);
    return record && fromRecord(record);
  }

  async findByCanonicalId(canonicalId: string): Promise<Account | undefined> {
    const record = await this.#store.read
      .selectFrom('iam_account')
      .selectAll()
      .where('canonical_id', '=', canonicalId)
      .executeTakeFirst();
    return record && fromRecord(record);
  }

  /** Removes the account with all that IAM keeps of it. Returns whether it was there. */
  async delete(accountId: AccountId): Promise<boolean> {
    return await this.#store.write(async (transaction) => {
      const result = await transaction.deleteFrom('iam_account').where('id', '=', accountId).executeTakeFirst();
      return result.numDeletedRows > 0n;
    });
  }

  #prepare(request: AccountRequest): CreatedAccount {
    const accountId = request.accountId ?? this.#drawAccountId();
    return {
      accountId,
      canonicalId: this.#randomness.bytes(32).toString('hex'),
      email: request.email ?? `root@${accountId}.localhost`,
      createdAt: Math.floor(this.#clock.now() / 1000) * 1000,
      accessKeyId: request.accessKeyId ?? newAccessKeyId('AKIA', this.#randomness),
      secretAccessKey: request.secretAccessKey ?? newSecretAccessKey(this.#randomness),
    };
  }

  #drawAccountId(): AccountId {
    // AWS's ids do not begin with 0 either: tools that take them for numbers would lose it.
    return (this.#randomness.text(1, '123456789') + this.#randomness.text(11, '0123456789')) as AccountId;
  }
}

function toRecord(account: Account): AccountRecord {
  return {
    id: account.accountId,
    canonical_id: account.canonicalId,
    email: account.email,
    created_at: account.createdAt,
  };
}

function fromRecord(record: AccountRecord): Account {
  return {
    accountId: record.id,
    canonicalId: record.canonical_id,
    email: record.email,
    createdAt: record.created_at,
  };
}
