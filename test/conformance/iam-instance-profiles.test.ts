import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetInstanceProfileCommand,
  IAMClient,
  ListInstanceProfilesCommand,
  ListInstanceProfilesForRoleCommand,
  ListInstanceProfileTagsCommand,
  RemoveRoleFromInstanceProfileCommand,
  TagInstanceProfileCommand,
  UntagInstanceProfileCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from '@aws-sdk/client-iam';
import { allowing, documentOf, failsWith, newUser, trusting } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const trust = trusting({ Service: 'ec2.amazonaws.com' });

describe('instance profiles', () => {
  let platform: TestPlatform;
  let iam: IAMClient;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    for (const RoleName of ['worker', 'other']) {
      await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
    }
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  it('hold one role, which cannot be deleted meanwhile', async () => {
    const InstanceProfileName = 'Encoder';
    const Tags = [{ Key: 'team', Value: 'films' }];
    const { InstanceProfile } = await iam.send(
      new CreateInstanceProfileCommand({ InstanceProfileName, Path: '/media/', Tags }),
    );
    assert.match(InstanceProfile?.InstanceProfileId ?? '', /^AIPA[A-Z2-7]{17}$/);
    const Arn = `arn:aws:iam::${platform.accountId}:instance-profile/media/Encoder`;
    assert.equal(InstanceProfile?.Arn, Arn);
    assert.deepEqual([InstanceProfile?.Roles, InstanceProfile?.Tags], [[], Tags]);
    await assert.rejects(
      iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'encoder' })),
      failsWith('EntityAlreadyExistsException', 'Instance Profile encoder already exists.'),
    );
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: 'worker' }));
    await assert.rejects(
      iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: 'other' })),
      failsWith('LimitExceededException', 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1'),
    );
    const found = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName }));
    assert.deepEqual(
      found.InstanceProfile?.Roles?.map((role) => role.RoleName),
      ['worker'],
    );
    assert.deepEqual(found.InstanceProfile?.Tags, Tags);
    const ofRole = await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: 'worker' }));
    assert.deepEqual(
      ofRole.InstanceProfiles?.map((profile) => profile.Arn),
      [Arn],
    );
    await assert.rejects(iam.send(new DeleteRoleCommand({ RoleName: 'worker' })), failsWith('DeleteConflictException'));
    await assert.rejects(
      iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName })),
      failsWith('DeleteConflictException', 'Cannot delete entity, must remove roles from instance profile first.'),
    );
    await assert.rejects(
      iam.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName: 'other' })),
      failsWith('NoSuchEntityException'),
    );
    await iam.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName: 'worker' }));
    await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName }));
    await iam.send(new DeleteRoleCommand({ RoleName: 'worker' }));
    await assert.rejects(
      iam.send(new GetInstanceProfileCommand({ InstanceProfileName })),
      failsWith('NoSuchEntityException', 'Instance Profile Encoder cannot be found.'),
    );
  });

  it('are listed by page and path, and tagged', async () => {
    const names = ['a1', 'a2', 'a3'];
    for (const InstanceProfileName of names) {
      await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName, Path: '/listed/' }));
    }
    const first = await iam.send(new ListInstanceProfilesCommand({ PathPrefix: '/listed/', MaxItems: 2 }));
    assert.equal(first.IsTruncated, true);
    const { Marker } = first;
    const second = await iam.send(new ListInstanceProfilesCommand({ PathPrefix: '/listed/', Marker }));
    const listed = [...(first.InstanceProfiles ?? []), ...(second.InstanceProfiles ?? [])];
    assert.deepEqual(
      listed.map((profile) => profile.InstanceProfileName),
      names,
    );
    const InstanceProfileName = 'a1';
    const Tags = [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
    ];
    await iam.send(new TagInstanceProfileCommand({ InstanceProfileName, Tags }));
    await iam.send(new UntagInstanceProfileCommand({ InstanceProfileName, TagKeys: ['A'] }));
    const tags = await iam.send(new ListInstanceProfileTagsCommand({ InstanceProfileName }));
    assert.deepEqual(tags.Tags, [{ Key: 'b', Value: '2' }]);
  });

  it('take a role only from who may pass it', async () => {
    const config = await newUser(platform, iam, 'adder', allowing('iam:AddRoleToInstanceProfile'));
    const adder = new IAMClient(config);
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'passed' }));
    const add = new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'passed', RoleName: 'other' });
    await assert.rejects(
      adder.send(add),
      failsWith('AccessDenied', /not authorized to perform: iam:PassRole on resource: .*:role\/other/),
    );
    adder.destroy();
  });

  it('let one of two creations at once win', async () => {
    const input = { InstanceProfileName: 'raced' };
    const results = await Promise.allSettled([
      iam.send(new CreateInstanceProfileCommand(input)),
      iam.send(new CreateInstanceProfileCommand(input)),
    ]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const deletions = await Promise.allSettled([
      iam.send(new DeleteInstanceProfileCommand(input)),
      iam.send(new DeleteInstanceProfileCommand(input)),
    ]);
    const failed = deletions.find(({ status }) => status === 'rejected');
    assert.ok(failed?.status === 'rejected' && failsWith('NoSuchEntityException')(failed.reason));
  });

  it('and policies do not get a service-linked role, which only its service changes', async () => {
    const { Role } = await iam.send(
      new CreateServiceLinkedRoleCommand({ AWSServiceName: 'execute-api.amazonaws.com' }),
    );
    const RoleName = Role?.RoleName ?? '';
    const message = `Cannot perform the operation on the protected role '${RoleName}' - this role is only modifiable by AWS`;
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'none' }));
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    for (const change of [
      iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn })),
      iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'KeepContentKeys' })),
      iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trust })),
      iam.send(new UpdateRoleCommand({ RoleName, MaxSessionDuration: 7200 })),
      iam.send(new DeleteRoleCommand({ RoleName })),
      iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'none', RoleName })),
    ]) {
      await assert.rejects(change, failsWith('UnmodifiableEntityException', message));
    }
    await iam.send(new UpdateRoleCommand({ RoleName, Description: 'ours' }));
    const AssumeRolePolicyDocument = documentOf(JSON.parse(trust).Statement as object);
    await assert.rejects(
      iam.send(new CreateRoleCommand({ RoleName: 'x', Path: '/aws-service-role/y/', AssumeRolePolicyDocument })),
      failsWith('InvalidInputException'),
    );
  });
});
