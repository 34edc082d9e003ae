import type { LifecycleRule } from '@aws-sdk/client-s3';
import { isMarker, type ObjectFacts, parseVersionFacts } from '../domain/object-facts.ts';
import { expirationOf } from '../domain/lifecycle-due.ts';
import { UNVERSIONED, versionText } from '../domain/version.ts';
import type { ListedRow } from '../store.ts';

/** What a line of a report needs to know beside the object. */
export interface InventoryScope {
  readonly bucket: string;
  /** The canonical id of the bucket's owner. */
  readonly ownerId: string;
  /** Else of the current objects alone. */
  readonly isOfAllVersions: boolean;
  /** Whether the bucket has, or had, versioning. */
  readonly isVersioned: boolean;
  readonly rules: readonly LifecycleRule[];
  readonly columns: readonly string[];
}

const ENCRYPTIONS = {
  AES256: 'SSE-S3',
  'aws:kms': 'SSE-KMS',
  'aws:kms:dsse': 'DSSE-KMS',
  'SSE-C': 'SSE-C',
} as const satisfies Record<ObjectFacts['encryption']['kind'], string>;

/**
 * One line of a report, with its line feed: every value in quotation marks, the key as in an address; `undefined` for what
 * the report is not of.
 *
 * @param isLatest it is the newest version of its key
 */
export function inventoryLine(scope: InventoryScope, row: ListedRow, isLatest: boolean): string | undefined {
  const facts = parseVersionFacts(row.facts);
  if (!scope.isOfAllVersions && (!isLatest || isMarker(facts))) return undefined;
  const values: Record<string, string> = {
    Bucket: scope.bucket,
    Key: encodeURIComponent(row.key).replaceAll('%2F', '/'),
    VersionId: scope.isVersioned ? versionText(facts.version ?? UNVERSIONED) : '',
    IsLatest: String(isLatest),
    IsDeleteMarker: String(isMarker(facts)),
    LastModifiedDate: new Date(row.modified_at).toISOString(),
    ObjectOwner: scope.ownerId,
    ...(!isMarker(facts) && objectValues(scope, row, facts, isLatest)),
  };
  return `${scope.columns.map((column) => `"${values[column] ?? ''}"`).join(',')}\n`;
}

function objectValues(
  { rules }: InventoryScope,
  row: ListedRow,
  facts: ObjectFacts,
  isLatest: boolean,
): Record<string, string> {
  const { encryption, retention, legalHold, checksum, storageClass, tags = {} } = facts;
  const candidate = { key: row.key, size: row.size, tags, storageClass, since: row.modified_at };
  const expiration = isLatest ? expirationOf(rules, candidate) : undefined;
  return {
    Size: String(row.size),
    ETag: row.etag,
    StorageClass: storageClass ?? 'STANDARD',
    IsMultipartUploaded: String(facts.content.kind === 'parts'),
    EncryptionStatus: ENCRYPTIONS[encryption.kind],
    ObjectLockRetainUntilDate: retention === undefined ? '' : new Date(retention.until).toISOString(),
    ObjectLockMode: retention?.mode ?? '',
    ObjectLockLegalHoldStatus: legalHold === undefined ? '' : legalHold ? 'On' : 'Off',
    BucketKeyStatus: encryption.kind === 'aws:kms' ? (encryption.wrapped === undefined ? 'DISABLED' : 'ENABLED') : '',
    ChecksumAlgorithm: checksum?.name ?? '',
    LifecycleExpirationDate: expiration === undefined ? '' : new Date(expiration.at).toISOString(),
  };
}
