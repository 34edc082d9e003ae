import {
  CreateBucketCommand,
  GetBucketInventoryConfigurationCommand,
  ListObjectsV2Command,
  PutBucketInventoryConfigurationCommand,
  PutBucketLoggingCommand,
  PutBucketNotificationConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { ClientConfig } from './platform.ts';

/** A bucket with something to tell a webhook, which nobody takes, and lines of a log that are let in nowhere. */
export async function furnishS3(config: ClientConfig): Promise<void> {
  const s3 = new S3Client(config);
  await s3.send(new CreateBucketCommand({ Bucket: 'telling' }));
  const TopicArn = 'arn:aws:coffer:us-east-1:123456789012:webhook/nobody';
  const NotificationConfiguration = { TopicConfigurations: [{ TopicArn, Events: ['s3:ObjectCreated:*' as const] }] };
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: 'telling', NotificationConfiguration }));
  const LoggingEnabled = { TargetBucket: 'telling', TargetPrefix: '' };
  await s3.send(new PutBucketLoggingCommand({ Bucket: 'telling', BucketLoggingStatus: { LoggingEnabled } }));
  await s3.send(new ListObjectsV2Command({ Bucket: 'telling' }));
  const InventoryConfiguration = {
    Id: 'all',
    IsEnabled: false,
    IncludedObjectVersions: 'All' as const,
    Schedule: { Frequency: 'Daily' as const },
    Destination: { S3BucketDestination: { Bucket: 'arn:aws:s3:::telling', Format: 'CSV' as const } },
  };
  await s3.send(new PutBucketInventoryConfigurationCommand({ Bucket: 'telling', Id: 'all', InventoryConfiguration }));
  s3.destroy();
}

export async function readInventory(config: ClientConfig): Promise<void> {
  const s3 = new S3Client(config);
  const get = new GetBucketInventoryConfigurationCommand({ Bucket: 'telling', Id: 'all' });
  await s3.send(get).finally(() => s3.destroy());
}
