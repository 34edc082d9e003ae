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

interface Definition {
  readonly name: string;
  readonly description: string;
  /** The number of the version that AWS has as default. */
  readonly version: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601: when that version was made. */
  readonly updatedAt: string;
  readonly statements: readonly object[];
}

function allow(
  actions: string | readonly string[],
  resource: string | readonly string[] = '*',
  rest: object = {},
): object {
  return { Effect: 'Allow', Action: actions, Resource: resource, ...rest };
}

/**
 * What media work on this platform uses, with the documents that AWS has (facts; see NOTICE). ReadOnlyAccess alone, whose
 * original lists every service of AWS on seventy thousand characters, is confined to the services that are here.
 */
const DEFINITIONS: readonly Definition[] = [
  {
    name: 'AdministratorAccess',
    description: 'Provides full access to AWS services and resources.',
    version: 1,
    createdAt: '2015-02-06T18:39:46Z',
    updatedAt: '2015-02-06T18:39:46Z',
    statements: [allow('*')],
  },
  {
    name: 'PowerUserAccess',
    description:
      'Provides full access to AWS services and resources, but does not allow management of Users and groups.',
    version: 12,
    createdAt: '2015-02-06T18:39:47Z',
    updatedAt: '2026-02-12T17:59:14Z',
    statements: [
      { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' },
      allow([
        'account:GetAccountInformation',
        'account:GetGovCloudAccountInformation',
        'account:GetPrimaryEmail',
        'account:ListRegions',
        'iam:CreateServiceLinkedRole',
        'iam:DeleteServiceLinkedRole',
        'iam:ListRoles',
        'organizations:DescribeEffectivePolicy',
        'organizations:DescribeOrganization',
      ]),
    ],
  },
  {
    name: 'ReadOnlyAccess',
    description: 'Provides read-only access to AWS services and resources.',
    version: 1,
    createdAt: '2015-02-06T18:39:48Z',
    updatedAt: '2015-02-06T18:39:48Z',
    statements: [
      allow([
        'access-analyzer:ValidatePolicy',
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
  },
  {
    name: 'AmazonS3FullAccess',
    description: 'Provides full access to all buckets via the AWS Management Console.',
    version: 2,
    createdAt: '2015-02-06T18:40:58Z',
    updatedAt: '2021-09-27T20:16:37Z',
    statements: [allow(['s3:*', 's3-object-lambda:*'])],
  },
  {
    name: 'AmazonS3ReadOnlyAccess',
    description: 'Provides read only access to all buckets via the AWS Management Console.',
    version: 3,
    createdAt: '2015-02-06T18:40:59Z',
    updatedAt: '2023-08-10T21:31:39Z',
    statements: [allow(['s3:Get*', 's3:List*', 's3:Describe*', 's3-object-lambda:Get*', 's3-object-lambda:List*'])],
  },
  {
    name: 'AmazonAPIGatewayInvokeFullAccess',
    description: 'Provides full access to invoke APIs in Amazon API Gateway.',
    version: 2,
    createdAt: '2015-07-09T18:36:12Z',
    updatedAt: '2018-12-18T18:25:10Z',
    statements: [allow(['execute-api:Invoke', 'execute-api:ManageConnections'], 'arn:aws:execute-api:*:*:*')],
  },
  {
    name: 'AWSElementalMediaConvertFullAccess',
    description: 'Provides full access to AWS Elemental MediaConvert via the AWS Management Console and SDK.',
    version: 2,
    createdAt: '2018-06-25T19:25:35Z',
    updatedAt: '2019-06-10T22:52:25Z',
    statements: [
      allow(['mediaconvert:*', 's3:ListAllMyBuckets', 's3:ListBucket']),
      allow(['iam:PassRole'], '*', {
        Condition: { StringLike: { 'iam:PassedToService': ['mediaconvert.amazonaws.com'] } },
      }),
    ],
  },
  {
    name: 'AWSElementalMediaConvertReadOnly',
    description: 'Provides read only access to AWS Elemental MediaConvert via the AWS Management Console and SDK.',
    version: 2,
    createdAt: '2018-06-25T19:25:14Z',
    updatedAt: '2019-06-10T22:52:18Z',
    statements: [
      allow([
        'mediaconvert:Get*',
        'mediaconvert:List*',
        'mediaconvert:DescribeEndpoints',
        's3:ListAllMyBuckets',
        's3:ListBucket',
      ]),
    ],
  },
  {
    name: 'AmazonKinesisVideoStreamsFullAccess',
    description: 'Provides full access to Amazon Kinesis Video Streams via the AWS Management Console.',
    version: 1,
    createdAt: '2017-12-01T23:27:18Z',
    updatedAt: '2017-12-01T23:27:18Z',
    statements: [allow('kinesisvideo:*')],
  },
  {
    name: 'AmazonKinesisVideoStreamsReadOnlyAccess',
    description: 'Provides read only access to AWS Kinesis Video Streams via the AWS Management Console.',
    version: 1,
    createdAt: '2017-12-01T23:14:32Z',
    updatedAt: '2017-12-01T23:14:32Z',
    statements: [allow(['kinesisvideo:Describe*', 'kinesisvideo:Get*', 'kinesisvideo:List*'])],
  },
  {
    name: 'SecretsManagerReadWrite',
    description: 'Provides read/write access to AWS Secrets Manager via the AWS Management Console.',
    version: 6,
    createdAt: '2018-04-04T18:05:29Z',
    updatedAt: '2026-08-25T23:37:10Z',
    statements: [
      {
        Sid: 'BasePermissions',
        ...allow([
          'secretsmanager:*',
          'cloudformation:CreateChangeSet',
          'cloudformation:DescribeChangeSet',
          'cloudformation:DescribeStackResource',
          'cloudformation:DescribeStacks',
          'cloudformation:ExecuteChangeSet',
          'docdb-elastic:GetCluster',
          'docdb-elastic:ListClusters',
          'ec2:DescribeSecurityGroups',
          'ec2:DescribeSubnets',
          'ec2:DescribeVpcs',
          'kms:DescribeKey',
          'kms:ListAliases',
          'kms:ListKeys',
          'lambda:ListFunctions',
          'rds:DescribeDBClusters',
          'rds:DescribeDBInstances',
          'redshift:DescribeClusters',
          'redshift-serverless:ListWorkgroups',
          'redshift-serverless:GetNamespace',
          'tag:GetResources',
        ]),
      },
      {
        Sid: 'LambdaPermissions',
        ...allow(
          [
            'lambda:AddPermission',
            'lambda:CreateFunction',
            'lambda:GetFunction',
            'lambda:InvokeFunction',
            'lambda:UpdateFunctionConfiguration',
          ],
          'arn:aws:lambda:*:*:function:SecretsManager*',
        ),
      },
      {
        Sid: 'SARPermissions',
        ...allow(
          ['serverlessrepo:CreateCloudFormationChangeSet', 'serverlessrepo:GetApplication'],
          'arn:aws:serverlessrepo:*:*:applications/SecretsManager*',
        ),
      },
      {
        Sid: 'S3Permissions',
        ...allow(
          ['s3:GetObject'],
          ['arn:aws:s3:::awsserverlessrepo-changesets*', 'arn:aws:s3:::secrets-manager-rotation-apps-*/*'],
        ),
      },
      {
        Sid: 'CloudFormationTagOnCreate',
        ...allow(['cloudformation:TagResource', 'cloudformation:UntagResource'], '*', {
          Condition: { StringEquals: { 'cloudformation:CreateAction': ['CreateChangeSet', 'ExecuteChangeSet'] } },
        }),
      },
    ],
  },
  {
    name: 'AWSKeyManagementServicePowerUser',
    description: 'Provides access to AWS Key Management Service (KMS).',
    version: 2,
    createdAt: '2015-02-06T18:40:40Z',
    updatedAt: '2017-03-07T00:55:11Z',
    statements: [
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
  },
  {
    name: 'IAMFullAccess',
    description: 'Provides full access to IAM via the AWS Management Console.',
    version: 2,
    createdAt: '2015-02-06T18:40:38Z',
    updatedAt: '2019-06-21T19:40:00Z',
    statements: [
      allow([
        'iam:*',
        'organizations:DescribeAccount',
        'organizations:DescribeOrganization',
        'organizations:DescribeOrganizationalUnit',
        'organizations:DescribePolicy',
        'organizations:ListChildren',
        'organizations:ListParents',
        'organizations:ListPoliciesForTarget',
        'organizations:ListRoots',
        'organizations:ListPolicies',
        'organizations:ListTargetsForPolicy',
      ]),
    ],
  },
  {
    name: 'IAMReadOnlyAccess',
    description: 'Provides read only access to IAM via the AWS Management Console.',
    version: 4,
    createdAt: '2015-02-06T18:40:39Z',
    updatedAt: '2018-01-25T19:11:27Z',
    statements: [
      allow([
        'iam:GenerateCredentialReport',
        'iam:GenerateServiceLastAccessedDetails',
        'iam:Get*',
        'iam:List*',
        'iam:SimulateCustomPolicy',
        'iam:SimulatePrincipalPolicy',
      ]),
    ],
  },
  {
    name: 'IAMUserChangePassword',
    description: 'Provides the ability for an IAM user to change their own password.',
    version: 2,
    createdAt: '2016-11-15T00:25:16Z',
    updatedAt: '2016-11-15T23:18:55Z',
    statements: [
      allow(['iam:ChangePassword'], ['arn:aws:iam::*:user/${aws:username}']),
      allow(['iam:GetAccountPasswordPolicy']),
    ],
  },
];

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function stableId(name: string): string {
  const digest = createHash('sha256').update(name).digest();
  let id = 'ANPA';
  for (const byte of digest.subarray(0, 17)) id += BASE32[byte % BASE32.length];
  return id;
}

/** By ARN, in the order of their names. */
export const awsManagedPolicies: ReadonlyMap<string, AwsManagedPolicy> = new Map(
  DEFINITIONS.toSorted((left, right) => (left.name < right.name ? -1 : 1)).map((definition) => {
    const { name, description, version, createdAt, updatedAt, statements } = definition;
    const arn = `arn:aws:iam::aws:policy/${name}`;
    const policy: AwsManagedPolicy = {
      name,
      arn,
      id: stableId(name),
      path: '/',
      description,
      document: JSON.stringify({ Version: '2012-10-17', Statement: statements }, undefined, 4),
      createdAt: Date.parse(createdAt),
      updatedAt: Date.parse(updatedAt),
      versionId: `v${version}`,
    };
    return [arn, policy];
  }),
);
