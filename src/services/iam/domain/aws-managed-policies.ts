import { createHash } from 'node:crypto';

/** A policy that every account has under an ARN of AWS's own, and that nobody can change. */
export interface AwsManagedPolicy {
  readonly name: string;
  readonly arn: string;
  /** Stable, made from the name. */
  readonly id: string;
  readonly path: '/';
  readonly description: string;
  /** JSON. */
  readonly document: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Milliseconds since the epoch: when this version was made. */
  readonly updatedAt: number;
  /** The only version that is here, by the number that it has in AWS: `v1`. */
  readonly versionId: string;
}

interface AllowStatement {
  readonly Effect: 'Allow';
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string;
  readonly Condition?: object;
}

function allow(actions: readonly string[], resource = '*', condition?: object): AllowStatement {
  return { Effect: 'Allow', Action: actions, Resource: resource, ...(condition && { Condition: condition }) };
}

/**
 * What media work on this platform uses. The statements give the rights that AWS gives, as far as they concern the
 * services that are here; ReadOnlyAccess, whose original lists every service of AWS, is confined to those.
 */
const DEFINITIONS: readonly (readonly [name: string, description: string, statements: readonly AllowStatement[]])[] = [
  ['AdministratorAccess', 'Provides full access to AWS services and resources.', [allow(['*'])]],
  [
    'PowerUserAccess',
    'Provides full access to AWS services and resources, but does not allow management of users and groups.',
    [
      { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' },
      allow(['iam:CreateServiceLinkedRole', 'iam:DeleteServiceLinkedRole', 'iam:ListRoles']),
    ],
  ],
  [
    'ReadOnlyAccess',
    'Provides read-only access to AWS services and resources.',
    [
      allow([
        'cloudtrail:Describe*',
        'cloudtrail:Get*',
        'cloudtrail:List*',
        'cloudtrail:LookupEvents',
        'iam:Generate*',
        'iam:Get*',
        'iam:List*',
        'iam:Simulate*',
        'kinesisvideo:Describe*',
        'kinesisvideo:Get*',
        'kinesisvideo:List*',
        'kms:Describe*',
        'kms:Get*',
        'kms:List*',
        'mediaconnect:DescribeFlow',
        'mediaconnect:List*',
        'mediaconvert:DescribeEndpoints',
        'mediaconvert:Get*',
        'mediaconvert:List*',
        's3:DescribeJob',
        's3:Get*',
        's3:List*',
        'secretsmanager:Describe*',
        'secretsmanager:GetResourcePolicy',
        'secretsmanager:List*',
        'sts:GetAccessKeyInfo',
        'sts:GetCallerIdentity',
        'sts:GetSessionToken',
      ]),
    ],
  ],
  [
    'AmazonS3FullAccess',
    'Provides full access to all buckets via the AWS Management Console.',
    [allow(['s3:*', 's3-object-lambda:*'])],
  ],
  [
    'AmazonS3ReadOnlyAccess',
    'Provides read only access to all buckets via the AWS Management Console.',
    [allow(['s3:Get*', 's3:List*', 's3:Describe*', 's3-object-lambda:Get*', 's3-object-lambda:List*'])],
  ],
  [
    'AmazonAPIGatewayInvokeFullAccess',
    'Provides full access to invoke APIs in Amazon API Gateway.',
    [allow(['execute-api:Invoke', 'execute-api:ManageConnections'], 'arn:aws:execute-api:*:*:*')],
  ],
  [
    'AWSElementalMediaConvertFullAccess',
    'Provides full access to AWS Elemental MediaConvert via the AWS Management Console and SDK.',
    [
      allow(['mediaconvert:*', 's3:ListAllMyBuckets', 's3:ListBucket']),
      allow(['iam:PassRole'], '*', { StringLike: { 'iam:PassedToService': ['mediaconvert.amazonaws.com'] } }),
    ],
  ],
  [
    'AWSElementalMediaConvertReadOnly',
    'Provides read only access to AWS Elemental MediaConvert via the AWS Management Console and SDK.',
    [
      allow([
        'mediaconvert:Get*',
        'mediaconvert:List*',
        'mediaconvert:DescribeEndpoints',
        's3:ListAllMyBuckets',
        's3:ListBucket',
      ]),
    ],
  ],
  [
    'AmazonKinesisVideoStreamsFullAccess',
    'Provides full access to Amazon Kinesis Video Streams via the AWS Management Console.',
    [allow(['kinesisvideo:*'])],
  ],
  [
    'AmazonKinesisVideoStreamsReadOnlyAccess',
    'Provides read only access to AWS Kinesis Video Streams via the AWS Management Console.',
    [allow(['kinesisvideo:Describe*', 'kinesisvideo:Get*', 'kinesisvideo:List*'])],
  ],
  [
    'SecretsManagerReadWrite',
    'Provides read/write access to AWS Secrets Manager via the AWS Management Console.',
    [allow(['secretsmanager:*', 'kms:DescribeKey', 'kms:ListAliases', 'kms:ListKeys', 'tag:GetResources'])],
  ],
  [
    'AWSKeyManagementServicePowerUser',
    'Provides access to AWS Key Management Service (KMS).',
    [
      allow([
        'kms:CreateAlias',
        'kms:CreateKey',
        'kms:DeleteAlias',
        'kms:Describe*',
        'kms:GenerateRandom',
        'kms:Get*',
        'kms:List*',
        'kms:TagResource',
        'kms:UntagResource',
        'iam:ListGroups',
        'iam:ListRoles',
        'iam:ListUsers',
      ]),
    ],
  ],
  ['IAMFullAccess', 'Provides full access to IAM via the AWS Management Console.', [allow(['iam:*'])]],
  [
    'IAMReadOnlyAccess',
    'Provides read only access to IAM via the AWS Management Console.',
    [
      allow([
        'iam:GenerateCredentialReport',
        'iam:GenerateServiceLastAccessedDetails',
        'iam:Get*',
        'iam:List*',
        'iam:SimulateCustomPolicy',
        'iam:SimulatePrincipalPolicy',
      ]),
    ],
  ],
];

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const CREATED_AT = Date.UTC(2015, 1, 6, 18, 40);

function stableId(name: string): string {
  const digest = createHash('sha256').update(name).digest();
  let id = 'ANPA';
  for (const byte of digest.subarray(0, 17)) id += BASE32[byte % BASE32.length];
  return id;
}

/** By ARN, in the order of their names. */
export const awsManagedPolicies: ReadonlyMap<string, AwsManagedPolicy> = new Map(
  DEFINITIONS.toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([name, description, statements]) => {
    const arn = `arn:aws:iam::aws:policy/${name}`;
    const document = JSON.stringify({ Version: '2012-10-17', Statement: statements }, undefined, 4);
    return [
      arn,
      {
        name,
        arn,
        id: stableId(name),
        path: '/',
        description,
        document,
        createdAt: CREATED_AT,
        updatedAt: CREATED_AT,
        versionId: 'v1',
      },
    ];
  }),
);
