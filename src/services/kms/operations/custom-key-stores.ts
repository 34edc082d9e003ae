import {
  ConnectCustomKeyStore$,
  type ConnectCustomKeyStoreRequest,
  type CustomKeyStoresListEntry,
  DeleteCustomKeyStore$,
  type DeleteCustomKeyStoreRequest,
  DescribeCustomKeyStores$,
  type DescribeCustomKeyStoresRequest,
  type DescribeCustomKeyStoresResponse,
  DisconnectCustomKeyStore$,
  type DisconnectCustomKeyStoreRequest,
} from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { readPage } from '../domain/pagination.ts';
import { customKeyStoreError, validation } from '../errors.ts';
import { destroyDueKeys } from '../materials/destruction.ts';
import {
  changeKeyStore,
  findKeyStore,
  findKeyStoreByName,
  listKeyStores,
  wrongState,
} from '../xks/custom-key-stores.ts';
import type { CustomKeyStoreRecord } from '../xks/key-store-record.ts';
import { XksFailure } from '../xks/proxy-failure.ts';
import { authorizeOnKeyStores } from './authorize-on-key-stores.ts';

const USUAL = { limit: 100 };

export const describeCustomKeyStores = operation<
  KmsContext,
  DescribeCustomKeyStoresRequest,
  DescribeCustomKeyStoresResponse
>(DescribeCustomKeyStores$, {
  isReadOnly: true,
  authorize: authorizeOnKeyStores('kms:DescribeCustomKeyStores'),
  async handle(input, call, kms) {
    const { CustomKeyStoreId: id, CustomKeyStoreName: name } = input;
    const place = { account: callerAccount(call.caller, 'kms:DescribeCustomKeyStores'), region: call.region };
    const queries = kms.store.read;
    if (id !== undefined && name !== undefined) {
      throw validation('You cannot specify CustomKeyStoreId and CustomKeyStoreName in the same request.');
    }
    if (id !== undefined)
      return { CustomKeyStores: [entryOf(await findKeyStore(queries, place, id))], Truncated: false };
    if (name !== undefined) {
      return { CustomKeyStores: [entryOf(await findKeyStoreByName(queries, place, name))], Truncated: false };
    }
    const { items, ...page } = await readPage(
      input,
      USUAL,
      (after, count) => listKeyStores(queries, place, after, count),
      (store) => store.id,
    );
    return { CustomKeyStores: items.map(entryOf), ...page };
  },
});

/** As in AWS, whether the proxy could be reached is told by DescribeCustomKeyStores alone. */
export const connectCustomKeyStore = operation<KmsContext, ConnectCustomKeyStoreRequest, Record<string, never>>(
  ConnectCustomKeyStore$,
  {
    authorize: authorizeOnKeyStores('kms:ConnectCustomKeyStore'),
    async handle(input, call, kms) {
      const store = await locateKeyStore(input, call, kms, 'kms:ConnectCustomKeyStore');
      if (store.connection_state === 'CONNECTED') return {};
      if (store.connection_state !== 'DISCONNECTED') {
        throw wrongState(store.id, `is in state ${store.connection_state}: disconnect it, and connect it again`);
      }
      const failure = await failureToConnect(store, call, kms);
      const connection = {
        connection_state: failure === undefined ? ('CONNECTED' as const) : ('FAILED' as const),
        connection_error: failure?.connection ?? null,
      };
      await kms.store.write((queries) => changeKeyStore(queries, store, connection));
      return {};
    },
  },
);

export const disconnectCustomKeyStore = operation<KmsContext, DisconnectCustomKeyStoreRequest, Record<string, never>>(
  DisconnectCustomKeyStore$,
  {
    authorize: authorizeOnKeyStores('kms:DisconnectCustomKeyStore'),
    async handle(input, call, kms) {
      const store = await locateKeyStore(input, call, kms, 'kms:DisconnectCustomKeyStore');
      if (store.connection_state === 'DISCONNECTED') throw wrongState(store.id, 'is already disconnected');
      const connection = { connection_state: 'DISCONNECTED' as const, connection_error: null };
      await kms.store.write((queries) => changeKeyStore(queries, store, connection));
      return {};
    },
  },
);

export const deleteCustomKeyStore = operation<KmsContext, DeleteCustomKeyStoreRequest, Record<string, never>>(
  DeleteCustomKeyStore$,
  {
    authorize: authorizeOnKeyStores('kms:DeleteCustomKeyStore'),
    async handle(input, call, kms) {
      const store = await locateKeyStore(input, call, kms, 'kms:DeleteCustomKeyStore');
      // Keys whose waiting period is over hold nothing.
      const destroyed = await destroyDueKeys(kms.store, call.now);
      if (destroyed.length > 0) kms.materials.forgetAll();
      kms.events.deleted(destroyed, call.now);
      await kms.store.write(async (queries) => {
        const { connection_state } = await findKeyStore(queries, store, store.id);
        if (connection_state !== 'DISCONNECTED') throw wrongState(store.id, 'is not disconnected');
        const key = await queries
          .selectFrom('kms_external_key')
          .select('key_id')
          .where('store_id', '=', store.id)
          .executeTakeFirst();
        if (key !== undefined) {
          throw customKeyStoreError(
            'CustomKeyStoreHasCMKsException',
            `Custom key store ${store.id} contains KMS keys.`,
          );
        }
        await queries.deleteFrom('kms_custom_key_store').where('id', '=', store.id).execute();
      });
      return {};
    },
  },
);

async function failureToConnect(
  store: CustomKeyStoreRecord,
  call: Call,
  kms: KmsContext,
): Promise<XksFailure | undefined> {
  try {
    await kms.proxies.checkHealth(store, call, 'ConnectCustomKeyStore');
    return undefined;
  } catch (error) {
    if (error instanceof XksFailure) return error;
    throw error;
  }
}

async function locateKeyStore(
  { CustomKeyStoreId: id = '' }: ConnectCustomKeyStoreRequest,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<CustomKeyStoreRecord> {
  const place = { account: callerAccount(call.caller, action), region: call.region };
  return await findKeyStore(kms.store.read, place, id);
}

/** The secret access key is never told. */
function entryOf(store: CustomKeyStoreRecord): CustomKeyStoresListEntry {
  return {
    CustomKeyStoreId: store.id,
    CustomKeyStoreName: store.name,
    CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
    ConnectionState: store.connection_state,
    ...(store.connection_error !== null && { ConnectionErrorCode: store.connection_error }),
    CreationDate: new Date(store.created_at),
    XksProxyConfiguration: {
      Connectivity: 'PUBLIC_ENDPOINT',
      AccessKeyId: store.access_key_id,
      UriEndpoint: store.uri_endpoint,
      UriPath: store.uri_path,
    },
  };
}
