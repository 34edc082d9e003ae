import type { AccountId, Region } from '#kernel/ids.ts';

/** The policy of a key that was created without one: the account decides, through its identity policies. */
export function defaultKeyPolicy(account: AccountId): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });
}

/** AWS managed keys: the service's name in its alias → how its policy and description speak of it. */
const MANAGED_KEYS = {
  s3: { description: 'Default key that protects my S3 objects when no other key is defined', label: 'S3' },
  kinesisvideo: {
    description: 'Default key that protects my Kinesis Video Streams data when no other key is defined',
    label: 'Kinesis Video Streams',
  },
  secretsmanager: {
    description: 'Default key that protects my Secrets Manager data when no other key is defined',
    label: 'AWS Secrets Manager',
  },
} as const;

export type ManagedKeyService = keyof typeof MANAGED_KEYS;

const MANAGED_PREFIX = 'alias/aws/';

/** The service that an AWS managed key's alias names; `undefined` for every other alias. */
export function managedKeyService(alias: string): ManagedKeyService | undefined {
  if (!alias.startsWith(MANAGED_PREFIX)) return undefined;
  const name = alias.slice(MANAGED_PREFIX.length);
  return Object.hasOwn(MANAGED_KEYS, name) ? (name as ManagedKeyService) : undefined;
}

export function isReservedAlias(alias: string): boolean {
  return alias.startsWith(MANAGED_PREFIX);
}

export function managedKeyDescription(service: ManagedKeyService): string {
  return MANAGED_KEYS[service].description;
}

/** Everybody in the account may use the key, but only through its service; nobody may administer it. */
export function managedKeyPolicy(service: ManagedKeyService, account: AccountId, region: Region): string {
  const { label } = MANAGED_KEYS[service];
  return JSON.stringify({
    Version: '2012-10-17',
    Id: `auto-${service}-1`,
    Statement: [
      {
        Sid: `Allow access through ${label} for all principals in the account that are authorized to use ${label}`,
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:CreateGrant',
          'kms:DescribeKey',
        ],
        Resource: '*',
        Condition: {
          StringEquals: { 'kms:ViaService': `${service}.${region}.amazonaws.com`, 'kms:CallerAccount': account },
        },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
        Resource: '*',
      },
    ],
  });
}
