import { createHash } from 'node:crypto';
import { badContentMd5, badDigest, invalidDigest } from '../errors.ts';
import { CHECKSUM_NAMES, checksumHeaderOf, startChecksum } from './checksum.ts';

/** Its checksum headers are those of the object, not of the body. */
const ABOUT_THE_OBJECT = new Set(['CompleteMultipartUpload']);

/**
 * Compares a body that was read whole (the XML and JSON of settings and lists) with the digests that came with it.
 *
 * @throws ServiceError BadDigest, InvalidDigest
 */
export function checkBody(operation: string, header: (name: string) => string | undefined, body: Uint8Array): void {
  const md5 = header('content-md5');
  if (md5 !== undefined) {
    if (Buffer.from(md5, 'base64').length !== 16) throw invalidDigest(md5);
    if (createHash('md5').update(body).digest('base64') !== md5) throw badContentMd5();
  }
  if (ABOUT_THE_OBJECT.has(operation)) return;
  for (const name of CHECKSUM_NAMES) {
    const given = header(checksumHeaderOf(name));
    if (given === undefined) continue;
    const checksum = startChecksum(name);
    checksum.update(body);
    if (checksum.digest() !== given) throw badDigest(name);
  }
}
