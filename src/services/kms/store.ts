import type { ExpirationModelType, KeyState } from '@aws-sdk/client-kms';
import type { AccountId, Region } from '#kernel/ids.ts';
import { ChangeCache } from '#storage/change-cache.ts';
import { PreparedQuery } from '#storage/prepared-query.ts';
import type { Records } from '#storage/records.ts';
import { familyOf, type KeyFamily } from './materials/key-family.ts';
import type { GrantStore } from './grant-store.ts';
import type { AliasRecord, KeyRecord, KeyRef, KmsTables, KmsTransaction, MaterialRecord } from './tables.ts';
import type { CustomKeyStoreRecord, ExternalKey } from './xks/key-store-record.ts';

/** A key with what authorisation needs to know of it. */
export interface DescribedKey extends KeyRecord {
  /** `alias/…`, sorted. */
  readonly aliases: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** Of a key in an external key store; its state is Unavailable while the store is not connected. */
  readonly external: ExternalKey | undefined;
  /** Of a key whose material is imported: whether and when the first of its materials expires. */
  readonly expiration: Expiration | undefined;
  /** Of a multi-Region key. */
  readonly family: KeyFamily | undefined;
}

interface Expiration {
  readonly model: ExpirationModelType;
  /** Milliseconds since the epoch. */
  readonly validTo: number | null;
}

/** As many as an account's quota of keys in a Region. */
const CACHED_KEYS = 100_000;
const CACHED_POLICIES = 10_000;

/** The queries of KMS. Keys and aliases are remembered until they change. */
export class KmsStore {
  readonly grants: GrantStore;
  readonly #records: Records<KmsTables>;
  readonly #keys = new ChangeCache<DescribedKey>(CACHED_KEYS);
  readonly #aliases = new ChangeCache<AliasRecord>(CACHED_KEYS);

  /** Texts of policies: most keys have the same ones. */
  readonly #policies = new Map<string, string>();
  readonly #queries: ReturnType<typeof preparedQueries>;

  constructor(records: Records<KmsTables>, grants: GrantStore) {
    this.grants = grants;
    this.#records = records;
    this.#queries = preparedQueries(records.read);
  }

  /**
   * INVARIANT: every change goes through here, so that the next request sees it.
   *
   * @param changed the keys that are changed, where no other ones are, nor what aliases lead to; all are forgotten
   *   where it is absent
   */
  async write<Result>(
    work: (transaction: KmsTransaction) => Promise<Result>,
    changed?: readonly KeyRef[],
  ): Promise<Result> {
    try {
      return await this.#records.write(work);
    } finally {
      for (const { region, id } of changed ?? []) this.#keys.forget(`${region} ${id}`);
      if (changed === undefined) {
        this.#keys.clear();
        this.#aliases.clear();
      }
    }
  }

  /** Reads what was committed, for the queries of materials. */
  get read(): KmsTransaction {
    return this.#records.read;
  }

  findKey({ region, id }: KeyRef): Promise<DescribedKey | undefined> {
    return this.#keys.get(`${region} ${id}`, async () => {
      const key = await this.#queries.key.first(this.#records.read, region, id);
      if (key === undefined) return undefined;
      const external = key.origin === 'EXTERNAL_KEY_STORE' ? await this.#externalKeyOf(key) : undefined;
      return {
        ...key,
        state: effectiveState(key, external),
        policy: this.#shared(key.policy),
        aliases: await this.#aliasNamesOf(key),
        tags: await this.#tagsOf(key),
        external,
        expiration: key.origin === 'EXTERNAL' ? await this.#expirationOf(key) : undefined,
        family: key.multi_region === null ? undefined : await familyOf(this.#records.read, key),
      };
    });
  }

  #shared(policy: string): string {
    const known = this.#policies.get(policy);
    if (known !== undefined) return known;
    if (this.#policies.size >= CACHED_POLICIES) this.#policies.clear();
    this.#policies.set(policy, policy);
    return policy;
  }

  findMaterial(region: Region, id: string): Promise<MaterialRecord | undefined> {
    return this.#queries.material.first(this.#records.read, region, id);
  }

  /** A material in whichever Region has it: replicas' copies are the same. */
  findMaterialAnywhere(id: string): Promise<MaterialRecord | undefined> {
    return this.#records.read.selectFrom('kms_material').selectAll().where('id', '=', id).limit(1).executeTakeFirst();
  }

  findAlias(account: AccountId, region: Region, name: string): Promise<AliasRecord | undefined> {
    return this.#aliases.get(`${account} ${region} ${name}`, () =>
      this.#records.read
        .selectFrom('kms_alias')
        .selectAll()
        .where('account', '=', account)
        .where('region', '=', region)
        .where('name', '=', name)
        .executeTakeFirst(),
    );
  }

  async #aliasNamesOf({ region, id }: KeyRef): Promise<string[]> {
    const rows = await this.#queries.aliases.all(this.#records.read, region, id);
    return rows.map((row) => row.name);
  }

  async #tagsOf({ region, id }: KeyRef): Promise<Record<string, string>> {
    const rows = await this.#queries.tags.all(this.#records.read, region, id);
    return Object.fromEntries(rows.map((row) => [row.tag_key, row.tag_value]));
  }

  async #expirationOf({ region, id }: KeyRef): Promise<Expiration | undefined> {
    const rows = await this.#records.read
      .selectFrom('kms_material_history')
      .select(['expiration_model', 'valid_to'])
      .where('region', '=', region)
      .where('key_id', '=', id)
      .where('is_pending', '=', 0)
      .where('expiration_model', 'is not', null)
      .execute();
    if (rows.length === 0) return undefined;
    const ends = rows.flatMap((row) => row.valid_to ?? []);
    if (ends.length === 0) return { model: 'KEY_MATERIAL_DOES_NOT_EXPIRE', validTo: null };
    return { model: 'KEY_MATERIAL_EXPIRES', validTo: Math.min(...ends) };
  }

  /** The key in an external key store that has an id, in whichever Region, for the operator. */
  async findExternalKey(id: string): Promise<DescribedKey | undefined> {
    const row = await this.#records.read
      .selectFrom('kms_external_key')
      .selectAll()
      .where('key_id', '=', id)
      .executeTakeFirst();
    return row && (await this.findKey({ region: row.region, id }));
  }

  /** Every custom key store, for verification. */
  allCustomKeyStores(): Promise<CustomKeyStoreRecord[]> {
    return this.#records.readUnchecked.selectFrom('kms_custom_key_store').selectAll().execute();
  }

  async #externalKeyOf({ region, id }: KeyRef): Promise<ExternalKey | undefined> {
    const row = await this.#records.read
      .selectFrom('kms_external_key')
      .selectAll()
      .where('region', '=', region)
      .where('key_id', '=', id)
      .executeTakeFirst();
    const store = row && (await this.#findCustomKeyStore(row.store_id));
    return row && store && { xksKeyId: row.xks_key_id, store };
  }

  #findCustomKeyStore(id: string): Promise<CustomKeyStoreRecord | undefined> {
    return this.#records.read.selectFrom('kms_custom_key_store').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** At most `limit` keys of an account's region, in the order of their ids, after `after`. */
  listKeys(account: AccountId, region: Region, after: string, limit: number): Promise<KeyRecord[]> {
    return this.#records.read
      .selectFrom('kms_key')
      .selectAll()
      .where('account', '=', account)
      .where('region', '=', region)
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  listAliases(
    account: AccountId,
    region: Region,
    keyId: string | undefined,
    after: string,
    limit: number,
  ): Promise<AliasRecord[]> {
    let query = this.#records.read
      .selectFrom('kms_alias')
      .selectAll()
      .where('account', '=', account)
      .where('region', '=', region)
      .where('name', '>', after);
    if (keyId !== undefined) query = query.where('key_id', '=', keyId);
    return query.orderBy('name').limit(limit).execute();
  }

  /** Removes every key of an account. */
  async purgeAccount(account: AccountId): Promise<void> {
    await this.write(async (transaction) => {
      await transaction.deleteFrom('kms_key').where('account', '=', account).execute();
      await transaction.deleteFrom('kms_custom_key_store').where('account', '=', account).execute();
    });
    this.grants.forgetAll();
  }

  /** True when there is no key of this id, in any Region. A damaged record is there all the same. */
  async isDestroyed(id: string): Promise<boolean> {
    const found = await this.#records.readUnchecked
      .selectFrom('kms_key')
      .select('id')
      .where('id', '=', id)
      .executeTakeFirst();
    return found === undefined;
  }

  /** Materials whose keys are gone, for verification: there are none. */
  materialsWithoutKeys(): Promise<{ readonly key_id: string }[]> {
    return this.#records.readUnchecked
      .selectFrom('kms_material')
      .leftJoin('kms_key', (join) =>
        join.onRef('kms_key.region', '=', 'kms_material.region').onRef('kms_key.id', '=', 'kms_material.key_id'),
      )
      .select('kms_material.key_id')
      .where('kms_key.id', 'is', null)
      .execute();
  }

  /** Every material, for verification. */
  allMaterials(): Promise<MaterialRecord[]> {
    return this.#records.readUnchecked.selectFrom('kms_material').selectAll().execute();
  }
}

/** A key in an external key store that was disconnected comes back as it was. */
function effectiveState({ origin, state }: KeyRecord, external: ExternalKey | undefined): KeyState {
  const isReachable = origin !== 'EXTERNAL_KEY_STORE' || external?.store.connection_state === 'CONNECTED';
  return isReachable || (state !== 'Enabled' && state !== 'Disabled') ? state : 'Unavailable';
}

/** What is asked of each key that is used, with a Region and an id. */
function preparedQueries(read: KmsTransaction) {
  const region = '' as Region;
  return {
    key: new PreparedQuery(read.selectFrom('kms_key').selectAll().where('region', '=', region).where('id', '=', '')),
    material: new PreparedQuery(
      read.selectFrom('kms_material').selectAll().where('region', '=', region).where('id', '=', ''),
    ),
    aliases: new PreparedQuery(
      read.selectFrom('kms_alias').select('name').where('region', '=', region).where('key_id', '=', '').orderBy('name'),
    ),
    tags: new PreparedQuery(
      read.selectFrom('kms_tag').selectAll().where('region', '=', region).where('key_id', '=', '').orderBy('tag_key'),
    ),
  };
}
