import type { RotationRulesType, Tag } from '@aws-sdk/client-secrets-manager';
import { arnOf } from '../secrets.ts';
import type { SecretRow } from '../store.ts';
import { parseRules, windowEnd } from './rotation-rules.ts';
import { parseTags, tagList } from './tags.ts';

/** What DescribeSecret and ListSecrets tell alike. */
interface SecretDetails {
  ARN: string;
  Name: string;
  Description?: string;
  KmsKeyId?: string;
  RotationEnabled?: boolean;
  RotationLambdaARN?: string;
  RotationRules?: RotationRulesType;
  LastRotatedDate?: Date;
  LastChangedDate: Date;
  LastAccessedDate?: Date;
  DeletedDate?: Date;
  NextRotationDate?: Date;
  Tags?: Tag[];
  CreatedDate: Date;
  PrimaryRegion?: string;
}

/** A secret as the API shows it: only what has a value. */
export function secretDetails(row: SecretRow): SecretDetails {
  const rules = parseRules(row);
  const tags = tagList(parseTags(row.tags));
  return {
    ARN: arnOf(row),
    Name: row.name,
    ...(row.description !== null && { Description: row.description }),
    ...(row.kms_key_id !== null && { KmsKeyId: row.kms_key_id }),
    ...(row.is_rotation_enabled !== null && { RotationEnabled: row.is_rotation_enabled === 1 }),
    ...(row.rotation_target !== null && { RotationLambdaARN: row.rotation_target }),
    ...(rules !== undefined && { RotationRules: rules }),
    ...(row.rotated_at !== null && { LastRotatedDate: new Date(row.rotated_at) }),
    LastChangedDate: new Date(row.changed_at),
    ...(row.accessed_at !== null && { LastAccessedDate: new Date(row.accessed_at) }),
    ...(row.deleted_at !== null && { DeletedDate: new Date(row.deleted_at) }),
    ...(row.next_rotation_at !== null &&
      rules !== undefined && { NextRotationDate: new Date(windowEnd(rules, row.next_rotation_at)) }),
    ...(tags.length > 0 && { Tags: tags }),
    CreatedDate: new Date(row.created_at),
    ...(row.primary_region !== null && { PrimaryRegion: row.primary_region }),
  };
}
