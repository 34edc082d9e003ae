import { hkdfSync } from 'node:crypto';
import { openAesGcm, sealAesGcm } from '#crypto/aes-gcm.ts';
import type { ChecksumMembers, ChecksumValue } from '../domain/checksum.ts';
import { checksumMemberOf } from '../domain/checksum.ts';
import type { StoredChecksum, StoredEncryption } from '../domain/object-facts.ts';

/**
 * What is kept of an object's checksum. A checksum tells something of the content, so where the content's key is not
 * the service's own it lies encrypted under the data key (S3 user guide, "Checking object integrity").
 */
export function storeChecksum(
  checksum: ChecksumValue,
  encryption: StoredEncryption,
  dataKey: Buffer,
  objectId: string,
): StoredChecksum {
  const { name, kind, value } = checksum;
  if (encryption.kind === 'AES256') return { name, kind, value };
  const key = checksumKey(dataKey, objectId);
  const sealed = sealAesGcm(key, Buffer.from(value), Buffer.from(name)).toString('base64');
  key.fill(0);
  return { name, kind, sealed };
}

/** The checksum in the clear; the data key is needed where `isChecksumSealed`. */
export function openChecksum(stored: StoredChecksum, dataKey: Buffer | undefined, objectId: string): ChecksumValue {
  const { name, kind, value, sealed } = stored;
  if (value !== undefined) return { name, kind, value };
  if (sealed === undefined || dataKey === undefined) throw new TypeError('The checksum needs the data key.');
  const key = checksumKey(dataKey, objectId);
  try {
    return { name, kind, value: openAesGcm(key, Buffer.from(sealed, 'base64'), Buffer.from(name)).toString() };
  } finally {
    key.fill(0);
  }
}

/** The members of an answer that carry a checksum. */
export function checksumMembers(checksum: {
  readonly name: ChecksumValue['name'];
  readonly value: string;
}): ChecksumMembers {
  return { [checksumMemberOf(checksum.name)]: checksum.value };
}

function checksumKey(dataKey: Buffer, objectId: string): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, objectId, 'coffer/s3/checksum/1', 32));
}
