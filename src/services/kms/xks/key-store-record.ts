import type { ConnectionErrorCodeType, ConnectionStateType } from '@aws-sdk/client-kms';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';

/** A custom key store of type EXTERNAL_KEY_STORE, whose proxy has a public endpoint. */
export interface CustomKeyStoreRecord {
  /** `cks-` and 17 hexadecimal digits. */
  readonly id: string;
  readonly account: AccountId;
  readonly region: Region;
  /** Unique in the account and region, as the address of the proxy is. */
  readonly name: string;
  /** `https://` and a host. */
  readonly uri_endpoint: string;
  readonly uri_path: string;
  readonly access_key_id: string;
  /** The secret access key by which KMS signs, sealed under the root key. */
  readonly sealed_secret: Uint8Array;
  readonly connection_state: ConnectionStateType;
  readonly connection_error: ConnectionErrorCodeType | null;
  readonly created_at: number;
}

/** Which key of an external key manager a KMS key is. */
interface ExternalKeyRecord {
  readonly region: Region;
  readonly key_id: string;
  readonly store_id: string;
  /** The external key manager's name for it, unique in the key store. */
  readonly xks_key_id: string;
}

export interface CustomKeyStoreTables {
  readonly kms_custom_key_store: CustomKeyStoreRecord;
  readonly kms_external_key: ExternalKeyRecord;
}

/** The external key of a KMS key, with the key store that it is reached by. */
export interface ExternalKey {
  readonly xksKeyId: string;
  readonly store: CustomKeyStoreRecord;
}

export function credentialContext(storeId: string): string {
  return `kms-xks-credential ${storeId}`;
}

export const proxyCredentialColumn: RootSealedColumn = {
  table: 'kms_custom_key_store',
  column: 'sealed_secret',
  contextOf: (row) => credentialContext(String(row['id'])),
};
