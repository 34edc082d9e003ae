import { parseArn } from '#kernel/arn.ts';

/** CloudTrail's name for the kind of thing that an ARN names; `undefined` where it has none. */
export function resourceTypeOf(text: string): string | undefined {
  const arn = parseArn(text);
  if (arn === undefined) return undefined;
  const kind = arn.resource.split(/[/:]/, 1)[0] ?? '';
  switch (arn.service) {
    case 'kms':
      return kind === 'key' ? 'AWS::KMS::Key' : kind === 'alias' ? 'AWS::KMS::Alias' : undefined;
    case 's3':
      return arn.resource.includes('/') ? 'AWS::S3::Object' : 'AWS::S3::Bucket';
    case 'iam':
      return IAM_TYPES[kind];
    case 'mediaconvert':
      return MEDIACONVERT_TYPES[kind];
    case 'secretsmanager':
      return 'AWS::SecretsManager::Secret';
    case 'mediaconnect':
      return 'AWS::MediaConnect::Flow';
    case 'kinesisvideo':
      return 'AWS::KinesisVideo::Stream';
    default:
      return undefined;
  }
}

const IAM_TYPES: Readonly<Record<string, string>> = {
  user: 'AWS::IAM::User',
  role: 'AWS::IAM::Role',
  group: 'AWS::IAM::Group',
  policy: 'AWS::IAM::Policy',
};

const MEDIACONVERT_TYPES: Readonly<Record<string, string>> = {
  jobs: 'AWS::MediaConvert::Job',
  queues: 'AWS::MediaConvert::Queue',
};
