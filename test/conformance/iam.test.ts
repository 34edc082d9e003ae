import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteGroupCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  DetachGroupPolicyCommand,
  DetachUserPolicyCommand,
  GetGroupCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  IAMClient,
  IAMServiceException,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListGroupsForUserCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListUsersCommand,
  ListUserTagsCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  SetDefaultPolicyVersionCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam';
import { createAccount } from '../harness/accounts.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const failsWith = (name: string, message?: RegExp | string) => (error: unknown) => {
  assert.ok(error instanceof IAMServiceException, String(error));
  assert.equal(error.name, name, error.message);
  if (typeof message === 'string') assert.equal(error.message, message);
  else if (message !== undefined) assert.match(error.message, message);
  return true;
};

const document = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: statement });
const allow = (...actions: string[]) => document({ Effect: 'Allow', Action: actions, Resource: '*' });
const trust = (principal: object) =>
  document({ Effect: 'Allow', Principal: principal, Action: ['sts:AssumeRole', 'sts:TagSession'] });
const mediaConvertTrust = trust({ Service: 'mediaconvert.amazonaws.com' });

describe('IAM, by the SDK', () => {
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

  /** A client of a new user with one inline policy. */
  async function userClient(UserName: string, policy?: string): Promise<IAMClient> {
    await iam.send(new CreateUserCommand({ UserName }));
    if (policy !== undefined) {
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument: policy }));
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return new IAMClient(
      platform.clientConfig({
        accessKeyId: AccessKey?.AccessKeyId ?? '',
        secretAccessKey: AccessKey?.SecretAccessKey ?? '',
      }),
    );
  }

  it('answers GetUser with root’s keys with the :root ARN', async () => {
    const { User } = await iam.send(new GetUserCommand({}));
    assert.equal(User?.Arn, `arn:aws:iam::${platform.accountId}:root`);
    assert.equal(User?.UserId, platform.accountId);
    assert.equal(User?.UserName, undefined);
  });

  it('creates, finds, renames, lists and deletes users', async () => {
    const Tags = [{ Key: 'team', Value: 'films' }];
    const { User } = await iam.send(new CreateUserCommand({ UserName: 'Ada', Path: '/eng/', Tags }));
    assert.match(User?.UserId ?? '', /^AIDA[A-Z2-7]{17}$/);
    assert.equal(User?.Arn, `arn:aws:iam::${platform.accountId}:user/eng/Ada`);
    assert.deepEqual(User?.Tags, Tags);
    await assert.rejects(
      iam.send(new CreateUserCommand({ UserName: 'ADA' })),
      failsWith('EntityAlreadyExistsException', 'User with name ADA already exists.'),
    );
    const found = await iam.send(new GetUserCommand({ UserName: 'ada' }));
    assert.equal(found.User?.UserId, User?.UserId);
    const listed = await iam.send(new ListUsersCommand({ PathPrefix: '/eng/' }));
    assert.deepEqual(
      listed.Users?.map((user) => user.UserName),
      ['Ada'],
    );
    await iam.send(new UpdateUserCommand({ UserName: 'Ada', NewUserName: 'Lovelace', NewPath: '/' }));
    const renamed = await iam.send(new GetUserCommand({ UserName: 'Lovelace' }));
    assert.equal(renamed.User?.UserId, User?.UserId);
    await iam.send(new DeleteUserCommand({ UserName: 'Lovelace' }));
    await assert.rejects(
      iam.send(new GetUserCommand({ UserName: 'Lovelace' })),
      failsWith('NoSuchEntityException', 'The user with name Lovelace cannot be found.'),
    );
  });

  it('pages through lists', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `page-${index}`);
    for (const UserName of names) await iam.send(new CreateUserCommand({ UserName, Path: '/pages/' }));
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await iam.send(
        new ListUsersCommand({ PathPrefix: '/pages/', MaxItems: 3, ...(Marker !== undefined && { Marker }) }),
      );
      seen.push(...(page.Users ?? []).map((user) => user.UserName ?? ''));
      assert.equal(page.IsTruncated, page.Marker !== undefined);
      Marker = page.Marker;
    } while (Marker !== undefined);
    assert.deepEqual(seen, names);
    await assert.rejects(
      iam.send(new ListUsersCommand({ Marker: '!' })),
      failsWith('ValidationError', 'Invalid Marker.'),
    );
  });

  it('validates by the model, in IAM’s form', async () => {
    await assert.rejects(
      iam.send(new CreateUserCommand({ UserName: 'no spaces' })),
      failsWith('ValidationError', /^The specified value for userName is invalid\. It must contain only alphanumeric/),
    );
  });

  it('keeps at most two access keys, and a change of one acts at once', async () => {
    const client = await userClient('keys', allow('iam:*'));
    const { AccessKeyMetadata } = await client.send(new ListAccessKeysCommand({}));
    assert.equal(AccessKeyMetadata?.length, 1);
    const AccessKeyId = AccessKeyMetadata?.[0]?.AccessKeyId ?? '';
    const second = await client.send(new CreateAccessKeyCommand({}));
    assert.equal(second.AccessKey?.UserName, 'keys');
    await assert.rejects(
      client.send(new CreateAccessKeyCommand({ UserName: 'keys' })),
      failsWith('LimitExceededException', 'Cannot exceed quota for AccessKeysPerUser: 2'),
    );
    await assert.rejects(
      iam.send(new DeleteUserCommand({ UserName: 'keys' })),
      failsWith('DeleteConflictException', 'Cannot delete entity, must delete access keys first.'),
    );
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'keys', AccessKeyId, Status: 'Inactive' }));
    await assert.rejects(client.send(new GetUserCommand({})), failsWith('InvalidClientTokenId'));
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'keys', AccessKeyId, Status: 'Active' }));
    await client.send(new GetUserCommand({}));
    await iam.send(new DeleteAccessKeyCommand({ UserName: 'keys', AccessKeyId }));
    await assert.rejects(client.send(new GetUserCommand({})), failsWith('InvalidClientTokenId'));
    await assert.rejects(
      iam.send(new DeleteAccessKeyCommand({ UserName: 'keys', AccessKeyId })),
      failsWith('NoSuchEntityException', `The Access Key with id ${AccessKeyId} cannot be found.`),
    );
  });

  it('refuses whom no policy allows, in AWS’s words', async () => {
    const client = await userClient('nobody');
    await assert.rejects(
      client.send(new CreateUserCommand({ UserName: 'x' })),
      failsWith(
        'AccessDenied',
        `User: arn:aws:iam::${platform.accountId}:user/nobody is not authorized to perform: iam:CreateUser on resource: ` +
          `arn:aws:iam::${platform.accountId}:user/x because no identity-based policy allows the iam:CreateUser action`,
      ),
    );
  });

  it('gives a user the rights of its groups, and takes them away', async () => {
    const client = await userClient('member');
    const { Group } = await iam.send(new CreateGroupCommand({ GroupName: 'readers' }));
    assert.match(Group?.GroupId ?? '', /^AGPA/);
    const PolicyArn = 'arn:aws:iam::aws:policy/IAMReadOnlyAccess';
    await iam.send(new AttachGroupPolicyCommand({ GroupName: 'readers', PolicyArn }));
    await assert.rejects(client.send(new ListUsersCommand({})), failsWith('AccessDenied'));
    await iam.send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'member' }));
    await client.send(new ListUsersCommand({}));
    const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName: 'member' }));
    assert.deepEqual(
      Groups?.map((group) => group.GroupName),
      ['readers'],
    );
    const { Users } = await iam.send(new GetGroupCommand({ GroupName: 'readers' }));
    assert.deepEqual(
      Users?.map((user) => user.UserName),
      ['member'],
    );
    await iam.send(new RemoveUserFromGroupCommand({ GroupName: 'readers', UserName: 'member' }));
    await assert.rejects(client.send(new ListUsersCommand({})), failsWith('AccessDenied'));
    await assert.rejects(
      iam.send(new DeleteGroupCommand({ GroupName: 'readers' })),
      failsWith('DeleteConflictException', 'Cannot delete entity, must detach all policies first.'),
    );
    await iam.send(new DetachGroupPolicyCommand({ GroupName: 'readers', PolicyArn }));
    await iam.send(new DeleteGroupCommand({ GroupName: 'readers' }));
  });

  it('limits a user by its boundary', async () => {
    const client = await userClient('bounded', allow('iam:*'));
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'only-get', PolicyDocument: allow('iam:GetUser') }),
    );
    const arn = Policy?.Arn ?? '';
    await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: 'bounded', PermissionsBoundary: arn }));
    const { User } = await client.send(new GetUserCommand({}));
    assert.equal(User?.PermissionsBoundary?.PermissionsBoundaryArn, arn);
    await assert.rejects(
      client.send(new ListUsersCommand({})),
      failsWith('AccessDenied', /because no permissions boundary allows the iam:ListUsers action$/),
    );
    await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn: arn })), failsWith('DeleteConflictException'));
    await iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'bounded' }));
    await client.send(new ListUsersCommand({}));
    await iam.send(new DeletePolicyCommand({ PolicyArn: arn }));
  });

  it('sees the tags of users in conditions', async () => {
    const condition = { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } };
    const policy = document({ Effect: 'Allow', Action: 'iam:GetUser', Resource: '*', Condition: condition });
    const client = await userClient('tagged', policy);
    await iam.send(new CreateUserCommand({ UserName: 'other', Tags: [{ Key: 'Team', Value: 'a' }] }));
    await assert.rejects(client.send(new GetUserCommand({ UserName: 'other' })), failsWith('AccessDenied'));
    await iam.send(new TagUserCommand({ UserName: 'tagged', Tags: [{ Key: 'team', Value: 'a' }] }));
    await client.send(new GetUserCommand({ UserName: 'other' }));
    const { Tags } = await iam.send(new ListUserTagsCommand({ UserName: 'tagged' }));
    assert.deepEqual(Tags, [{ Key: 'team', Value: 'a' }]);
    await iam.send(new UntagUserCommand({ UserName: 'tagged', TagKeys: ['TEAM'] }));
    await assert.rejects(client.send(new GetUserCommand({ UserName: 'other' })), failsWith('AccessDenied'));
    await assert.rejects(
      iam.send(
        new TagUserCommand({
          UserName: 'tagged',
          Tags: [
            { Key: 'a', Value: '' },
            { Key: 'A', Value: '' },
          ],
        }),
      ),
      failsWith('InvalidInputException', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'),
    );
  });

  it('keeps versions of managed policies, and the default one acts', async () => {
    const client = await userClient('versions');
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'V', Path: '/p/', PolicyDocument: allow('iam:GetUser'), Description: 'd' }),
    );
    const PolicyArn = Policy?.Arn ?? '';
    assert.equal(PolicyArn, `arn:aws:iam::${platform.accountId}:policy/p/V`);
    await assert.rejects(
      iam.send(new CreatePolicyCommand({ PolicyName: 'v', PolicyDocument: allow('iam:GetUser') })),
      failsWith('EntityAlreadyExistsException', 'A policy called v already exists. Duplicate names are not allowed.'),
    );
    await iam.send(new AttachUserPolicyCommand({ UserName: 'versions', PolicyArn }));
    await client.send(new GetUserCommand({}));
    const next = { PolicyArn, PolicyDocument: allow('iam:ListUsers'), SetAsDefault: true };
    const { PolicyVersion } = await iam.send(new CreatePolicyVersionCommand(next));
    assert.equal(PolicyVersion?.VersionId, 'v2');
    await assert.rejects(client.send(new GetUserCommand({})), failsWith('AccessDenied'));
    await client.send(new ListUsersCommand({}));
    await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v1' }));
    await client.send(new GetUserCommand({}));
    await assert.rejects(
      iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v1' })),
      failsWith('DeleteConflictException', 'Cannot delete the default version of a policy.'),
    );
    const versions = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
    assert.deepEqual(
      versions.Versions?.map((version) => [version.VersionId, version.IsDefaultVersion]),
      [
        ['v2', false],
        ['v1', true],
      ],
    );
    const version = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v2' }));
    assert.equal(decodeURIComponent(version.PolicyVersion?.Document ?? ''), allow('iam:ListUsers'));
    const entities = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn }));
    assert.deepEqual(
      entities.PolicyUsers?.map((user) => user.UserName),
      ['versions'],
    );
    const got = await iam.send(new GetPolicyCommand({ PolicyArn }));
    assert.deepEqual([got.Policy?.AttachmentCount, got.Policy?.Description], [1, 'd']);
    for (let count = 0; count < 3; count++) {
      await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow('iam:GetUser') }));
    }
    await assert.rejects(
      iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow('iam:GetUser') })),
      failsWith('LimitExceededException', /up to 5 versions/),
    );
    await assert.rejects(
      iam.send(new DeletePolicyCommand({ PolicyArn })),
      failsWith('DeleteConflictException', 'Cannot delete a policy attached to entities.'),
    );
    await iam.send(new DetachUserPolicyCommand({ UserName: 'versions', PolicyArn }));
    await assert.rejects(
      iam.send(new DeletePolicyCommand({ PolicyArn })),
      failsWith('DeleteConflictException', /version/),
    );
    await assert.rejects(
      iam.send(new DetachUserPolicyCommand({ UserName: 'versions', PolicyArn })),
      failsWith('NoSuchEntityException', `Policy ${PolicyArn} was not found.`),
    );
  });

  it('has AWS’s own policies, which nobody changes', async () => {
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonS3FullAccess';
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
    assert.equal(Policy?.DefaultVersionId, 'v2');
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v2' }));
    assert.match(decodeURIComponent(PolicyVersion?.Document ?? ''), /"s3:\*"/);
    const { Policies } = await iam.send(new ListPoliciesCommand({ Scope: 'AWS', MaxItems: 1000 }));
    assert.ok((Policies?.length ?? 0) >= 14);
    await assert.rejects(iam.send(new DeletePolicyCommand({ PolicyArn })), failsWith('AccessDenied'));
    const unknown = 'arn:aws:iam::aws:policy/NoSuchPolicy';
    await assert.rejects(
      iam.send(new AttachUserPolicyCommand({ UserName: 'member', PolicyArn: unknown })),
      failsWith('NoSuchEntityException', `Policy ${unknown} does not exist or is not attachable.`),
    );
  });

  it('refuses documents that are none, and says where they break', async () => {
    const put = (PolicyDocument: string) =>
      iam.send(new PutUserPolicyCommand({ UserName: 'member', PolicyName: 'p', PolicyDocument }));
    await assert.rejects(
      put('{"Version": "2012-10-17",\n "Statement": [],}'),
      failsWith(
        'MalformedPolicyDocumentException',
        /^Syntax errors in policy\. Line 2, column 17: there is a comma before '}'/,
      ),
    );
    await assert.rejects(
      put(document({ Effect: 'Allow', Action: 's3:*' })),
      failsWith('MalformedPolicyDocumentException', /^Policy statement must contain resources\./),
    );
    await assert.rejects(
      put(document({ Effect: 'Allow', Action: 's3:*', Resource: '*', Principal: '*' })),
      failsWith('MalformedPolicyDocumentException', /^Policy document should not specify a principal\./),
    );
    await assert.rejects(
      put(allow(...Array.from({ length: 200 }, (_, index) => `s3:Action${index}`))),
      failsWith('LimitExceededException', 'Maximum policy size of 2048 bytes exceeded for user member'),
    );
    const managed = {
      PolicyName: 'old',
      PolicyDocument: '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    };
    await assert.rejects(
      iam.send(new CreatePolicyCommand(managed)),
      failsWith('MalformedPolicyDocumentException', /^Policy document must be version 2012-10-17 or greater\./),
    );
  });

  it('keeps roles with their trust and inline policies', async () => {
    const created = await iam.send(
      new CreateRoleCommand({ RoleName: 'Job', Path: '/service-role/', AssumeRolePolicyDocument: mediaConvertTrust }),
    );
    assert.match(created.Role?.RoleId ?? '', /^AROA/);
    assert.equal(created.Role?.MaxSessionDuration, 3600);
    assert.equal(decodeURIComponent(created.Role?.AssumeRolePolicyDocument ?? ''), mediaConvertTrust);
    await iam.send(new UpdateRoleCommand({ RoleName: 'Job', MaxSessionDuration: 7200, Description: 'works' }));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'Job' }));
    assert.deepEqual([Role?.MaxSessionDuration, Role?.Description], [7200, 'works']);
    const policy = allow('s3:GetObject');
    await iam.send(new PutRolePolicyCommand({ RoleName: 'Job', PolicyName: 'read', PolicyDocument: policy }));
    const inline = await iam.send(new GetRolePolicyCommand({ RoleName: 'Job', PolicyName: 'read' }));
    assert.equal(decodeURIComponent(inline.PolicyDocument ?? ''), policy);
    assert.deepEqual((await iam.send(new ListRolePoliciesCommand({ RoleName: 'Job' }))).PolicyNames, ['read']);
    const listed = await iam.send(new ListRolesCommand({ PathPrefix: '/service-role/' }));
    assert.deepEqual(
      listed.Roles?.map((role) => role.RoleName),
      ['Job'],
    );
    await assert.rejects(
      iam.send(new DeleteRoleCommand({ RoleName: 'Job' })),
      failsWith('DeleteConflictException', 'Cannot delete entity, must delete policies first.'),
    );
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'Job', PolicyName: 'read' }));
    await assert.rejects(
      iam.send(new GetRolePolicyCommand({ RoleName: 'Job', PolicyName: 'read' })),
      failsWith('NoSuchEntityException', 'The role policy with name read cannot be found.'),
    );
    await iam.send(new DeleteRoleCommand({ RoleName: 'Job' }));
  });

  it('refuses trust policies with trailing commas, resources, other actions and absent principals', async () => {
    const create = (AssumeRolePolicyDocument: string) =>
      iam.send(new CreateRoleCommand({ RoleName: 'Bad', AssumeRolePolicyDocument }));
    await assert.rejects(
      create(mediaConvertTrust.replace(/}$/, ',}')),
      failsWith('MalformedPolicyDocumentException', /^This policy contains invalid Json\./),
    );
    const statement = {
      Effect: 'Allow',
      Principal: { Service: 'mediaconvert.amazonaws.com' },
      Action: 'sts:AssumeRole',
    };
    await assert.rejects(
      create(document({ ...statement, Resource: '*' })),
      failsWith('MalformedPolicyDocumentException', /^Has prohibited field Resource\./),
    );
    await assert.rejects(
      create(document({ ...statement, Action: 's3:GetObject' })),
      failsWith('MalformedPolicyDocumentException', /^AssumeRole policy may only specify STS AssumeRole actions\./),
    );
    const absent = `arn:aws:iam::${platform.accountId}:user/absent`;
    await assert.rejects(
      create(trust({ AWS: absent })),
      failsWith(
        'MalformedPolicyDocumentException',
        `Invalid principal in policy: "AWS":"${absent}". Line 1, column 74: there is no such user or role`,
      ),
    );
    await iam.send(new CreateRoleCommand({ RoleName: 'Bad', AssumeRolePolicyDocument: mediaConvertTrust }));
    await assert.rejects(
      iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'Bad', PolicyDocument: '{' })),
      failsWith('MalformedPolicyDocumentException'),
    );
  });

  it('keeps at most ten managed policies on a role', async () => {
    await iam.send(new CreateRoleCommand({ RoleName: 'Many', AssumeRolePolicyDocument: mediaConvertTrust }));
    const { Policies = [] } = await iam.send(new ListPoliciesCommand({ Scope: 'AWS', MaxItems: 11 }));
    const arns = Policies.map((policy) => policy.Arn ?? '');
    const last = arns.pop() ?? '';
    for (const PolicyArn of arns) await iam.send(new AttachRolePolicyCommand({ RoleName: 'Many', PolicyArn }));
    await assert.rejects(
      iam.send(new AttachRolePolicyCommand({ RoleName: 'Many', PolicyArn: last })),
      failsWith('LimitExceededException', 'Cannot exceed quota for PoliciesPerRole: 10'),
    );
  });

  it('gives one of many concurrent creators the name', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        iam.send(new CreateUserCommand({ UserName: index % 2 === 0 ? 'race' : 'RACE' })),
      ),
    );
    assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  });

  it('keeps accounts apart', async () => {
    const foreign = new IAMClient(platform.clientConfig(await createAccount(platform)));
    await iam.send(new CreateUserCommand({ UserName: 'mine' }));
    await assert.rejects(foreign.send(new GetUserCommand({ UserName: 'mine' })), failsWith('NoSuchEntityException'));
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'mine', PolicyDocument: allow('s3:*') }));
    const PolicyArn = Policy?.Arn ?? '';
    await assert.rejects(foreign.send(new GetPolicyCommand({ PolicyArn })), failsWith('NoSuchEntityException'));
    await foreign.send(new CreateUserCommand({ UserName: 'mine' }));
    await assert.rejects(
      foreign.send(new AttachUserPolicyCommand({ UserName: 'mine', PolicyArn })),
      failsWith('NoSuchEntityException', `Policy ${PolicyArn} does not exist or is not attachable.`),
    );
    const { AttachedPolicies } = await foreign.send(new ListAttachedUserPoliciesCommand({ UserName: 'mine' }));
    assert.deepEqual(AttachedPolicies, []);
  });
});
