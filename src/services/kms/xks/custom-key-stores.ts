import type { AccountId, Region } from '#kernel/ids.ts';
import { customKeyStoreError } from '../errors.ts';
import type { KmsTransaction } from '../tables.ts';
import type { CustomKeyStoreRecord } from './key-store-record.ts';

/** In whose name, and in which region, a key store is looked for: it is never another account's. */
interface Place {
  readonly account: AccountId;
  readonly region: Region;
}

/** @throws ServiceError CustomKeyStoreNotFoundException */
export async function findKeyStore(queries: KmsTransaction, place: Place, id: string): Promise<CustomKeyStoreRecord> {
  const store = await storesOf(queries, place).where('id', '=', id).executeTakeFirst();
  if (store === undefined) throw keyStoreNotFound(id);
  return store;
}

/** At most `limit` key stores in the order of their ids, after `after`. */
export function listKeyStores(
  queries: KmsTransaction,
  place: Place,
  after: string,
  limit: number,
): Promise<CustomKeyStoreRecord[]> {
  return storesOf(queries, place).where('id', '>', after).orderBy('id').limit(limit).execute();
}

/** @throws ServiceError CustomKeyStoreNotFoundException */
export async function findKeyStoreByName(
  queries: KmsTransaction,
  place: Place,
  name: string,
): Promise<CustomKeyStoreRecord> {
  const store = await storesOf(queries, place).where('name', '=', name).executeTakeFirst();
  if (store === undefined) throw keyStoreNotFound(name);
  return store;
}

/** @throws ServiceError when another key store has the name, or the address of the proxy */
export async function requireUnique(
  queries: KmsTransaction,
  place: Place,
  store: Pick<CustomKeyStoreRecord, 'id' | 'name' | 'uri_endpoint' | 'uri_path'>,
): Promise<void> {
  const others = storesOf(queries, place).where('id', '!=', store.id);
  if ((await others.where('name', '=', store.name).executeTakeFirst()) !== undefined) {
    throw customKeyStoreError(
      'CustomKeyStoreNameInUseException',
      `Custom key store name ${store.name} is already in use.`,
    );
  }
  const { uri_endpoint, uri_path } = store;
  const sharing = others.where('uri_endpoint', '=', uri_endpoint).where('uri_path', '=', uri_path);
  if ((await sharing.executeTakeFirst()) !== undefined) {
    throw customKeyStoreError(
      'XksProxyUriInUseException',
      `External key store proxy URI ${uri_endpoint}${uri_path} is already in use.`,
    );
  }
}

/** @throws ServiceError CustomKeyStoreInvalidStateException where the key store was changed since it was read */
export async function changeKeyStore(
  queries: KmsTransaction,
  before: CustomKeyStoreRecord,
  change: Partial<Omit<CustomKeyStoreRecord, 'id' | 'account' | 'region' | 'created_at'>>,
): Promise<void> {
  const changed = await queries
    .updateTable('kms_custom_key_store')
    .set(change)
    .where('id', '=', before.id)
    .where('name', '=', before.name)
    .where('uri_endpoint', '=', before.uri_endpoint)
    .where('uri_path', '=', before.uri_path)
    .where('sealed_secret', '=', before.sealed_secret)
    .where('connection_state', '=', before.connection_state)
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) throw wrongState(before.id, 'is being changed by another request');
}

/** @param what the state, as in `is not connected` */
export function wrongState(id: string, what: string): Error {
  return customKeyStoreError('CustomKeyStoreInvalidStateException', `Custom key store ${id} ${what}.`);
}

function keyStoreNotFound(name: string): Error {
  return customKeyStoreError('CustomKeyStoreNotFoundException', `Custom key store ${name} is not found.`);
}

function storesOf(queries: KmsTransaction, { account, region }: Place) {
  return queries
    .selectFrom('kms_custom_key_store')
    .selectAll()
    .where('account', '=', account)
    .where('region', '=', region);
}
