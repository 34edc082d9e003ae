import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { S3Client } from '@aws-sdk/client-s3';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The SDK's clients of one principal, and the names of what the demo makes. */
export interface Stage {
  readonly accountId: string;
  readonly region: string;
  readonly s3: S3Client;
  readonly kms: KMSClient;
  readonly iam: IAMClient;
  readonly mediaConvert: MediaConvertClient;
  readonly cloudTrail: CloudTrailClient;
  readonly inputBucket: string;
  readonly outputBucket: string;
  readonly roleName: string;
  readonly roleArn: string;
  /** An S3 client for another principal. */
  s3As(credentials: Credentials): S3Client;
  close(): void;
}

export function createStage(endpoint: string, credentials: Credentials, accountId: string): Stage {
  const region = 'us-east-1';
  // maxAttempts: a refusal is part of the story, and is told once.
  const config = { endpoint, region, credentials, maxAttempts: 1 };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const kms = new KMSClient(config);
  const iam = new IAMClient(config);
  const mediaConvert = new MediaConvertClient(config);
  const cloudTrail = new CloudTrailClient(config);
  const others: S3Client[] = [];
  const roleName = 'MediaConvert_Default_Role';
  return {
    accountId,
    region,
    s3,
    kms,
    iam,
    mediaConvert,
    cloudTrail,
    inputBucket: 'demo-input',
    outputBucket: 'demo-output',
    roleName,
    roleArn: `arn:aws:iam::${accountId}:role/${roleName}`,
    s3As(other) {
      const client = new S3Client({ ...config, credentials: other, forcePathStyle: true });
      others.push(client);
      return client;
    },
    close() {
      for (const client of [s3, kms, iam, mediaConvert, cloudTrail, ...others]) client.destroy();
    },
  };
}
