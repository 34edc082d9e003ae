import { createHash, hkdfSync } from 'node:crypto';
import { openAesGcm, sealAesGcm } from '#crypto/aes-gcm.ts';
import { DecryptionError } from '#crypto/decryption-error.ts';
import type { Authority } from '#kernel/door.ts';
import { nameOf } from '#kernel/caller.ts';
import { formatArn } from '#kernel/arn.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { KmsApi } from '#services/kms/api.ts';
import { layersOf } from '../content/inner-layer.ts';
import { wrappingDataOf } from '../content/stream-binding.ts';
import type { CustomerKey, EncryptionChoice } from '../domain/encryption-choice.ts';
import type { StoredCustomerKey, StoredEncryption, StoredKmsKey, StoredServiceKey } from '../domain/object-facts.ts';
import { internalError } from '../errors.ts';
import type { BucketKey, BucketKeyCache } from './bucket-key-cache.ts';
import { kmsErrorOnRead, kmsErrorOnWrite } from './kms-errors.ts';
import type { MasterKeys } from './master-keys.ts';

type KmsChoice = Pick<Extract<EncryptionChoice, { readonly kind: 'aws:kms' }>, 'keyId' | 'context'>;

/** Which object a data key is for. */
export interface DataKeyPlace {
  readonly bucket: string;
  readonly key: string;
  readonly objectId: string;
}

/** A data key in the clear, and what is stored of it. */
export interface DataKey {
  /** 32 bytes; with two layers 64, the outer one's first. */
  readonly plaintext: Buffer;
  readonly stored: StoredEncryption;
}

/** Makes and opens the data keys of objects, one for each. KMS is asked in the caller's own name. */
export class DataKeys {
  readonly #kms: KmsApi;
  readonly #masterKeys: MasterKeys;
  readonly #bucketKeys: BucketKeyCache;
  readonly #randomness: Randomness;

  constructor(dependencies: {
    readonly kms: KmsApi;
    readonly masterKeys: MasterKeys;
    readonly bucketKeys: BucketKeyCache;
    readonly randomness: Randomness;
  }) {
    this.#kms = dependencies.kms;
    this.#masterKeys = dependencies.masterKeys;
    this.#bucketKeys = dependencies.bucketKeys;
    this.#randomness = dependencies.randomness;
  }

  /**
   * A new data key.
   *
   * @param authority the caller's, through S3, in the bucket's region
   */
  async create(choice: EncryptionChoice, place: DataKeyPlace, authority: Authority): Promise<DataKey> {
    switch (choice.kind) {
      case 'AES256':
        return await this.#createUnderMasterKey(place);
      case 'aws:kms':
        return choice.isBucketKeyEnabled
          ? await this.#wrapUnderBucketKey(this.#randomness.bytes(32), choice, place, authority)
          : await this.#createWithKms(choice.keyId, choice.context, place, authority);
      case 'aws:kms:dsse':
        return await this.#createTwo(choice.keyId, choice.context, place, authority);
      case 'SSE-C':
        return this.#createUnderCustomerKey(choice.customerKey, place);
    }
  }

  /**
   * Opens a stored data key; permission is checked anew.
   *
   * @param customerKey the key that came with the request, for SSE-C
   */
  async open(
    stored: StoredEncryption,
    place: DataKeyPlace,
    authority: Authority,
    customerKey?: CustomerKey,
  ): Promise<Buffer> {
    switch (stored.kind) {
      case 'AES256':
        return await this.openServiceKey(stored, place);
      case 'aws:kms':
        return await this.#openKmsKey(stored, place, authority);
      case 'aws:kms:dsse': {
        const outer = await this.#openKmsKey(stored.outer, place, authority);
        return joined(outer, await this.openServiceKey(stored.inner, place));
      }
      case 'SSE-C':
        if (customerKey === undefined) throw internalError();
        return openCustomerKey(stored, place, customerKey);
    }
  }

  /**
   * Keeps a data key in another way, or for another place; what is encrypted under it stays as it is.
   *
   * @param plaintext as `DataKey` has it; two keys where `choice` has two layers
   */
  async rewrap(
    choice: Exclude<EncryptionChoice, { readonly kind: 'SSE-C' }>,
    plaintext: Buffer,
    place: DataKeyPlace,
    authority: Authority,
  ): Promise<StoredEncryption> {
    switch (choice.kind) {
      case 'AES256':
        return (await this.#wrapUnderMasterKey(plaintext, place)).stored;
      case 'aws:kms':
        return choice.isBucketKeyEnabled
          ? (await this.#wrapUnderBucketKey(plaintext, choice, place, authority)).stored
          : await this.#encryptWithKms(plaintext, choice, place, authority);
      case 'aws:kms:dsse': {
        const { outer, inner } = layersOf(plaintext);
        if (inner === undefined) throw new TypeError('Two layers need two keys.');
        const stored = await this.#encryptWithKms(outer, choice, place, authority);
        return { kind: choice.kind, outer: stored, inner: (await this.#wrapUnderMasterKey(inner, place)).stored };
      }
    }
  }

  /** Opens a data key of SSE-S3. */
  async openServiceKey(stored: StoredServiceKey, place: DataKeyPlace): Promise<Buffer> {
    const master = await this.#masterKeys.find(stored.masterKey);
    if (master === undefined) throw new DecryptionError();
    return openAesGcm(master.key, Buffer.from(stored.wrapped, 'base64'), wrappingData(place));
  }

  async #createUnderMasterKey(place: DataKeyPlace): Promise<DataKey & { readonly stored: StoredServiceKey }> {
    return await this.#wrapUnderMasterKey(this.#randomness.bytes(32), place);
  }

  async #wrapUnderMasterKey(
    plaintext: Buffer,
    place: DataKeyPlace,
  ): Promise<DataKey & { readonly stored: StoredServiceKey }> {
    const master = await this.#masterKeys.current();
    const wrapped = sealAesGcm(master.key, plaintext, wrappingData(place)).toString('base64');
    return { plaintext, stored: { kind: 'AES256', masterKey: master.id, wrapped } };
  }

  /** Two keys that have nothing in common: KMS's, and one of this service. */
  async #createTwo(
    keyId: string,
    context: Readonly<Record<string, string>> | undefined,
    place: DataKeyPlace,
    authority: Authority,
  ): Promise<DataKey> {
    const outer = await this.#createWithKms(keyId, context, place, authority);
    const inner = await this.#createUnderMasterKey(place);
    return {
      plaintext: joined(outer.plaintext, inner.plaintext),
      stored: { kind: 'aws:kms:dsse', outer: outer.stored, inner: inner.stored },
    };
  }

  async #createWithKms(
    keyId: string,
    context: Readonly<Record<string, string>> | undefined,
    place: DataKeyPlace,
    authority: Authority,
  ): Promise<DataKey & { readonly stored: StoredKmsKey }> {
    const made = await this.#generate(keyId, { ...context, 'aws:s3:arn': objectArn(place) }, authority);
    const stored: StoredKmsKey = {
      kind: 'aws:kms',
      keyArn: made.keyArn,
      ciphertext: made.ciphertext.toString('base64'),
      ...(context !== undefined && { context }),
    };
    return { plaintext: made.key, stored };
  }

  async #encryptWithKms(
    plaintext: Buffer,
    { keyId, context }: KmsChoice,
    place: DataKeyPlace,
    authority: Authority,
  ): Promise<StoredKmsKey> {
    const EncryptionContext = { ...context, 'aws:s3:arn': objectArn(place) };
    const request = { KeyId: keyId, Plaintext: plaintext, EncryptionContext };
    const made = await this.#kms.encrypt(request, authority).catch(rethrow(kmsErrorOnWrite));
    if (made.CiphertextBlob === undefined || made.KeyId === undefined) throw internalError();
    const ciphertext = Buffer.from(made.CiphertextBlob).toString('base64');
    return { kind: 'aws:kms', keyArn: made.KeyId, ciphertext, ...(context !== undefined && { context }) };
  }

  async #wrapUnderBucketKey(
    plaintext: Buffer,
    { keyId, context }: KmsChoice,
    place: DataKeyPlace,
    authority: Authority,
  ): Promise<DataKey> {
    const kmsContext = { ...context, 'aws:s3:arn': bucketArn(place) };
    const id = cacheId(['write', ...requesterOf(authority), keyId, JSON.stringify(kmsContext)]);
    const { key: bucketKey, isCached } = await this.#bucketKeys.get(id, () =>
      this.#generate(keyId, kmsContext, authority),
    );
    if (isCached) {
      // INVARIANT: a cached key is never a permission.
      const request = { KeyId: bucketKey.keyArn, KeySpec: 'AES_256', EncryptionContext: kmsContext } as const;
      await this.#kms.checkGenerateDataKey(request, authority).catch(rethrow(kmsErrorOnWrite));
    }
    const stored: StoredKmsKey = {
      kind: 'aws:kms',
      keyArn: bucketKey.keyArn,
      ciphertext: bucketKey.ciphertext.toString('base64'),
      wrapped: sealAesGcm(bucketKey.key, plaintext, wrappingData(place)).toString('base64'),
      ...(context !== undefined && { context }),
    };
    return { plaintext, stored };
  }

  #createUnderCustomerKey(customerKey: CustomerKey, place: DataKeyPlace): DataKey {
    const plaintext = this.#randomness.bytes(32);
    const wrapping = customerWrappingKey(customerKey, place);
    const wrapped = sealAesGcm(wrapping, plaintext, wrappingData(place)).toString('base64');
    wrapping.fill(0);
    return { plaintext, stored: { kind: 'SSE-C', keyMd5: customerKey.md5, wrapped } };
  }

  async #generate(keyId: string, context: Record<string, string>, authority: Authority): Promise<BucketKey> {
    const request = { KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: context } as const;
    const made = await this.#kms.generateDataKey(request, authority).catch(rethrow(kmsErrorOnWrite));
    if (made.Plaintext === undefined || made.CiphertextBlob === undefined || made.KeyId === undefined) {
      throw internalError();
    }
    return { key: Buffer.from(made.Plaintext), keyArn: made.KeyId, ciphertext: Buffer.from(made.CiphertextBlob) };
  }

  async #openKmsKey(stored: StoredKmsKey, place: DataKeyPlace, authority: Authority): Promise<Buffer> {
    const request = decryptRequestOf(stored, place);
    if (stored.wrapped === undefined) return await this.#decrypt(request, authority);
    const id = cacheId([
      'read',
      ...requesterOf(authority),
      stored.ciphertext,
      JSON.stringify(request.EncryptionContext),
    ]);
    const { key: bucketKey, isCached } = await this.#bucketKeys.get(id, async () => ({
      key: await this.#decrypt(request, authority),
      keyArn: stored.keyArn,
      ciphertext: request.CiphertextBlob,
    }));
    // INVARIANT: a cached key is never a permission.
    if (isCached) await this.#kms.checkDecrypt(request, authority).catch(rethrow(kmsErrorOnRead));
    return openAesGcm(bucketKey.key, Buffer.from(stored.wrapped, 'base64'), wrappingData(place));
  }

  async #decrypt(request: KmsDecryptRequest, authority: Authority): Promise<Buffer> {
    const opened = await this.#kms.decrypt(request, authority).catch(rethrow(kmsErrorOnRead));
    if (opened.Plaintext === undefined) throw internalError();
    return Buffer.from(opened.Plaintext);
  }
}

interface KmsDecryptRequest {
  readonly CiphertextBlob: Buffer;
  readonly KeyId: string;
  readonly EncryptionContext: Record<string, string>;
}

/** What KMS is asked to open an object's stored data key, or the bucket key that wraps it. */
export function decryptRequestOf(stored: StoredKmsKey, place: DataKeyPlace): KmsDecryptRequest {
  const arn = stored.wrapped === undefined ? objectArn(place) : bucketArn(place);
  return {
    CiphertextBlob: Buffer.from(stored.ciphertext, 'base64'),
    KeyId: stored.keyArn,
    EncryptionContext: { ...stored.context, 'aws:s3:arn': arn },
  };
}

/** The data key, given what KMS answered to `decryptRequestOf`. */
export function dataKeyFromKms(stored: StoredKmsKey, place: DataKeyPlace, opened: Buffer): Buffer {
  if (stored.wrapped === undefined) return opened;
  return openAesGcm(opened, Buffer.from(stored.wrapped, 'base64'), wrappingData(place));
}

/** One buffer of two keys, which are overwritten. */
export function joined(outer: Buffer, inner: Buffer): Buffer {
  const both = Buffer.concat([outer, inner]);
  outer.fill(0);
  inner.fill(0);
  return both;
}

function openCustomerKey(stored: StoredCustomerKey, place: DataKeyPlace, customerKey: CustomerKey): Buffer {
  const wrapping = customerWrappingKey(customerKey, place);
  try {
    return openAesGcm(wrapping, Buffer.from(stored.wrapped, 'base64'), wrappingData(place));
  } finally {
    wrapping.fill(0);
  }
}

/** One wrapping key for each object: the customer's own key never encrypts anything itself. */
function customerWrappingKey(customerKey: CustomerKey, place: DataKeyPlace): Buffer {
  return Buffer.from(hkdfSync('sha256', customerKey.key, place.objectId, 'coffer/s3/sse-c/1', 32));
}

function wrappingData(place: DataKeyPlace): Buffer {
  return wrappingDataOf(place.bucket, place.key, place.objectId);
}

function objectArn(place: DataKeyPlace): string {
  return formatArn({ service: 's3', resource: `${place.bucket}/${place.key}` });
}

function bucketArn(place: DataKeyPlace): string {
  return formatArn({ service: 's3', resource: place.bucket });
}

function requesterOf(authority: Authority): string[] {
  const { caller } = authority;
  const principal = 'principalId' in caller ? caller.principalId : '';
  return [nameOf(caller), principal, authority.region];
}

/** A digest, so that the cache's keys are short and hold no ciphertext. */
function cacheId(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

function rethrow(translate: (error: unknown) => unknown): (error: unknown) => never {
  return (error) => {
    throw translate(error);
  };
}
