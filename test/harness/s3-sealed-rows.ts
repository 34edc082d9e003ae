import {
  CreateBucketCommand,
  ListObjectsV2Command,
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
  s3.destroy();
}
