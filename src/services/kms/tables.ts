import type {
  AlgorithmSpec,
  ExpirationModelType,
  KeyManagerType,
  KeySpec,
  KeyState,
  KeyUsageType,
  MultiRegionKeyType,
  OriginType,
  RotationType,
} from '@aws-sdk/client-kms';
import type { Kysely } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { CustomKeyStoreTables } from './xks/key-store-record.ts';

/** What names a key: a multi-Region key's replicas have one id. */
export interface KeyRef {
  readonly region: Region;
  /** A UUID, or `mrk-` and 32 hexadecimal digits. */
  readonly id: string;
}

/** Times are milliseconds since the epoch. */
export interface KeyRecord extends KeyRef {
  readonly account: AccountId;
  readonly state: KeyState;
  readonly manager: KeyManagerType;
  readonly description: string;
  readonly policy: string;
  readonly created_at: number;
  /** When a key that is pending deletion goes. */
  readonly deletion_at: number | null;
  /** The material that encrypts; older ones stay for decryption. Empty until material was imported. */
  readonly material_id: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsageType;
  readonly origin: OriginType;
  /** Null for a key of one Region. */
  readonly multi_region: MultiRegionKeyType | null;
  /** The Region of the primary key, of a multi-Region key alone. */
  readonly primary_region: Region | null;
}

/** Replicas of a multi-Region key have copies of their own. */
export interface MaterialRecord {
  readonly region: Region;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly key_id: string;
  /** The raw bytes of a symmetric key, PKCS #8 in DER of a key pair, sealed under the root key. */
  readonly sealed: Uint8Array;
  readonly created_at: number;
}

export interface AliasRecord {
  readonly account: AccountId;
  readonly region: Region;
  /** With its prefix: `alias/…`. */
  readonly name: string;
  readonly key_id: string;
  readonly created_at: number;
  readonly updated_at: number;
}

interface TagRecord {
  readonly region: Region;
  readonly key_id: string;
  readonly tag_key: string;
  readonly tag_value: string;
}

/** What is known of a material beside its bytes. The first one that KMS made for a key has no such row. */
interface MaterialHistoryRecord {
  readonly region: Region;
  readonly key_id: string;
  readonly material_id: string;
  /** The order in which materials came to the key, from 0. */
  readonly position: number;
  /** 1 for imported material that no rotation has made current yet. */
  readonly is_pending: 0 | 1;
  readonly rotated_at: number | null;
  readonly rotation_type: RotationType | null;
  readonly description: string | null;
  /** Of imported material alone; null until it is imported in this Region. */
  readonly expiration_model: ExpirationModelType | null;
  readonly valid_to: number | null;
}

/** Automatic rotation; of a multi-Region key in the primary's Region. */
interface RotationScheduleRecord {
  readonly region: Region;
  readonly key_id: string;
  readonly period_days: number;
  readonly next_at: number;
}

/** A wrapping key that was given out for an import. */
export interface ImportParametersRecord {
  /** 64 hexadecimal digits: the digest of the import token. */
  readonly id: string;
  readonly region: Region;
  readonly key_id: string;
  readonly algorithm: AlgorithmSpec;
  /** The private key (PKCS #8, DER), sealed under the root key; null once it has expired. */
  readonly sealed: Uint8Array | null;
  readonly expires_at: number;
}

/** A primary key whose deletion waits for that of its replicas. */
interface WaitingPrimaryRecord {
  readonly region: Region;
  readonly key_id: string;
  readonly window_days: number;
}

export interface KmsTables extends CustomKeyStoreTables {
  readonly kms_key: KeyRecord;
  readonly kms_material: MaterialRecord;
  readonly kms_alias: AliasRecord;
  readonly kms_tag: TagRecord;
  readonly kms_material_history: MaterialHistoryRecord;
  readonly kms_rotation_schedule: RotationScheduleRecord;
  readonly kms_import_parameters: ImportParametersRecord;
  readonly kms_waiting_primary: WaitingPrimaryRecord;
}

export type KmsTransaction = Kysely<KmsTables>;
