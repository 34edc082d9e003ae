import type { BlobContent, CiphertextDigest, InlineContent } from '#storage/content/content-writer.ts';
import type { StoredAcl } from '../acl/acl.ts';
import type { ChecksumKind, ChecksumName, ChecksumValue } from './checksum.ts';
import type { LockFacts } from './object-lock.ts';
import type { PlacementFacts } from './storage-class.ts';
import type { Version } from './version.ts';

/** The headers that an object is stored with and answers with, by the names of the SDK's members. */
export interface ObjectHeaders {
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly ContentType?: string;
  /** Milliseconds since the epoch. */
  readonly Expires?: number;
}

export type Metadata = Readonly<Record<string, string>>;

/** How an object's data key is kept. Binary values are in base64. */
export type StoredEncryption = StoredServiceKey | StoredKmsKey | StoredDualKeys | StoredCustomerKey;

/** SSE-S3: the data key, wrapped under a master key of the service. */
export interface StoredServiceKey {
  readonly kind: 'AES256';
  readonly masterKey: string;
  readonly wrapped: string;
}

/** SSE-KMS. */
export interface StoredKmsKey {
  readonly kind: 'aws:kms';
  readonly keyArn: string;
  /** KMS's ciphertext of the data key, or of the bucket key under which `wrapped` is. */
  readonly ciphertext: string;
  /** With a bucket key: the object's data key, wrapped under it. */
  readonly wrapped?: string;
  /** The encryption context beyond `aws:s3:arn`. */
  readonly context?: Readonly<Record<string, string>>;
}

/** DSSE-KMS: two layers, each under a data key of its own; only the two together open the content. */
interface StoredDualKeys {
  readonly kind: 'aws:kms:dsse';
  readonly outer: StoredKmsKey;
  readonly inner: StoredServiceKey;
}

/** SSE-C: the data key, wrapped under a key derived from the customer's, which is not kept. */
export interface StoredCustomerKey {
  readonly kind: 'SSE-C';
  readonly keyMd5: string;
  readonly wrapped: string;
}

/**
 * Where the ciphertext lies. It has a digest with a customer's key: by that, verification finds damage although it cannot
 * check the stream's own tags.
 */
type StoredContent = InlineContent | BlobContent | PartsContent;

interface PartsContent {
  readonly kind: 'parts';
  readonly count: number;
  /** Of the JSON in the record's `parts`, SHA-256. */
  readonly digest: string;
}

/** A part of a multipart upload or object: a stream of its own. */
export interface StoredPart {
  readonly number: number;
  /** Of this very content; part of what it is bound to. */
  readonly id: string;
  readonly blob: string;
  readonly segmentSize: number;
  readonly size: number;
  readonly digest?: CiphertextDigest;
  readonly etag: string;
  /** In the clear while the upload is not complete. */
  readonly checksum?: StoredChecksum;
}

/** What a record in `s3_version` may be, too: a delete marker has nothing else. */
export interface MarkerFacts {
  readonly version: Version;
  readonly isMarker: true;
}

export interface ObjectFacts extends LockFacts, PlacementFacts {
  /** The key to which the content's streams are bound, where the object was renamed since. */
  readonly writtenAs?: string;
  /** The request that renamed it, where that had a token: asked again, it is answered and does nothing. */
  readonly renaming?: { readonly token: string; readonly request: string };
  /** None where the bucket had no versioning yet. */
  readonly version?: Version;
  /** Kept where access control lists had a say when it was written. */
  readonly acl?: StoredAcl;
  readonly headers: ObjectHeaders;
  readonly metadata: Metadata;
  readonly tags?: Readonly<Record<string, string>>;
  readonly encryption: StoredEncryption;
  readonly content: StoredContent;
  readonly checksum?: StoredChecksum;
}

/** With a KMS or customer key the value lies encrypted under the data key, as in AWS. */
export interface StoredChecksum {
  readonly name: ChecksumName;
  readonly kind: ChecksumKind;
  readonly value?: string;
  readonly sealed?: string;
}

/** The lock is the one that was asked for; the bucket's default comes when the upload is completed. */
export interface UploadFacts extends LockFacts, PlacementFacts {
  readonly acl?: StoredAcl;
  readonly headers: ObjectHeaders;
  readonly metadata: Metadata;
  readonly tags?: Readonly<Record<string, string>>;
  readonly encryption: StoredEncryption;
  readonly checksum: Pick<ChecksumValue, 'name' | 'kind'>;
  /** Whether the client chose the checksum; else it is kept for its own sake. */
  readonly isChecksumChosen: boolean;
  readonly initiator: { readonly id: string; readonly name: string };
}

/** Parses what this module's types say lies in a record; the record's seal vouches for it. */
export function parseObjectFacts(json: string): ObjectFacts {
  return JSON.parse(json) as ObjectFacts;
}

export function parseVersionFacts(json: string): ObjectFacts | MarkerFacts {
  return JSON.parse(json) as ObjectFacts | MarkerFacts;
}

export function isMarker(facts: ObjectFacts | MarkerFacts): facts is MarkerFacts {
  return 'isMarker' in facts;
}

export function parseUploadFacts(json: string): UploadFacts {
  return JSON.parse(json) as UploadFacts;
}

export function parseStoredPart(json: string): StoredPart {
  return JSON.parse(json) as StoredPart;
}

export function parseStoredParts(json: string): StoredPart[] {
  return JSON.parse(json) as StoredPart[];
}

/** The blobs of a record that is to go. One that cannot be read names none; the clean-up finds them later. */
export function blobsOfRow(row: { readonly facts: string; readonly parts: string | null }): string[] {
  try {
    const facts = parseVersionFacts(row.facts);
    return isMarker(facts) ? [] : blobsOf(facts, row.parts);
  } catch {
    return [];
  }
}

/** The blobs that hold an object's content. */
export function blobsOf(facts: ObjectFacts, parts: string | null): string[] {
  switch (facts.content.kind) {
    case 'inline':
      return [];
    case 'blob':
      return [facts.content.blob];
    case 'parts':
      return parts === null ? [] : parseStoredParts(parts).map((part) => part.blob);
  }
}
