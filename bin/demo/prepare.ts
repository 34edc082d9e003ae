import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutBucketEncryptionCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import type { Narrator } from './narrator.ts';
import type { Credentials, Stage } from './stage.ts';

export interface Prepared {
  readonly keyArn: string;
  /** A user who may read the output bucket, but has no right on the key. */
  readonly reader: Credentials;
}

/** What the seeds' procedures set up: a key, a role that the service assumes, an encrypted input and a strict output. */
export async function prepare(stage: Stage, narrator: Narrator): Promise<Prepared> {
  const keyArn = await createKey(stage);
  narrator.step(`A customer managed key: ${keyArn} (alias/media)`);
  await createRole(stage, keyArn);
  narrator.step(`A role that MediaConvert assumes: ${stage.roleArn}`);
  narrator.step('  trust: mediaconvert.amazonaws.com, for this account only');
  narrator.step('  inline policies: read the input bucket, write the output bucket, kms:Decrypt, kms:GenerateDataKey');
  await createBuckets(stage, keyArn);
  narrator.step(
    `s3://${stage.inputBucket}: everything in it is encrypted under the key by default (SSE-KMS, bucket key)`,
  );
  narrator.step(`s3://${stage.outputBucket}: its policy denies uploads that do not ask for SSE-KMS`);
  const reader = await createReader(stage);
  narrator.step('A user “reader”: may s3:GetObject on the output bucket, has no right on the key');
  return { keyArn, reader };
}

async function createKey({ kms }: Stage): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'Protects the media of the demo' }));
  const keyArn = KeyMetadata?.Arn ?? '';
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/media', TargetKeyId: keyArn }));
  return keyArn;
}

async function createRole(stage: Stage, keyArn: string): Promise<void> {
  const { iam, roleName, accountId } = stage;
  await iam.send(
    new CreateRoleCommand({
      RoleName: roleName,
      Description: 'Lets MediaConvert read the inputs and write the outputs of the demo',
      AssumeRolePolicyDocument: policy({
        Effect: 'Allow',
        Principal: { Service: 'mediaconvert.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceAccount': accountId } },
      }),
    }),
  );
  const media = policy(
    {
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: [`arn:aws:s3:::${stage.inputBucket}/*`, `arn:aws:s3:::${stage.outputBucket}/*`],
    },
    { Effect: 'Allow', Action: 's3:PutObject', Resource: `arn:aws:s3:::${stage.outputBucket}/*` },
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: [`arn:aws:s3:::${stage.inputBucket}`, `arn:aws:s3:::${stage.outputBucket}`],
    },
  );
  await iam.send(new PutRolePolicyCommand({ RoleName: roleName, PolicyName: 'Media', PolicyDocument: media }));
  await grantKey(stage, roleName, keyArn, ['kms:Decrypt', 'kms:GenerateDataKey']);
}

/** The inline policy of the guide: the key, but only through S3. */
export async function grantKey(
  stage: Stage,
  roleName: string,
  keyArn: string,
  actions: readonly string[],
): Promise<void> {
  const document = policy({
    Effect: 'Allow',
    Action: actions,
    Resource: keyArn,
    Condition: { StringLike: { 'kms:ViaService': 's3.*.amazonaws.com' } },
  });
  await stage.iam.send(new PutRolePolicyCommand({ RoleName: roleName, PolicyName: 'Key', PolicyDocument: document }));
}

async function createBuckets({ s3, inputBucket, outputBucket }: Stage, keyArn: string): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: inputBucket }));
  await s3.send(
    new PutBucketEncryptionCommand({
      Bucket: inputBucket,
      ServerSideEncryptionConfiguration: {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
            BucketKeyEnabled: true,
          },
        ],
      },
    }),
  );
  await s3.send(new CreateBucketCommand({ Bucket: outputBucket }));
  const deny = (condition: object) => ({
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::${outputBucket}/*`,
    Condition: condition,
  });
  const header = 's3:x-amz-server-side-encryption';
  const document = policy(deny({ StringNotEquals: { [header]: 'aws:kms' } }), deny({ Null: { [header]: 'true' } }));
  await s3.send(new PutBucketPolicyCommand({ Bucket: outputBucket, Policy: document }));
}

async function createReader({ iam, outputBucket }: Stage): Promise<Credentials> {
  await iam.send(new CreateUserCommand({ UserName: 'reader' }));
  const document = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${outputBucket}/*` });
  await iam.send(new PutUserPolicyCommand({ UserName: 'reader', PolicyName: 'Read', PolicyDocument: document }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'reader' }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}
