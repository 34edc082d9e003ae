import type { BucketVersioningStatus } from '@aws-sdk/client-s3';
import { invalidArgument } from '../errors.ts';

/** What a write or removal does in a bucket that has, had, or never had versioning. */
export type Versioning = BucketVersioningStatus | 'Never';

/** Which version of its key an object, or a delete marker, is. */
export interface Version {
  /** `null` for the one version without an id, which requests call `null`. */
  readonly id: string | null;
  /** Versions of a key that came later have a higher number. */
  readonly order: number;
}

/** What was written before the bucket had versioning says nothing of it. */
export const UNVERSIONED: Version = { id: null, order: 0 };

const VERSION_ID = /^[A-Za-z0-9_.-]{1,1024}$/;

/** Whether a version may have had this id: `null`, or 32 characters, as opaque as AWS's. */
export function mayBeVersion(versionId: string): boolean {
  return versionId === 'null' || /^[A-Za-z0-9_-]{32}$/.test(versionId);
}

/** How requests and answers name a version. */
export function versionText(version: Version): string {
  return version.id ?? 'null';
}

/** @throws ServiceError InvalidArgument for what cannot be a version id */
export function checkVersionId(versionId: string | undefined): string | undefined {
  if (versionId === undefined || VERSION_ID.test(versionId)) return versionId;
  throw invalidArgument('Invalid version id specified', 'versionId', versionId);
}
