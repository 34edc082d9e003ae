/** A value for each setting of buckets and objects, such as requests bring them. */
export const S3_SETTINGS = {
  ObjectAttributes: ['ETag'],
  VersioningConfiguration: { Status: 'Enabled' },
  LifecycleConfiguration: { Rules: [{ Status: 'Enabled', Filter: {}, Expiration: { Days: 9 } }] },
  CORSConfiguration: { CORSRules: [{ AllowedOrigins: ['*'], AllowedMethods: ['GET'] }] },
  AbacStatus: { Status: 'Enabled' },
  WebsiteConfiguration: { IndexDocument: { Suffix: 'index.html' } },
  RequestPaymentConfiguration: { Payer: 'Requester' },
  NotificationConfiguration: { EventBridgeConfiguration: {} },
  BucketLoggingStatus: {},
  Id: 'target',
  InventoryConfiguration: {
    Id: 'target',
    IsEnabled: false,
    IncludedObjectVersions: 'All',
    Schedule: { Frequency: 'Daily' },
    Destination: { S3BucketDestination: { Bucket: 'arn:aws:s3:::target', Format: 'CSV' } },
  },
  OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
  PublicAccessBlockConfiguration: { BlockPublicPolicy: true },
  ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' },
  Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date('2099-01-01') },
  LegalHold: { Status: 'ON' },
  ServerSideEncryptionConfiguration: {
    Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
  },
} as const;
