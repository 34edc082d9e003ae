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
import { signHeader } from './sigv4-signer.ts';

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
  await accountBlock(config, '123456789012', '<PublicAccessBlockConfiguration/>');
}

const BLOCK = '/v20180820/configuration/publicAccessBlock';

/** Asks S3 Control for the account's public access block, which has no client here; with a body, sets it. */
export async function accountBlock(config: ClientConfig, account: string, body?: string): Promise<void> {
  const request = {
    method: body === undefined ? 'GET' : 'PUT',
    path: BLOCK,
    headers: [['x-amz-account-id', account]] as const,
    ...(body !== undefined && { body: Buffer.from(body) }),
  };
  const { host } = new URL(config.endpoint);
  const signed = signHeader(request, { credentials: config.credentials, service: 's3', host });
  const headers = signed.headers.filter(([name]) => name !== 'Host').map(([...pair]) => pair);
  const response = await fetch(config.endpoint + BLOCK, { method: request.method, headers, ...(body && { body }) });
  await response.arrayBuffer();
  if (response.ok) return;
  const $metadata = { httpStatusCode: response.status };
  throw Object.assign(new Error(`It was answered ${response.status}.`), { $metadata });
}

export async function readInventory(config: ClientConfig): Promise<void> {
  const s3 = new S3Client(config);
  const get = new GetBucketInventoryConfigurationCommand({ Bucket: 'telling', Id: 'all' });
  await s3.send(get).finally(() => s3.destroy());
}
