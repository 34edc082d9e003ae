import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  AddUserToGroupCommand,
  AttachRolePolicyCommand,
  type ContextEntry,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetContextKeysForCustomPolicyCommand,
  GetContextKeysForPrincipalPolicyCommand,
  IAMClient,
  PutGroupPolicyCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  SimulateCustomPolicyCommand,
  type SimulateCustomPolicyCommandInput,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { allowing, documentOf, failsWith, newUser } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { mediaConvertTrust } from '../harness/published-policies.ts';

describe('the policy simulator', () => {
  let platform: TestPlatform;
  let iam: IAMClient;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  const decisionsOf = async (input: SimulateCustomPolicyCommandInput) => {
    const { EvaluationResults = [] } = await iam.send(new SimulateCustomPolicyCommand(input));
    return EvaluationResults.map(({ EvalActionName, EvalDecision }) => `${EvalActionName} ${EvalDecision}`);
  };
  const entry = (
    ContextKeyName: string,
    ContextKeyType: ContextEntry['ContextKeyType'],
    ...ContextKeyValues: string[]
  ) => ({
    ContextKeyName,
    ContextKeyType,
    ContextKeyValues,
  });

  it('answers the documented example: allowed by a date, at its place in the policy', async () => {
    const policy =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}]}';
    const input = { PolicyInputList: [policy], ActionNames: ['dynamodb:CreateBackup'] };
    const at = (date: string) => ({ ...input, ContextEntries: [entry('aws:CurrentTime', 'date', date)] });
    const { EvaluationResults } = await iam.send(new SimulateCustomPolicyCommand(at('2019-04-25T11:00:00Z')));
    const start = policy.indexOf('{"Effect');
    assert.deepEqual(EvaluationResults, [
      {
        EvalActionName: 'dynamodb:CreateBackup',
        EvalResourceName: '*',
        EvalDecision: 'allowed',
        MatchedStatements: [
          {
            SourcePolicyId: 'PolicyInputList.1',
            SourcePolicyType: 'none',
            StartPosition: { Line: 1, Column: start + 1 },
            EndPosition: { Line: 1, Column: policy.length - 1 },
          },
        ],
        MissingContextValues: [],
      },
    ]);
    assert.deepEqual(await decisionsOf(at('2014-04-25T11:00:00Z')), ['dynamodb:CreateBackup implicitDeny']);
  });

  it('tells lines and columns of statements in a document of many lines', async () => {
    const document = JSON.stringify(
      {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 's3:*', Resource: '*' },
          { Effect: 'Deny', Action: 's3:DeleteObject', Resource: '*' },
        ],
      },
      undefined,
      2,
    );
    const { EvaluationResults: [get, remove] = [] } = await iam.send(
      new SimulateCustomPolicyCommand({
        PolicyInputList: [document],
        ActionNames: ['s3:GetObject', 's3:DeleteObject'],
      }),
    );
    assert.deepEqual([get?.EvalDecision, remove?.EvalDecision], ['allowed', 'explicitDeny']);
    assert.deepEqual(get?.MatchedStatements?.[0]?.StartPosition, { Line: 4, Column: 5 });
    assert.deepEqual(get?.MatchedStatements?.[0]?.EndPosition, { Line: 8, Column: 6 });
    assert.equal(remove?.MatchedStatements?.length, 1);
    assert.deepEqual(remove?.MatchedStatements?.[0]?.StartPosition, { Line: 9, Column: 5 });
  });

  it('puts every action to every resource, page by page, and says which keys were not given', async () => {
    const policy = documentOf({
      Effect: 'Allow',
      Action: 's3:*',
      Resource: 'arn:aws:s3:::films/${aws:username}/*',
      Condition: { StringEquals: { 'aws:PrincipalTag/team': 'one' } },
    });
    const input: SimulateCustomPolicyCommandInput = {
      PolicyInputList: [policy],
      ActionNames: ['s3:GetObject', 's3:PutObject'],
      ResourceArns: ['arn:aws:s3:::films/ann/a', 'arn:aws:s3:::films/bob/a'],
      MaxItems: 3,
    };
    const first = await iam.send(new SimulateCustomPolicyCommand(input));
    assert.equal(first.IsTruncated, true);
    const [result] = first.EvaluationResults ?? [];
    assert.deepEqual(result?.ResourceSpecificResults?.[0]?.MissingContextValues, [
      'aws:PrincipalTag/team',
      'aws:username',
    ]);
    assert.deepEqual([result?.EvalDecisionDetails, result?.MissingContextValues], [{}, []]);
    const second = await iam.send(new SimulateCustomPolicyCommand({ ...input, Marker: first.Marker }));
    assert.deepEqual(
      [first.EvaluationResults?.length, second.EvaluationResults?.length, second.IsTruncated],
      [3, 1, false],
    );
    const ContextEntries = [entry('aws:PrincipalTag/team', 'string', 'one'), entry('AWS:USERNAME', 'string', 'ann')];
    assert.deepEqual(await decisionsOf({ ...input, ContextEntries, MaxItems: 1000 }), [
      's3:GetObject allowed',
      's3:GetObject implicitDeny',
      's3:PutObject allowed',
      's3:PutObject implicitDeny',
    ]);
    await assert.rejects(
      iam.send(new SimulateCustomPolicyCommand({ ...input, Marker: 'x' })),
      failsWith('ValidationError'),
    );
  });

  it('lets a resource policy and a boundary have their say, within an account and across', async () => {
    const bob = 'arn:aws:iam::111122223333:user/bob';
    const read = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::films/*' };
    const ResourcePolicy = documentOf([
      { ...read, Principal: { AWS: '444455556666' } },
      { ...read, Principal: { AWS: bob } },
    ]);
    const input = {
      PolicyInputList: [allowing('s3:PutObject')],
      ActionNames: ['s3:GetObject'],
      ResourceArns: ['arn:aws:s3:::films/a'],
      ResourcePolicy,
    };
    const within = await iam.send(new SimulateCustomPolicyCommand({ ...input, CallerArn: bob }));
    const [own] = within.EvaluationResults ?? [];
    assert.equal(own?.EvalDecision, 'allowed');
    const matched = own?.MatchedStatements?.map((item) => [item.SourcePolicyId, item.StartPosition?.Column]);
    assert.deepEqual(matched, [['ResourcePolicy', ResourcePolicy.lastIndexOf('{"Effect') + 1]]);
    const across = { ...input, CallerArn: bob, ResourceOwner: '444455556666' };
    const { EvaluationResults: [result] = [] } = await iam.send(new SimulateCustomPolicyCommand(across));
    assert.equal(result?.EvalDecision, 'implicitDeny');
    assert.deepEqual(result?.EvalDecisionDetails, { 'IAM Policy': 'implicitDeny', 'Resource Policy': 'allowed' });
    const bound = { ...input, PolicyInputList: [allowing('s3:*')], ActionNames: ['s3:GetObject', 's3:PutObject'] };
    const { EvaluationResults: [get, put] = [] } = await iam.send(
      new SimulateCustomPolicyCommand({
        ...bound,
        ResourcePolicy: undefined,
        PermissionsBoundaryPolicyInputList: [allowing('s3:GetObject')],
      }),
    );
    assert.deepEqual(
      [get?.EvalDecision, get?.PermissionsBoundaryDecisionDetail],
      ['allowed', { AllowedByPermissionsBoundary: true }],
    );
    assert.deepEqual(
      [put?.EvalDecision, put?.PermissionsBoundaryDecisionDetail],
      ['implicitDeny', { AllowedByPermissionsBoundary: false }],
    );
    await assert.rejects(
      iam.send(new SimulateCustomPolicyCommand(input)),
      failsWith('InvalidInputException', /CallerArn is required/),
    );
  });

  it('simulates a user with its groups and boundary, as real requests then go', async () => {
    const config = await newUser(platform, iam, 'ann', allowing('s3:GetObject', 's3:PutObject'));
    await iam.send(new CreateGroupCommand({ GroupName: 'editors' }));
    const PolicyDocument = documentOf({ Effect: 'Deny', Action: 's3:PutObject', Resource: 'arn:aws:s3:::films/no/*' });
    await iam.send(new PutGroupPolicyCommand({ GroupName: 'editors', PolicyName: 'keeps', PolicyDocument }));
    await iam.send(new AddUserToGroupCommand({ GroupName: 'editors', UserName: 'ann' }));
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'bound', PolicyDocument: allowing('s3:*') }),
    );
    await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: 'ann', PermissionsBoundary: Policy?.Arn }));
    const { EvaluationResults = [] } = await iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: `arn:aws:iam::${platform.accountId}:user/ann`,
        ActionNames: ['s3:GetObject', 's3:PutObject', 'kms:Decrypt'],
        ResourceArns: ['arn:aws:s3:::films/no/a'],
      }),
    );
    const facts = EvaluationResults.map(
      ({ EvalDecision, MatchedStatements, PermissionsBoundaryDecisionDetail: bound }) => [
        EvalDecision,
        MatchedStatements?.map(({ SourcePolicyId, SourcePolicyType }) => `${SourcePolicyType} ${SourcePolicyId}`),
        bound?.AllowedByPermissionsBoundary,
      ],
    );
    assert.deepEqual(facts, [
      ['allowed', ['user user_ann_inline'], true],
      ['explicitDeny', ['group group_editors_keeps'], true],
      ['implicitDeny', [], false],
    ]);
    const s3 = new S3Client(config);
    await assert.rejects(s3.send(new GetObjectCommand({ Bucket: 'films', Key: 'no/a' })), { name: 'NoSuchBucket' });
    s3.destroy();
  });

  it('simulates the MediaConvert role as it is set up', async () => {
    const RoleName = 'MediaConvert_Default_Role';
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: mediaConvertTrust }));
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonS3FullAccess';
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    const PolicyDocument = documentOf({
      Effect: 'Allow',
      Action: ['kms:Encrypt', 'kms:GenerateDataKey'],
      Resource: '*',
    });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'kms', PolicyDocument }));
    const { EvaluationResults = [] } = await iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: `arn:aws:iam::${platform.accountId}:role/${RoleName}`,
        ActionNames: ['s3:PutObject', 'kms:GenerateDataKey', 'kms:Decrypt'],
      }),
    );
    const facts = EvaluationResults.map(({ EvalDecision, MatchedStatements }) => [
      EvalDecision,
      MatchedStatements?.map(({ SourcePolicyId, SourcePolicyType }) => `${SourcePolicyType} ${SourcePolicyId}`),
    ]);
    assert.deepEqual(facts, [
      ['allowed', ['aws-managed AmazonS3FullAccess']],
      ['allowed', [`role role_${RoleName}_kms`]],
      ['implicitDeny', []],
    ]);
  });

  it('lists the condition keys that policies ask for', async () => {
    const policy = documentOf({
      Effect: 'Allow',
      Action: 's3:*',
      Resource: 'arn:aws:s3:::${aws:username}/${*}',
      Condition: {
        StringLike: { 's3:prefix': "${aws:PrincipalTag/team, 'none'}/*" },
        Bool: { 'AWS:UserName': 'true' },
      },
    });
    const keys = ['s3:prefix', 'AWS:UserName', 'aws:PrincipalTag/team'];
    const custom = await iam.send(new GetContextKeysForCustomPolicyCommand({ PolicyInputList: [policy] }));
    assert.deepEqual(custom.ContextKeyNames, keys);
    await iam.send(new CreateUserCommand({ UserName: 'keys' }));
    const PolicySourceArn = `arn:aws:iam::${platform.accountId}:user/keys`;
    const own = await iam.send(
      new GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn, PolicyInputList: [policy] }),
    );
    assert.deepEqual(own.ContextKeyNames, keys);
    const none = await iam.send(new GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn }));
    assert.deepEqual(none.ContextKeyNames, []);
  });

  it('refuses what cannot be simulated, by name', async () => {
    const input = { PolicyInputList: [allowing('s3:*')], ActionNames: ['s3:GetObject'] };
    const refused = async (more: Partial<SimulateCustomPolicyCommandInput>, message: RegExp) => {
      await assert.rejects(
        iam.send(new SimulateCustomPolicyCommand({ ...input, ...more })),
        failsWith('InvalidInputException', message),
      );
    };
    await refused({ ActionNames: ['s3:Get*'] }, /s3:Get\*: wildcards/);
    await refused({ ActionNames: ['GetObject'] }, /service:action/);
    await refused({ ResourceArns: ['films'] }, /must be an ARN/);
    await refused({ ResourceHandlingOption: 'EC2-VPC-EBS' }, /ResourceHandlingOption is not implemented/);
    await refused({ CallerArn: 'arn:aws:sts::111122223333:assumed-role/a/b' }, /not the ARN of an IAM user/);
    await refused({ PolicyInputList: ['{'] }, /PolicyInputList\.1: .*Line 1, column 2/);
    await refused({ PermissionsBoundaryPolicyInputList: [allowing('s3:*'), allowing('s3:*')] }, /one policy at most/);
    await refused({ ContextEntries: [entry('aws:MultiFactorAuthAge', 'numeric', 'old')] }, /not of the type numeric/);
    await refused({ ContextEntries: [entry('aws:TagKeys', 'string', 'a', 'b')] }, /2 values/);
    const principal = (PolicySourceArn: string) =>
      new SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames: ['s3:GetObject'] });
    const nobody = principal(`arn:aws:iam::${platform.accountId}:user/nobody`);
    await assert.rejects(iam.send(nobody), failsWith('NoSuchEntityException', /user with name nobody/));
    await assert.rejects(iam.send(principal('arn:aws:iam::210987654321:user/ann')), failsWith('NoSuchEntityException'));
    const session = principal(`arn:aws:sts::${platform.accountId}:assumed-role/a/b`);
    await assert.rejects(
      iam.send(session),
      failsWith('InvalidInputException', /does not clearly define entity type and name/),
    );
  });

  it('answers the AWS CLI', async () => {
    const { endpoint, region, credentials } = platform.clientConfig();
    const args = [
      'iam',
      'simulate-custom-policy',
      '--policy-input-list',
      allowing('s3:*'),
      '--action-names',
      's3:GetObject',
    ];
    const env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
    const options = [
      '--endpoint-url',
      endpoint,
      '--region',
      region,
      '--output',
      'text',
      '--query',
      'EvaluationResults[].EvalDecision',
    ];
    const { stdout } = await promisify(execFile)('aws', [...args, ...options], { env });
    assert.equal(stdout.trim(), 'allowed');
  });
});
