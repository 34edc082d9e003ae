import type { Authority } from '#kernel/door.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { ArchivedStream } from './fragment.ts';

/** The AWS managed key, which KMS makes when it is first asked for. */
const MANAGED_KEY = 'alias/aws/kinesisvideo';

/** A data key in the clear, and what is stored of it. */
export interface DataKey {
  /** 32 bytes. */
  readonly plaintext: Buffer;
  readonly keyArn: string;
  /** KMS's ciphertext of it. */
  readonly ciphertext: Uint8Array;
}

/**
 * Asks KMS for a new data key.
 *
 * @throws ServiceError as KMS answers
 */
export async function generateDataKey(kms: KmsApi, stream: ArchivedStream, authority: Authority): Promise<DataKey> {
  const { KeyId, Plaintext, CiphertextBlob } = await kms.generateDataKey(generateRequest(stream), authority);
  if (KeyId === undefined || Plaintext?.length !== 32 || CiphertextBlob === undefined) {
    throw new Error('KMS answered GenerateDataKey without a key.');
  }
  return { plaintext: Buffer.from(Plaintext), keyArn: KeyId, ciphertext: CiphertextBlob };
}

/** Asks KMS whether a new data key could be had now. @throws ServiceError as KMS answers */
export function checkGenerate(kms: KmsApi, stream: ArchivedStream, authority: Authority): Promise<void> {
  return kms.checkGenerateDataKey(generateRequest(stream), authority);
}

/** What is stored of a data key. */
export interface StoredDataKey {
  readonly key_arn: string;
  readonly data_key: Uint8Array;
}

/** Opens a stored data key. @throws ServiceError as KMS answers */
export async function decryptDataKey(
  kms: KmsApi,
  stream: ArchivedStream,
  stored: StoredDataKey,
  authority: Authority,
): Promise<Buffer> {
  const { Plaintext } = await kms.decrypt(decryptRequest(stream, stored), authority);
  if (Plaintext?.length !== 32) throw new Error('KMS answered Decrypt without a key.');
  return Buffer.from(Plaintext);
}

/** Asks KMS whether a stored data key could be opened now. @throws ServiceError as KMS answers */
export function checkDecrypt(
  kms: KmsApi,
  stream: ArchivedStream,
  stored: StoredDataKey,
  authority: Authority,
): Promise<void> {
  return kms.checkDecrypt(decryptRequest(stream, stored), authority);
}

/**
 * Asks KMS whether a data key of the stream could be opened now, though there is none yet.
 *
 * @throws ServiceError as KMS answers
 */
export function checkKey(kms: KmsApi, stream: ArchivedStream, authority: Authority): Promise<void> {
  return kms.checkDecryptWith({ KeyId: keyIdOf(stream), EncryptionContext: encryptionContextOf(stream) }, authority);
}

function keyIdOf(stream: ArchivedStream): string {
  return stream.kmsKeyId ?? MANAGED_KEY;
}

/**
 * The encryption context of a stream's data keys. AWS documents none for Kinesis Video Streams: this is Coffer's own
 * choice, after the form that other services have. Frozen.
 */
export function encryptionContextOf(stream: ArchivedStream): Record<string, string> {
  return { 'aws:kinesisvideo:arn': stream.arn };
}

function generateRequest(stream: ArchivedStream) {
  return {
    KeyId: keyIdOf(stream),
    KeySpec: 'AES_256',
    EncryptionContext: encryptionContextOf(stream),
  } as const;
}

function decryptRequest(stream: ArchivedStream, { key_arn: KeyId, data_key: CiphertextBlob }: StoredDataKey) {
  return { KeyId, CiphertextBlob, EncryptionContext: encryptionContextOf(stream) };
}
