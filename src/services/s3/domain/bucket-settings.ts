import type { BucketVersioningStatus, MFADeleteStatus } from '@aws-sdk/client-s3';
import type { AclGrant, Ownership } from '../acl/acl.ts';
import type { BucketRow } from '../store.ts';
import type { CorsRule } from './cors-rules.ts';
import type { LifecycleSettings } from './lifecycle.ts';
import type { LoggingSettings } from './logging-settings.ts';
import type { NotificationSettings } from './notification-rules.ts';
import type { ObjectLockSettings } from './object-lock.ts';
import type { PublicAccessBlock } from './public-access-block.ts';
import type { WebsiteSettings } from '../website/website-settings.ts';
import type { Versioning } from './version.ts';

/** The settings of a bucket beyond its policy, encryption and tags; JSON in its record. */
export interface BucketSettings {
  readonly lifecycle?: LifecycleSettings;
  readonly versioning?: BucketVersioningStatus;
  readonly mfaDelete?: MFADeleteStatus;
  readonly publicAccessBlock?: PublicAccessBlock;
  readonly cors?: readonly CorsRule[];
  readonly website?: WebsiteSettings;
  /** Its tags are conditions of policies. */
  readonly isAbacEnabled?: true;
  /** Other accounts say with each request that they pay for it. */
  readonly isRequesterPaying?: boolean;
  readonly objectLock?: ObjectLockSettings;
  readonly logging?: LoggingSettings;
  readonly notifications?: NotificationSettings;
  /** Absent for BucketOwnerEnforced, where access control lists have no say. */
  readonly ownership?: Exclude<Ownership, 'BucketOwnerEnforced'>;
  /** The bucket's access control list; absent for its owner's full control and nothing else. */
  readonly acl?: readonly AclGrant[];
}

const NONE: BucketSettings = {};

export function settingsOf(bucket: Pick<BucketRow, 'settings'>): BucketSettings {
  return bucket.settings === null ? NONE : (JSON.parse(bucket.settings) as BucketSettings);
}

/** `null` where there are none. */
export function settingsText(settings: BucketSettings): string | null {
  const text = JSON.stringify(settings);
  return text === '{}' ? null : text;
}

export function versioningOf(bucket: Pick<BucketRow, 'settings'>): Versioning {
  return settingsOf(bucket).versioning ?? 'Never';
}
