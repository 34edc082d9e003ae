import type {
  DestinationSettings,
  S3DestinationAccessControl,
  S3DestinationSettings,
  S3EncryptionSettings,
} from '@aws-sdk/client-mediaconvert';
import { type SettingRule, carriedOut, oneOf, structure } from './setting-rule.ts';

/** How a group's objects are stored. Access control lists are the bucket's to take. */
export const destinationSettings: SettingRule<DestinationSettings> = structure<DestinationSettings>({
  S3Settings: structure<S3DestinationSettings>({
    Encryption: structure<S3EncryptionSettings>({
      EncryptionType: carriedOut,
      KmsKeyArn: carriedOut,
      KmsEncryptionContext: carriedOut,
    }),
    StorageClass: oneOf('STANDARD'),
    AccessControl: structure<S3DestinationAccessControl>({ CannedAcl: carriedOut }),
  }),
});
