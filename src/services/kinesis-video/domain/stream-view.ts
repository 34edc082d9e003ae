import type { StreamInfo } from '@aws-sdk/client-kinesis-video';
import { formatArn } from '#kernel/arn.ts';
import type { StreamRecord } from './stream-record.ts';

/** A stream as the API shows it. */
export function streamView(stream: StreamRecord): StreamInfo {
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    ...(stream.deviceName !== undefined && { DeviceName: stream.deviceName }),
    ...(stream.mediaType !== undefined && { MediaType: stream.mediaType }),
    KmsKeyId: stream.kmsKeyId ?? defaultKeyArn(stream),
    Version: stream.version,
    Status: stream.status,
    CreationTime: new Date(stream.createdAt),
    DataRetentionInHours: stream.retentionHours,
  };
}

/** Streams without a key of their own show the AWS managed key, whether or not it exists yet. */
function defaultKeyArn({ account, region }: StreamRecord): string {
  return formatArn({ service: 'kms', region, account, resource: 'alias/aws/kinesisvideo' });
}
