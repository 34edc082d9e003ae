import { sealAesGcm } from '#crypto/aes-gcm.ts';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { formatArn } from '#kernel/arn.ts';
import type { Authority } from '#kernel/door.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { KmsApi } from '#services/kms/api.ts';
import { bucketArn, objectArn } from '../access.ts';
import { layersOf } from '../content/inner-layer.ts';
import { wrappingDataOf } from '../content/stream-binding.ts';
import type { S3Context } from '../context.ts';
import { kmsKeyOf } from '../domain/encryption-members.ts';
import {
  isMarker,
  parseUploadFacts,
  parseVersionFacts,
  type StoredEncryption,
  type StoredKmsKey,
} from '../domain/object-facts.ts';
import { RecordDamageError } from '../domain/record-seal.ts';
import type { DataKeyPlace } from '../keys/data-keys.ts';
import { changeEncryption } from '../rewrapped-object.ts';
import type { BucketRow, ObjectRow, UploadRow } from '../store.ts';
import { type OperatorDecrypt, openKey } from './verify.ts';
import { allObjects, allUploads, allVersions } from './walk.ts';

/** What became of one object, version or upload. */
export type RewrapOutcome =
  /** `replaced`: overwritten, changed or removed meanwhile; what came instead is looked at by the next walk. */
  | { readonly state: 'moved' | 'already' | 'replaced' }
  /** `customer`: only the customer has its key. `failed`: it stays under the key that it has. */
  | { readonly state: 'customer' | 'failed'; readonly what: string; readonly reason: string };

/** So many objects are moved at a time: their commits share the disk's flush. */
const AT_ONCE = 16;
// INVARIANT: random nonces under one bucket key stay far below 2^32.
const BUCKET_KEY_USES = 2 ** 24;
const BUCKET_KEYS = 256;
const MAXIMUM_WALKS = 5;

interface BucketKey {
  readonly key: Buffer;
  readonly ciphertext: string;
  uses: number;
}

/**
 * Moves everything in a bucket to another KMS key. Data keys stay what they are, and so does all that is encrypted under
 * them; only how each data key is kept changes, in one commit for each object. So at any moment each object is under the
 * one key or the other, and a walk that was cut off goes on when it is begun again.
 *
 * What is under the old keys is opened on the operator's authority, as `coffer verify` does. What is put under the new
 * key is asked of KMS through the door, as the root user of the bucket's account through S3, so that the key's policy and
 * state speak, and KMS's requests stand in the audit log.
 *
 * @param key as requests name keys: id, alias or ARN
 * @throws ServiceError as KMS refuses the key
 */
export async function* rewrapBucket(
  s3: S3Context,
  kms: KmsApi,
  decrypt: OperatorDecrypt,
  bucket: BucketRow,
  key: string,
): AsyncGenerator<RewrapOutcome> {
  const rewrap = new Rewrap(s3, kms, decrypt, bucket, key);
  await rewrap.begin();
  for (let walk = 0; walk < MAXIMUM_WALKS; walk += 1) {
    let hasChanged = false;
    for await (const outcome of rewrap.walk()) {
      if (outcome.state === 'moved' || outcome.state === 'replaced') hasChanged = true;
      // What stays as it is was told by the first walk.
      if (walk === 0 || outcome.state === 'moved') yield outcome;
    }
    if (!hasChanged) return;
  }
}

class Rewrap {
  readonly #s3: S3Context;
  readonly #kms: KmsApi;
  readonly #decrypt: OperatorDecrypt;
  readonly #bucket: BucketRow;
  readonly #authority: Authority;
  readonly #bucketKeys = new Map<string, Promise<BucketKey>>();
  #keyArn: string;

  constructor(s3: S3Context, kms: KmsApi, decrypt: OperatorDecrypt, bucket: BucketRow, key: string) {
    this.#s3 = s3;
    this.#kms = kms;
    this.#decrypt = decrypt;
    this.#bucket = bucket;
    this.#keyArn = key;
    const { account: accountId, region } = bucket;
    const arn = formatArn({ service: 'iam', account: accountId, resource: 'root' });
    this.#authority = {
      caller: { type: 'root', accountId, arn, principalId: accountId },
      region,
      via: [`s3.${region}.amazonaws.com`],
      userAgent: 'coffer rewrap',
    };
  }

  /** Asks the key once, which also tells its ARN. */
  async begin(): Promise<void> {
    await this.#bucketKey(undefined);
  }

  /** Uploads before objects before versions: the way that records go. */
  async *walk(): AsyncGenerator<RewrapOutcome> {
    const { store } = this.#s3;
    const { name } = this.#bucket;
    yield* inGroups(allUploads(store, name), (row) => this.#moveUpload(row));
    yield* inGroups(allObjects(store, name), (row) => this.#moveObject('s3_object', row, `s3://${name}/${row.key}`));
    yield* inGroups(allVersions(store, name), (row) =>
      this.#moveObject('s3_version', row, `s3://${name}/${row.key} (version ${row.version})`),
    );
  }

  async #moveUpload(row: UploadRow): Promise<RewrapOutcome> {
    const { bucket, key, object_id: objectId } = row;
    return await this.#try(`s3://${bucket}/${key} (an upload)`, parseUploadFacts(row.facts).encryption, async () => {
      const { facts } = this.#s3.uploads.check(row);
      const place = { bucket, key, objectId };
      const dataKey = await this.#open(facts.encryption, place);
      const encryption = await this.#wrap(facts.encryption, place, dataKey);
      dataKey.fill(0);
      const text = JSON.stringify({ ...facts, encryption });
      const { mac } = this.#s3.seal.upload({ ...row, facts: text });
      const { numUpdatedRows } = await this.#s3.store.write((transaction) =>
        transaction
          .updateTable('s3_upload')
          .set({ facts: text, mac })
          .where('id', '=', row.id)
          .where('facts', '=', row.facts)
          .executeTakeFirst(),
      );
      return numUpdatedRows > 0n;
    });
  }

  async #moveObject(table: 's3_object' | 's3_version', row: ObjectRow, what: string): Promise<RewrapOutcome> {
    const seen = parseVersionFacts(row.facts);
    if (isMarker(seen)) return { state: 'already' };
    return await this.#try(what, seen.encryption, async () => {
      const object = this.#s3.objects.check(row);
      const { bucket, key, id: objectId } = row;
      const place = { bucket, key, objectId };
      const dataKey = await this.#open(object.facts.encryption, place);
      try {
        const encryption = await this.#wrap(object.facts.encryption, place, dataKey);
        return await changeEncryption(this.#s3, table, object, encryption, dataKey);
      } finally {
        dataKey.fill(0);
      }
    });
  }

  async #try(what: string, stored: StoredEncryption, move: () => Promise<boolean>): Promise<RewrapOutcome> {
    if (stored.kind === 'SSE-C') return { state: 'customer', what, reason: 'only the customer has its key' };
    if (kmsKeyOf(stored)?.keyArn === this.#keyArn) return { state: 'already' };
    try {
      return { state: (await move()) ? 'moved' : 'replaced' };
    } catch (error) {
      if (error instanceof ServiceError) return { state: 'failed', what, reason: error.message };
      if (error instanceof DecryptionError) return { state: 'failed', what, reason: 'its key does not open' };
      if (error instanceof RecordDamageError) return { state: 'failed', what, reason: 'its record was changed' };
      throw error;
    }
  }

  async #open(stored: StoredEncryption, place: DataKeyPlace): Promise<Buffer> {
    const dataKey = await openKey(this.#s3, this.#decrypt, stored, place);
    if (dataKey === undefined) throw new DecryptionError();
    return dataKey;
  }

  /** An object keeps its encryption context, and whether it has a bucket key; one of SSE-S3 gets a bucket key. */
  async #wrap(stored: StoredEncryption, place: DataKeyPlace, dataKey: Buffer): Promise<StoredEncryption> {
    if (stored.kind !== 'aws:kms:dsse') return await this.#wrapOne(stored, place, dataKey);
    return { ...stored, outer: await this.#wrapOne(stored.outer, place, layersOf(dataKey).outer) };
  }

  async #wrapOne(stored: StoredEncryption, place: DataKeyPlace, dataKey: Buffer): Promise<StoredKmsKey> {
    const { bucket, key, objectId } = place;
    const context = stored.kind === 'aws:kms' ? stored.context : undefined;
    const kept = { kind: 'aws:kms', keyArn: this.#keyArn, ...(context !== undefined && { context }) } as const;
    if (stored.kind === 'aws:kms' && stored.wrapped === undefined) {
      const EncryptionContext = { ...context, 'aws:s3:arn': objectArn(bucket, key) };
      const answer = await this.#kms.encrypt(
        { KeyId: this.#keyArn, Plaintext: dataKey, EncryptionContext },
        this.#authority,
      );
      return { ...kept, ciphertext: Buffer.from(answer.CiphertextBlob ?? []).toString('base64') };
    }
    const bucketKey = await this.#bucketKey(context);
    const wrapped = sealAesGcm(bucketKey.key, dataKey, wrappingDataOf(bucket, key, objectId)).toString('base64');
    return { ...kept, ciphertext: bucketKey.ciphertext, wrapped };
  }

  /** One for each encryption context. */
  async #bucketKey(context: StoredKmsKey['context']): Promise<BucketKey> {
    const id = JSON.stringify(context ?? {});
    const known = await this.#bucketKeys.get(id);
    if (known !== undefined && known.uses < BUCKET_KEY_USES) {
      known.uses += 1;
      return known;
    }
    if (this.#bucketKeys.size >= BUCKET_KEYS) this.#bucketKeys.clear();
    const made = this.#makeBucketKey(context);
    this.#bucketKeys.set(id, made);
    try {
      return await made;
    } catch (error) {
      this.#bucketKeys.delete(id);
      throw error;
    }
  }

  async #makeBucketKey(context: StoredKmsKey['context']): Promise<BucketKey> {
    const EncryptionContext = { ...context, 'aws:s3:arn': bucketArn(this.#bucket.name) };
    const answer = await this.#kms.generateDataKey(
      { KeyId: this.#keyArn, KeySpec: 'AES_256', EncryptionContext },
      this.#authority,
    );
    this.#keyArn = answer.KeyId ?? this.#keyArn;
    return {
      key: Buffer.from(answer.Plaintext ?? []),
      ciphertext: Buffer.from(answer.CiphertextBlob ?? []).toString('base64'),
      uses: 1,
    };
  }
}

async function* inGroups<Row>(
  rows: AsyncIterable<Row>,
  work: (row: Row) => Promise<RewrapOutcome>,
): AsyncGenerator<RewrapOutcome> {
  let group: Row[] = [];
  for await (const row of rows) {
    group.push(row);
    if (group.length < AT_ONCE) continue;
    yield* await Promise.all(group.map(work));
    group = [];
  }
  yield* await Promise.all(group.map(work));
}
