import { parseS3 } from '#media/media-location.ts';
import type { ObjectStorage } from '#media/output-group.ts';
import type { CmafGroupSettings, DashIsoGroupSettings, FileGroupSettings } from '@aws-sdk/client-mediaconvert';

/** A destination that ends in `/` is a folder, in which the input's name is kept. */
export function groupFacts(group: FileGroupSettings, inputName: string) {
  const { bucket, key } = parseS3(group.Destination ?? '');
  const keyBase = key === '' || key.endsWith('/') ? `${key}$fn$` : key;
  return { bucket, keyBase, inputName, storage: planStorage(group) };
}

/** Of DASH and CMAF groups: one file for each output is what the service makes of groups that do not say. */
export function isSingleFile(group: DashIsoGroupSettings | CmafGroupSettings): boolean {
  return (group.SegmentControl ?? 'SINGLE_FILE') === 'SINGLE_FILE';
}

/** As S3 calls them. */
const CANNED_ACLS = {
  PUBLIC_READ: 'public-read',
  AUTHENTICATED_READ: 'authenticated-read',
  BUCKET_OWNER_READ: 'bucket-owner-read',
  BUCKET_OWNER_FULL_CONTROL: 'bucket-owner-full-control',
} as const;

function planStorage(group: FileGroupSettings): ObjectStorage {
  const s3 = group.DestinationSettings?.S3Settings;
  const encryption = s3?.Encryption;
  const acl = s3?.AccessControl?.CannedAcl;
  return {
    ...(acl !== undefined && { acl: CANNED_ACLS[acl] }),
    ...(encryption !== undefined && {
      encryption: {
        algorithm:
          encryption.EncryptionType === 'SERVER_SIDE_ENCRYPTION_KMS' ? ('aws:kms' as const) : ('AES256' as const),
        ...(encryption.KmsKeyArn !== undefined && { kmsKeyArn: encryption.KmsKeyArn }),
        ...(encryption.KmsEncryptionContext !== undefined && { kmsContext: encryption.KmsEncryptionContext }),
      },
    }),
  };
}
