import type { CreateKeyRequest } from '@aws-sdk/client-kms';
import type { AccountId } from '#kernel/ids.ts';
import type { Call } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { customKeyStoreError, unsupported, validation } from '../errors.ts';
import type { KeyRef, KmsTransaction } from '../tables.ts';
import { findKeyStore } from './custom-key-stores.ts';
import type { ExternalKey } from './key-store-record.ts';
import { tellingFailures, XksFailure } from './proxy-failure.ts';

/**
 * Refuses what a request for a key says of key stores, where it does not fit together.
 *
 * @throws ServiceError UnsupportedOperationException, ValidationException
 */
export function checkKeyStoreMembers(input: CreateKeyRequest): void {
  if (input.Origin === 'AWS_CLOUDHSM') {
    throw unsupported('Origin AWS_CLOUDHSM is not supported: there are no AWS CloudHSM clusters outside AWS.');
  }
  if (input.Origin !== 'EXTERNAL_KEY_STORE') {
    const member = input.CustomKeyStoreId === undefined ? 'XksKeyId' : 'CustomKeyStoreId';
    if (input[member] === undefined) return;
    throw validation(`${member} is not valid with Origin ${input.Origin ?? 'AWS_KMS'}.`);
  }
  for (const member of ['CustomKeyStoreId', 'XksKeyId'] as const) {
    if (input[member] === undefined) throw validation(`${member} is required with Origin EXTERNAL_KEY_STORE.`);
  }
  // As parts of a path they would mean another address.
  if (/^\.\.?$/.test(input.XksKeyId ?? '')) throw validation(`XksKeyId ${input.XksKeyId} is not valid.`);
  if (input.MultiRegion === true) throw unsupported('You cannot create a multi-Region key in a custom key store.');
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (spec !== 'SYMMETRIC_DEFAULT') throw unsupported(`KeySpec ${spec} is not supported in a custom key store.`);
}

/**
 * The external key that a new KMS key is for, found fit by its key manager.
 *
 * @throws ServiceError of the XKS codes
 */
export async function findExternalKey(
  input: CreateKeyRequest,
  account: AccountId,
  call: Call,
  kms: KmsContext,
): Promise<ExternalKey> {
  const { CustomKeyStoreId = '', XksKeyId: xksKeyId = '' } = input;
  const store = await findKeyStore(kms.store.read, { account, region: call.region }, CustomKeyStoreId);
  if (store.connection_state !== 'CONNECTED') throw new XksFailure('notConnected').keyError;
  await requireUnused(kms.store.read, store.id, xksKeyId);
  await tellingFailures(() => kms.proxies.checkKey(store, xksKeyId, call, 'CreateKey'), 'keyError');
  return { xksKeyId, store };
}

/** @throws ServiceError when the store was disconnected or the external key taken meanwhile */
export async function addExternalKey(queries: KmsTransaction, key: KeyRef, external: ExternalKey): Promise<void> {
  const { store, xksKeyId } = external;
  const { connection_state } = await findKeyStore(queries, store, store.id);
  if (connection_state !== 'CONNECTED') throw new XksFailure('notConnected').keyError;
  await requireUnused(queries, store.id, xksKeyId);
  await queries
    .insertInto('kms_external_key')
    .values({ region: key.region, key_id: key.id, store_id: store.id, xks_key_id: xksKeyId })
    .execute();
}

async function requireUnused(queries: KmsTransaction, storeId: string, xksKeyId: string): Promise<void> {
  const used = await queries
    .selectFrom('kms_external_key')
    .select('key_id')
    .where('store_id', '=', storeId)
    .where('xks_key_id', '=', xksKeyId)
    .executeTakeFirst();
  if (used !== undefined) {
    throw customKeyStoreError(
      'XksKeyAlreadyInUseException',
      `External key ${xksKeyId} is already associated with another KMS key in custom key store ${storeId}.`,
    );
  }
}
