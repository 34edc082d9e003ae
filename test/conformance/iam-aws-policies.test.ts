import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  DeletePolicyCommand,
  DeleteServiceLinkedRoleCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  IAMClient,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  type ListPoliciesCommandInput,
  ListPolicyVersionsCommand,
  PutRolePermissionsBoundaryCommand,
} from '@aws-sdk/client-iam';
import { compilePolicy } from '#policy/compile-policy.ts';
import { allowing, failsWith, trusting } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const PREFIX = 'arn:aws:iam::aws:policy/';
const WANTED = [
  'AdministratorAccess',
  'PowerUserAccess',
  'ReadOnlyAccess',
  'AmazonS3FullAccess',
  'AmazonS3ReadOnlyAccess',
  'AmazonAPIGatewayInvokeFullAccess',
  'AWSElementalMediaConvertFullAccess',
  'AWSElementalMediaConvertReadOnly',
  'AmazonKinesisVideoStreamsFullAccess',
  'AmazonKinesisVideoStreamsReadOnlyAccess',
  'SecretsManagerReadWrite',
  'AWSKeyManagementServicePowerUser',
  'IAMFullAccess',
  'IAMReadOnlyAccess',
];

describe('AWS’s own policies and roles', () => {
  let platform: TestPlatform;
  let iam: IAMClient;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    const AssumeRolePolicyDocument = trusting({ Service: 'mediaconvert.amazonaws.com' });
    await iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument }));
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  const namesOf = async (input: ListPoliciesCommandInput) =>
    (await iam.send(new ListPoliciesCommand(input))).Policies?.map((policy) => policy.PolicyName) ?? [];

  it('are there under their ARNs, with documents that are in force', async () => {
    const listed = await namesOf({ Scope: 'AWS' });
    for (const name of WANTED) {
      assert.ok(listed.includes(name), name);
      const PolicyArn = PREFIX + name;
      const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
      const VersionId = Policy?.DefaultVersionId;
      const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
      assert.deepEqual(
        Versions?.map((version) => [version.VersionId, version.IsDefaultVersion]),
        [[VersionId, true]],
      );
      const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
      compilePolicy(decodeURIComponent(PolicyVersion?.Document ?? ''), 'managed');
    }
    const PolicyArn = `${PREFIX}AmazonS3ReadOnlyAccess`;
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v3' }));
    assert.deepEqual(JSON.parse(decodeURIComponent(PolicyVersion?.Document ?? '')), {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['s3:Get*', 's3:List*', 's3:Describe*', 's3-object-lambda:Get*', 's3-object-lambda:List*'],
          Resource: '*',
        },
      ],
    });
    await assert.rejects(
      iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v1' })),
      failsWith('NoSuchEntityException'),
    );
  });

  it('are told apart from the account’s by scope, and by their use', async () => {
    const PolicyArn = `${PREFIX}AWSElementalMediaConvertFullAccess`;
    const boundary = `${PREFIX}PowerUserAccess`;
    await iam.send(new CreatePolicyCommand({ PolicyName: 'ours', PolicyDocument: allowing('s3:GetObject') }));
    assert.deepEqual(await namesOf({ Scope: 'Local' }), ['ours']);
    assert.equal((await namesOf({ Scope: 'All' })).length, (await namesOf({ Scope: 'AWS' })).length + 1);
    assert.deepEqual(await namesOf({ OnlyAttached: true }), []);
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'worker', PolicyArn }));
    await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: 'worker', PermissionsBoundary: boundary }));
    assert.deepEqual(await namesOf({ OnlyAttached: true }), ['AWSElementalMediaConvertFullAccess']);
    assert.deepEqual(await namesOf({ PolicyUsageFilter: 'PermissionsBoundary' }), ['PowerUserAccess']);
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
    assert.equal(Policy?.AttachmentCount, 1);
    const entities = async (arn: string, filter: object) => {
      const input = { PolicyArn: arn, ...filter };
      const { PolicyRoles } = await iam.send(new ListEntitiesForPolicyCommand(input));
      return PolicyRoles?.map((role) => role.RoleName);
    };
    assert.deepEqual(await entities(PolicyArn, {}), ['worker']);
    assert.deepEqual(await entities(PolicyArn, { PolicyUsageFilter: 'PermissionsBoundary' }), []);
    assert.deepEqual(await entities(PolicyArn, { EntityFilter: 'User' }), []);
    assert.deepEqual(await entities(boundary, { PolicyUsageFilter: 'PermissionsBoundary' }), ['worker']);
    await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn })), failsWith('AccessDenied'));
  });

  it('of services are made for a service and deleted, with a status', async () => {
    const { Role } = await iam.send(
      new CreateServiceLinkedRoleCommand({ AWSServiceName: 'execute-api.amazonaws.com' }),
    );
    const RoleName = Role?.RoleName;
    const { DeletionTaskId } = await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName }));
    assert.match(DeletionTaskId ?? '', /^task\/aws-service-role\/execute-api\.amazonaws\.com\/AWSServiceRoleFor\w+\//);
    const { Status } = await iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
    assert.equal(Status, 'SUCCEEDED');
    await assert.rejects(iam.send(new GetRoleCommand({ RoleName })), failsWith('NoSuchEntityException'));
    await assert.rejects(
      iam.send(new DeleteServiceLinkedRoleCommand({ RoleName: 'worker' })),
      failsWith('InvalidInputException'),
    );
    await assert.rejects(
      iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId: `${DeletionTaskId}x` })),
      failsWith('NoSuchEntityException'),
    );
    await assert.rejects(
      iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'ecs.amazonaws.com' })),
      failsWith('InvalidInputException', 'ecs.amazonaws.com has no service-linked role here.'),
    );
  });
});
