import type { InventoryConfiguration, InventoryOptionalField } from '@aws-sdk/client-s3';
import { parseArn } from '#kernel/arn.ts';
import {
  invalidArgument,
  invalidConfigurationId,
  invalidInventoryDestination,
  malformedXml,
  notImplemented,
} from '../errors.ts';

const ID = /^[A-Za-z0-9_.-]{1,64}$/;
const LONGEST_PREFIX = 512;

/** Fields that a report can have, in the order of its columns. */
const FIELDS: readonly InventoryOptionalField[] = [
  'Size',
  'LastModifiedDate',
  'ETag',
  'StorageClass',
  'IsMultipartUploaded',
  'ReplicationStatus',
  'EncryptionStatus',
  'ObjectLockRetainUntilDate',
  'ObjectLockMode',
  'ObjectLockLegalHoldStatus',
  'IntelligentTieringAccessTier',
  'BucketKeyStatus',
  'ChecksumAlgorithm',
  'ObjectOwner',
  'LifecycleExpirationDate',
];

/** Checks a configuration as it was put. @throws ServiceError */
export function readInventory(
  id: string | undefined,
  given: InventoryConfiguration | undefined,
): InventoryConfiguration {
  if (given === undefined) throw malformedXml();
  if (given.Id !== id || id === undefined || !ID.test(id)) throw invalidConfigurationId();
  const { Format: format, Encryption: encryption, Prefix: prefix = '' } = given.Destination?.S3BucketDestination ?? {};
  if (format !== 'CSV') throw notImplemented(`Format: ${format}`);
  destinationOf(given);
  if (encryption !== undefined && (encryption.SSES3 === undefined) === (encryption.SSEKMS === undefined)) {
    throw malformedXml();
  }
  if (encryption?.SSEKMS !== undefined && (encryption.SSEKMS.KeyId ?? '') === '') throw malformedXml();
  for (const text of [prefix, given.Filter?.Prefix ?? '']) {
    if (Buffer.byteLength(text) > LONGEST_PREFIX) {
      throw invalidArgument('The maximum size of a prefix is 512.', 'Prefix', text.slice(0, LONGEST_PREFIX));
    }
  }
  const unknown = given.OptionalFields?.find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) throw notImplemented(`OptionalFields: ${unknown}`);
  return given;
}

/** The name of the bucket that gets the reports. @throws ServiceError InvalidS3DestinationBucket */
export function destinationOf({ Destination: destination }: InventoryConfiguration): string {
  const arn = parseArn(destination?.S3BucketDestination?.Bucket ?? '');
  const name = arn?.service === 's3' && arn.region === '' && arn.account === '' ? arn.resource : '';
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw invalidInventoryDestination();
  return name;
}

/** The columns of a report. */
export function columnsOf(configuration: InventoryConfiguration): string[] {
  const optional = new Set(configuration.OptionalFields);
  const hasVersions = configuration.IncludedObjectVersions === 'All';
  return [
    'Bucket',
    'Key',
    ...(hasVersions ? ['VersionId', 'IsLatest', 'IsDeleteMarker'] : []),
    ...FIELDS.filter((field) => optional.has(field)),
  ];
}

const DAY_MS = 86_400_000;

/**
 * The day, as in `2026-01-31`, whose report is the newest that is due: each day's, or each Sunday's. A configuration that has had
 * none gets its first at once.
 */
export function dueDay(configuration: InventoryConfiguration, now: number): string {
  const today = new Date(now);
  const daysBack = configuration.Schedule?.Frequency === 'Weekly' ? today.getUTCDay() : 0;
  return new Date(now - daysBack * DAY_MS).toISOString().slice(0, 10);
}
