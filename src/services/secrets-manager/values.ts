import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { openAesGcm, sealAesGcm } from '#crypto/aes-gcm.ts';
import { DecryptionError } from '#crypto/decryption-error.ts';
import type { RootKey } from '#crypto/root-key.ts';
import type { Authority } from '#kernel/door.ts';
import type { Region } from '#kernel/ids.ts';
import type { Call } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import { decryptionFailure, encryptionFailure, invalidParameter, kmsDenied } from './errors.ts';
import { arnOf, kmsKeyArn } from './secrets.ts';
import type { SecretRow, VersionRow } from './store.ts';

// Frozen: docs/formats/secrets.md.
const VALUE_PURPOSE = 'secrets-manager/value/1';
const FINGERPRINT_CONTEXT = 'secrets-manager/fingerprint/2';
/** Of earlier versions: their fingerprints are HMACs under a key that was derived for this purpose. */
const HMAC_PURPOSE = 'secrets-manager/fingerprint/1';
const HMAC_LENGTH = 32;

const MAX_BYTES = 65_536;

/** A secret's value in the clear. */
export interface SecretValue {
  readonly kind: 'string' | 'binary';
  /** UTF-8 for `string`. */
  readonly bytes: Uint8Array;
}

/** What is stored of a value. */
export type SealedValue = Pick<VersionRow, 'kind' | 'kms_key_id' | 'key_arn' | 'data_key' | 'sealed' | 'fingerprint'>;

/** A version whose value is still to come. */
export const NO_VALUE: SealedValue = {
  kind: 'none',
  kms_key_id: null,
  key_arn: null,
  data_key: null,
  sealed: null,
  fingerprint: null,
};

interface ValueInput {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: Uint8Array | undefined;
}

/** The value of a request, where it has one. @throws ServiceError InvalidParameterException */
export function readValue({ SecretString, SecretBinary }: ValueInput): SecretValue | undefined {
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw invalidParameter("You can't specify both SecretString and SecretBinary in the same request.");
  }
  if (SecretString === undefined && SecretBinary === undefined) return undefined;
  const value: SecretValue =
    SecretString === undefined
      ? { kind: 'binary', bytes: SecretBinary ?? new Uint8Array() }
      : { kind: 'string', bytes: Buffer.from(SecretString, 'utf8') };
  if (value.bytes.length > MAX_BYTES) throw invalidParameter(`A secret's value has at most ${MAX_BYTES} bytes.`);
  return value;
}

/** The members of an answer that carry a value. */
export function valueMembers({ kind, bytes }: SecretValue): { SecretString: string } | { SecretBinary: Uint8Array } {
  return kind === 'string' ? { SecretString: Buffer.from(bytes).toString('utf8') } : { SecretBinary: bytes };
}

/** Seals values under data keys of KMS, and opens them: always in the name of who asks. */
export class SecretValues {
  readonly #kms: KmsApi;
  readonly #rootKey: RootKey;

  constructor(kms: KmsApi, rootKey: RootKey) {
    this.#kms = kms;
    this.#rootKey = rootKey;
  }

  /**
   * @param secret whose key is used
   * @throws ServiceError EncryptionFailure, AccessDeniedException
   */
  async seal(secret: SecretRow, versionId: string, value: SecretValue, call: Call): Promise<SealedValue> {
    const request = {
      KeyId: kmsKeyArn(secret, secret.kms_key_id),
      KeySpec: 'AES_256',
      EncryptionContext: encryptionContextOf(arnOf(secret), versionId),
    } as const;
    const { KeyId, Plaintext, CiphertextBlob } = await this.#kms
      .generateDataKey(request, authorityIn(call, secret.region))
      .catch((error: unknown) => {
        throw asKmsFailure(error, encryptionFailure);
      });
    if (KeyId === undefined || Plaintext?.length !== 32 || CiphertextBlob === undefined) {
      throw new Error('KMS answered GenerateDataKey without a key.');
    }
    try {
      return {
        kind: value.kind,
        kms_key_id: secret.kms_key_id,
        key_arn: KeyId,
        data_key: CiphertextBlob,
        // INVARIANT: one data key seals one value.
        sealed: sealAesGcm(Plaintext, value.bytes, associatedData(secret.id, versionId, value.kind)),
        // Sealed: who reads the records cannot try values on it.
        fingerprint: this.#rootKey.seal(
          digestOf(secret.id, versionId, value),
          fingerprintContext(secret.id, versionId),
        ),
      };
    } finally {
      Plaintext.fill(0);
    }
  }

  /** @throws ServiceError DecryptionFailure, AccessDeniedException */
  async open(secret: SecretRow, version: VersionRow, call: Call): Promise<SecretValue> {
    const request = decryptRequest(secret, version);
    const { Plaintext } = await this.#kms.decrypt(request, authorityIn(call, secret.region)).catch((error: unknown) => {
      throw asKmsFailure(error, decryptionFailure);
    });
    if (Plaintext?.length !== 32) throw new Error('KMS answered Decrypt without a key.');
    return openValue(secret.id, version, Plaintext);
  }

  /** Whether a version has that value; tells a repeated request from another, without the key. */
  isSame(version: VersionRow, value: SecretValue): boolean {
    const { secret_id: secretId, version_id: versionId, fingerprint } = version;
    if (fingerprint === null) return false;
    if (fingerprint.length === HMAC_LENGTH)
      return timingSafeEqual(this.#hmacOf(secretId, versionId, value), fingerprint);
    const kept = this.#rootKey.open(fingerprint, fingerprintContext(secretId, versionId));
    return timingSafeEqual(digestOf(secretId, versionId, value), kept);
  }

  #hmacOf(secretId: string, versionId: string, value: SecretValue): Buffer {
    return createHmac('sha256', this.#rootKey.deriveKey(HMAC_PURPOSE))
      .update(headOf(secretId, versionId, value))
      .update(value.bytes)
      .digest();
  }
}

function digestOf(secretId: string, versionId: string, value: SecretValue): Buffer {
  return createHash('sha256')
    .update(headOf(secretId, versionId, value))
    .update(value.bytes)
    .digest();
}

function headOf(secretId: string, versionId: string, { kind }: SecretValue): string {
  return `${JSON.stringify([secretId, versionId, kind])}\n`;
}

function fingerprintContext(secretId: string, versionId: string): string {
  return `${FINGERPRINT_CONTEXT}/${secretId}/${versionId}`;
}

export const fingerprintColumn: RootSealedColumn = {
  table: 'secrets_manager_version',
  column: 'fingerprint',
  contextOf: (row) => fingerprintContext(String(row['secret_id']), String(row['version_id'])),
  isGivenUp: (value) => value.length === HMAC_LENGTH,
};

/** What KMS is asked to open a version's data key. */
export function decryptRequest(secret: SecretRow, { version_id, key_arn, data_key }: VersionRow) {
  if (key_arn === null || data_key === null) throw new DecryptionError();
  return {
    KeyId: key_arn,
    CiphertextBlob: data_key,
    EncryptionContext: encryptionContextOf(arnOf(secret), version_id),
  };
}

/** @param dataKey overwritten afterwards @throws DecryptionError */
export function openValue(secretId: string, version: VersionRow, dataKey: Uint8Array): SecretValue {
  const { kind, version_id, sealed } = version;
  try {
    if (kind === 'none' || sealed === null) throw new DecryptionError();
    return { kind, bytes: openAesGcm(dataKey, sealed, associatedData(secretId, version_id, kind)) };
  } finally {
    dataKey.fill(0);
  }
}

/** As AWS documents it (user guide, "Secret encryption and decryption"). Frozen. */
function encryptionContextOf(arn: string, versionId: string): Record<string, string> {
  return { SecretARN: arn, SecretVersionId: versionId };
}

// Frozen: binds a value to its place.
function associatedData(secretId: string, versionId: string, kind: string): Buffer {
  return Buffer.from(JSON.stringify([VALUE_PURPOSE, secretId, versionId, kind]));
}

/** The authority to call KMS in the caller's name, in the region of the secret, which is another one for replicas. */
function authorityIn(call: Call, region: Region): Authority {
  const authority = call.forward('secretsmanager');
  if (region === call.region) return authority;
  return { ...authority, region, via: [...call.via, `secretsmanager.${region}.amazonaws.com`] };
}

function asKmsFailure(error: unknown, otherwise: () => ServiceError): unknown {
  if (!(error instanceof ServiceError) || error.status >= 500) return error;
  return error.code === 'AccessDeniedException' ? kmsDenied() : otherwise();
}
