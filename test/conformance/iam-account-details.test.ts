import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  AddRoleToInstanceProfileCommand,
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  GetAccountAuthorizationDetailsCommand,
  type GetAccountAuthorizationDetailsCommandInput,
  GetAccountSummaryCommand,
  IAMClient,
  PutRolePolicyCommand,
  TagUserCommand,
} from '@aws-sdk/client-iam';
import { allowing, newUser, trusting } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const AWS_POLICY = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess';
const trust = trusting({ Service: 'ec2.amazonaws.com' });

describe('the whole account', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let policyArn = '';

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    await newUser(platform, iam, 'Ann', allowing('s3:ListAllMyBuckets'));
    await newUser(platform, iam, 'ben');
    await iam.send(new TagUserCommand({ UserName: 'Ann', Tags: [{ Key: 'team', Value: 'films' }] }));
    await iam.send(new AttachUserPolicyCommand({ UserName: 'Ann', PolicyArn: AWS_POLICY }));
    await iam.send(new CreateGroupCommand({ GroupName: 'staff' }));
    await iam.send(new AddUserToGroupCommand({ GroupName: 'staff', UserName: 'Ann' }));
    await iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument: trust }));
    const inline = { RoleName: 'worker', PolicyName: 'inline', PolicyDocument: allowing('s3:GetObject') };
    await iam.send(new PutRolePolicyCommand(inline));
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'encoder' }));
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'encoder', RoleName: 'worker' }));
    const document = { PolicyName: 'managed', PolicyDocument: allowing('kms:Encrypt') };
    const { Policy } = await iam.send(new CreatePolicyCommand({ ...document, Description: 'ours' }));
    policyArn = Policy?.Arn ?? '';
    const PolicyDocument = allowing('kms:Decrypt');
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn: policyArn, PolicyDocument, SetAsDefault: true }));
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  const details = (input: GetAccountAuthorizationDetailsCommandInput) =>
    iam.send(new GetAccountAuthorizationDetailsCommand(input));

  it('is told with all that its entities may do', async () => {
    const all = await details({});
    const [ann] = all.UserDetailList ?? [];
    assert.deepEqual([ann?.UserName, ann?.GroupList, ann?.Tags], ['Ann', ['staff'], [{ Key: 'team', Value: 'films' }]]);
    assert.deepEqual(ann?.AttachedManagedPolicies, [{ PolicyName: 'AmazonS3ReadOnlyAccess', PolicyArn: AWS_POLICY }]);
    const [inline] = ann?.UserPolicyList ?? [];
    assert.match(inline?.PolicyDocument ?? '', /^%7B%22Version/);
    assert.equal(decodeURIComponent(inline?.PolicyDocument ?? ''), allowing('s3:ListAllMyBuckets'));
    assert.deepEqual(
      all.GroupDetailList?.map((group) => [group.GroupName, group.GroupPolicyList]),
      [['staff', []]],
    );
    const [worker] = all.RoleDetailList ?? [];
    assert.equal(decodeURIComponent(worker?.AssumeRolePolicyDocument ?? ''), trust);
    assert.deepEqual(
      worker?.InstanceProfileList?.map((profile) => [profile.InstanceProfileName, profile.Roles?.[0]?.RoleName]),
      [['encoder', 'worker']],
    );
    const [own, aws] = all.Policies ?? [];
    assert.deepEqual([own?.Arn, own?.Description, own?.DefaultVersionId], [policyArn, 'ours', 'v2']);
    assert.deepEqual(
      own?.PolicyVersionList?.map((version) => [version.VersionId, version.IsDefaultVersion]),
      [
        ['v2', true],
        ['v1', false],
      ],
    );
    assert.deepEqual([aws?.Arn, aws?.AttachmentCount, all.Policies?.length], [AWS_POLICY, 1, 2]);
  });

  it('is told by kinds and in pages, each entity once', async () => {
    const roles = await details({ Filter: ['Role'] });
    assert.deepEqual([roles.UserDetailList?.length, roles.RoleDetailList?.length, roles.Policies?.length], [0, 1, 0]);
    const seen: (string | undefined)[] = [];
    let Marker: string | undefined;
    do {
      const page = await details({ MaxItems: 2, ...(Marker !== undefined && { Marker }) });
      const names = [
        ...(page.UserDetailList ?? []).map((user) => user.UserName),
        ...(page.GroupDetailList ?? []).map((group) => group.GroupName),
        ...(page.RoleDetailList ?? []).map((role) => role.RoleName),
        ...(page.Policies ?? []).map((policy) => policy.PolicyName),
      ];
      assert.ok(names.length > 0 && names.length <= 2);
      assert.equal(page.IsTruncated, page.Marker !== undefined);
      seen.push(...names);
      Marker = page.Marker;
    } while (Marker !== undefined);
    assert.deepEqual(seen, ['Ann', 'ben', 'staff', 'worker', 'managed', 'AmazonS3ReadOnlyAccess']);
  });

  it('is summed up with its quotas', async () => {
    const { SummaryMap = {} } = await iam.send(new GetAccountSummaryCommand({}));
    const { Users, Groups, Roles, Policies, InstanceProfiles, UsersQuota, AccountAccessKeysPresent } = SummaryMap;
    assert.deepEqual(
      [Users, Groups, Roles, Policies, InstanceProfiles, UsersQuota, AccountAccessKeysPresent],
      [2, 1, 1, 1, 1, 5000, 1],
    );
    assert.equal(SummaryMap.AccessKeysPerUserQuota, 2);
  });
});
