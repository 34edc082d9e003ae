import { createHash } from 'node:crypto';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { KeyDestroyedError } from '#crypto/key-destroyed-error.ts';
import { BlobMissingError } from '#storage/blobs.ts';
import { type ContentPiece, checkDigest, checkPiece, readInline } from '#storage/content/content-reader.ts';
import { layersOf } from '../content/inner-layer.ts';
import { associatedDataOf, BLOB_SPACE } from '../content/stream-binding.ts';
import type { S3Context } from '../context.ts';
import {
  blobsOf,
  isMarker,
  parseStoredPart,
  parseVersionFacts,
  type StoredEncryption,
} from '../domain/object-facts.ts';
import { RecordDamageError } from '../domain/record-seal.ts';
import { type DataKeyPlace, dataKeyFromKms, decryptRequestOf, joined } from '../keys/data-keys.ts';
import { pieceOfPart, wholeBinding } from '../objects.ts';
import type { ObjectRow, PartRow, UploadRow, VersionRow } from '../store.ts';
import { allObjects, allParts, allVersions } from './walk.ts';

/** One thing that does not read back as it was written. */
export interface S3Damage {
  /** Such as `s3://bucket/key`. */
  readonly what: string;
  readonly damage: string;
}

/**
 * Opens a KMS ciphertext on the operator's own authority: who holds the root key holds every key under it.
 *
 * @throws when it does not open
 */
export type OperatorDecrypt = (request: {
  readonly CiphertextBlob: Uint8Array;
  readonly KeyId: string;
  readonly EncryptionContext: Readonly<Record<string, string>>;
}) => Promise<Uint8Array>;

/**
 * Reads everything that S3 keeps and checks every seal and tag.
 *
 * @param only a bucket's name: nothing else is read
 * @returns `undefined` for each thing that is sound
 */
export async function* verifyS3(
  s3: S3Context,
  decrypt: OperatorDecrypt,
  startedAt: number,
  only?: string,
): AsyncGenerator<S3Damage | undefined> {
  for (const bucket of await s3.store.allBuckets()) {
    if (only !== undefined && bucket.name !== only) continue;
    yield await find(`s3://${bucket.name}`, async () => {
      s3.seal.checkBucket(bucket);
    });
  }
  const inUse = new Set<string>();
  for await (const { upload, part } of allParts(s3.store, only)) {
    yield await verifyPart(s3, decrypt, upload, part, inUse);
  }
  for await (const row of allObjects(s3.store, only)) yield await verifyObject(s3, decrypt, row, inUse);
  for await (const row of allVersions(s3.store, only)) yield await verifyVersion(s3, decrypt, row, inUse);
  if (only !== undefined) return;
  for await (const { id, writtenAt } of s3.blobs.list(BLOB_SPACE)) {
    if (!inUse.has(id) && writtenAt < startedAt) yield { what: `blob ${id}`, damage: 'no record names it' };
  }
}

/** @param inUse gets the blobs that it names */
export async function verifyPart(
  s3: S3Context,
  decrypt: OperatorDecrypt,
  upload: UploadRow,
  part: PartRow,
  inUse: Set<string>,
): Promise<S3Damage | undefined> {
  const what = `s3://${upload.bucket}/${upload.key} (part ${part.number} of an upload)`;
  const damage = await find(what, () => checkPart(s3, decrypt, upload, part, inUse));
  const isThere = damage === undefined || (await s3.store.findPart(upload.id, part.number))?.facts === part.facts;
  return isThere ? damage : undefined;
}

/** As `verifyPart`. What was overwritten while it was being read is not damaged. */
export async function verifyObject(
  s3: S3Context,
  decrypt: OperatorDecrypt,
  row: ObjectRow,
  inUse: Set<string>,
): Promise<S3Damage | undefined> {
  const { bucket, key, id } = row;
  const damage = await find(`s3://${bucket}/${key}`, () => checkObject(s3, decrypt, row, inUse));
  return damage === undefined || (await s3.store.findObject(bucket, key))?.id === id ? damage : undefined;
}

/** As `verifyPart`, of a version that is not current, or a delete marker. */
export async function verifyVersion(
  s3: S3Context,
  decrypt: OperatorDecrypt,
  row: VersionRow,
  inUse: Set<string>,
): Promise<S3Damage | undefined> {
  const { bucket, key, version } = row;
  const what = `s3://${bucket}/${key} (version ${version})`;
  const damage = await find(what, () => checkVersion(s3, decrypt, row, inUse));
  const isThere = damage === undefined || (await s3.store.versions.find(bucket, key, version)) !== undefined;
  return isThere ? damage : undefined;
}

async function find(what: string, check: () => Promise<void>): Promise<S3Damage | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof RecordDamageError) return { what, damage: 'its record was changed' };
    if (error instanceof BlobMissingError) return { what, damage: `its blob ${error.id} is missing` };
    if (error instanceof KeyDestroyedError) return { what, damage: 'not readable: its KMS key was destroyed' };
    if (error instanceof DecryptionError) return { what, damage: 'its content or its key does not open' };
    if (error instanceof SyntaxError) return { what, damage: 'its record cannot be read' };
    throw error;
  }
}

async function checkPart(
  s3: S3Context,
  decrypt: OperatorDecrypt,
  upload: UploadRow,
  part: PartRow,
  inUse: Set<string>,
): Promise<void> {
  s3.seal.checkPart(part);
  const stored = parseStoredPart(part.facts);
  inUse.add(stored.blob);
  const { facts } = s3.uploads.check(upload);
  const { bucket, key, object_id: objectId } = upload;
  const piece = pieceOfPart(stored, bucket, key, objectId);
  await checkPieces(s3, decrypt, facts.encryption, { bucket, key, objectId }, [piece]);
}

async function checkVersion(
  s3: S3Context,
  decrypt: OperatorDecrypt,
  row: VersionRow,
  inUse: Set<string>,
): Promise<void> {
  if (!isMarker(parseVersionFacts(s3.seal.checkVersion(row).facts))) await checkObject(s3, decrypt, row, inUse);
}

async function checkObject(s3: S3Context, decrypt: OperatorDecrypt, row: ObjectRow, inUse: Set<string>): Promise<void> {
  const object = s3.objects.check(row);
  for (const blob of blobsOf(object.facts, row.parts)) inUse.add(blob);
  const { bucket, key, id: objectId } = row;
  const { encryption, content } = object.facts;
  const place = { bucket, key, objectId };
  if (content.kind !== 'inline') {
    await checkPieces(s3, decrypt, encryption, place, s3.objects.piecesOf(object));
    return;
  }
  const body = row.body ?? Buffer.alloc(0);
  const dataKey = await openKey(s3, decrypt, encryption, place);
  if (dataKey === undefined) {
    if (createHash('sha256').update(body).digest('base64') !== content.digest) throw new DecryptionError();
    return;
  }
  const aad = associatedDataOf(wholeBinding(object));
  const plaintext = readInline(body, content.segmentSize, layersOf(dataKey).outer, aad);
  dataKey.fill(0);
  if (plaintext.length !== row.size) throw new DecryptionError();
}

async function checkPieces(
  s3: S3Context,
  decrypt: OperatorDecrypt,
  encryption: StoredEncryption,
  place: DataKeyPlace,
  pieces: readonly ContentPiece[],
): Promise<void> {
  const dataKey = await openKey(s3, decrypt, encryption, place);
  for (const piece of pieces) {
    if (dataKey !== undefined) await checkPiece(s3.blobs, piece, layersOf(dataKey).outer);
    else await checkDigest(s3.blobs, piece);
  }
  dataKey?.fill(0);
}

/** `undefined` where only the customer has the key: then the digest of the ciphertext speaks in its place. */
export async function openKey(
  s3: S3Context,
  decrypt: OperatorDecrypt,
  encryption: StoredEncryption,
  place: DataKeyPlace,
): Promise<Buffer | undefined> {
  switch (encryption.kind) {
    case 'AES256':
      return await s3.dataKeys.openServiceKey(encryption, place);
    case 'aws:kms':
      return dataKeyFromKms(encryption, place, Buffer.from(await decrypt(decryptRequestOf(encryption, place))));
    case 'aws:kms:dsse': {
      const outer = await openKey(s3, decrypt, encryption.outer, place);
      const inner = await s3.dataKeys.openServiceKey(encryption.inner, place);
      return outer && joined(outer, inner);
    }
    case 'SSE-C':
      return undefined;
  }
}
