import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  GenerateCredentialReportCommand,
  GenerateServiceLastAccessedDetailsCommand,
  GetCredentialReportCommand,
  GetServiceLastAccessedDetailsCommand,
  GetServiceLastAccessedDetailsWithEntitiesCommand,
  IAMClient,
  ListPoliciesGrantingServiceAccessCommand,
  PutGroupPolicyCommand,
  UpdateAccessKeyCommand,
  UpdateAccountPasswordPolicyCommand,
} from '@aws-sdk/client-iam';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { allowing, failsWith, newUser } from '../harness/iam-calls.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const HEADER =
  'user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,' +
  'mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,' +
  'access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,' +
  'access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,' +
  'cert_1_last_rotated,cert_2_active,cert_2_last_rotated';
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+00:00$/;

describe('reports', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let ann: ClientConfig;
  let ben: ClientConfig;
  let policyArn = '';
  const arnOf = (resource: string) => `arn:aws:iam::${platform.accountId}:${resource}`;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    ann = await newUser(platform, iam, 'ann', allowing('s3:ListAllMyBuckets', 'kms:*'));
    ben = await newUser(platform, iam, 'ben');
    await iam.send(new CreateGroupCommand({ GroupName: 'staff' }));
    await iam.send(new AddUserToGroupCommand({ GroupName: 'staff', UserName: 'ann' }));
    await iam.send(new AddUserToGroupCommand({ GroupName: 'staff', UserName: 'ben' }));
    const PolicyDocument = allowing('s3:*');
    await iam.send(new PutGroupPolicyCommand({ GroupName: 'staff', PolicyName: 'objects', PolicyDocument }));
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'managed', PolicyDocument }));
    policyArn = Policy?.Arn ?? '';
    await iam.send(new AttachGroupPolicyCommand({ GroupName: 'staff', PolicyArn: policyArn }));
    for (const [config, region] of [
      [ann, 'eu-west-1'],
      [ben, 'eu-north-1'],
    ] as const) {
      const s3 = new S3Client({ ...config, region });
      await s3.send(new ListBucketsCommand({}));
      s3.destroy();
    }
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  it('tell the state of every user’s credentials, in AWS’s columns', async () => {
    await assert.rejects(
      iam.send(new GetCredentialReportCommand({})),
      failsWith('CredentialReportNotPresentException'),
    );
    await iam.send(new UpdateAccountPasswordPolicyCommand({ MaxPasswordAge: 10 }));
    await iam.send(new CreateLoginProfileCommand({ UserName: 'ann', Password: 'Correct-horse-1' }));
    const AccessKeyId = ben.credentials.accessKeyId;
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'ben', AccessKeyId, Status: 'Inactive' }));
    const { State } = await iam.send(new GenerateCredentialReportCommand({}));
    assert.equal(State, 'COMPLETE');
    const { Content, ReportFormat } = await iam.send(new GetCredentialReportCommand({}));
    assert.equal(ReportFormat, 'text/csv');
    const [header, ...lines] = Buffer.from(Content ?? [])
      .toString()
      .split('\n');
    assert.equal(header, HEADER);
    const rows = lines.map((line) => {
      const values = line.split(',');
      return Object.fromEntries(HEADER.split(',').map((column, index) => [column, values[index] ?? '']));
    });
    assert.deepEqual(
      rows.map((row) => [row['user'], row['arn']]),
      [
        ['<root_account>', arnOf('root')],
        ['ann', arnOf('user/ann')],
        ['ben', arnOf('user/ben')],
      ],
    );
    const [root, first, second] = rows;
    assert.deepEqual([root?.['password_enabled'], root?.['access_key_1_active']], ['not_supported', 'true']);
    assert.equal(first?.['password_enabled'], 'true');
    const changed = Date.parse(first?.['password_last_changed'] ?? '');
    assert.equal(Date.parse(first?.['password_next_rotation'] ?? ''), changed + 10 * 86_400_000);
    assert.match(first?.['access_key_1_last_used_date'] ?? '', TIME);
    assert.deepEqual(
      [first?.['access_key_1_last_used_region'], first?.['access_key_1_last_used_service'], first?.['mfa_active']],
      ['eu-west-1', 's3', 'false'],
    );
    assert.deepEqual([first?.['access_key_2_active'], first?.['access_key_2_last_rotated']], ['false', 'N/A']);
    assert.deepEqual([second?.['password_enabled'], second?.['access_key_1_active']], ['false', 'false']);
    assert.match(second?.['access_key_1_last_rotated'] ?? '', TIME);
  });

  async function accessOf(Arn: string, Granularity: 'SERVICE_LEVEL' | 'ACTION_LEVEL' = 'SERVICE_LEVEL') {
    const { JobId } = await iam.send(new GenerateServiceLastAccessedDetailsCommand({ Arn, Granularity }));
    for (;;) {
      const details = await iam.send(new GetServiceLastAccessedDetailsCommand({ JobId }));
      if (details.JobStatus !== 'IN_PROGRESS') return { JobId, ...details };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('tell which of the allowed services a user has used, and when', async () => {
    const { JobStatus, ServicesLastAccessed = [] } = await accessOf(arnOf('user/ann'));
    assert.equal(JobStatus, 'COMPLETED');
    assert.deepEqual(
      ServicesLastAccessed.map((service) => [service.ServiceNamespace, service.TotalAuthenticatedEntities]),
      [
        ['kms', 0],
        ['s3', 1],
      ],
    );
    const [kms, s3] = ServicesLastAccessed;
    assert.equal(kms?.LastAuthenticated, undefined);
    assert.deepEqual(
      [s3?.ServiceName, s3?.LastAuthenticatedEntity, s3?.LastAuthenticatedRegion],
      ['Amazon S3', arnOf('user/ann'), 'eu-west-1'],
    );
    const byAction = await accessOf(arnOf('user/ann'), 'ACTION_LEVEL');
    const actions = byAction.ServicesLastAccessed?.find((service) => service.ServiceNamespace === 's3');
    assert.deepEqual(
      actions?.TrackedActionsLastAccessed?.map((action) => [action.ActionName, action.LastAccessedRegion]),
      [['ListBuckets', 'eu-west-1']],
    );
  });

  it('tell it of a group and a policy by those whom they give rights', async () => {
    for (const arn of [arnOf('group/staff'), policyArn]) {
      const { JobId, ServicesLastAccessed = [] } = await accessOf(arn);
      assert.deepEqual(
        ServicesLastAccessed.map((service) => [service.ServiceNamespace, service.TotalAuthenticatedEntities]),
        [['s3', 2]],
      );
      assert.equal(ServicesLastAccessed[0]?.LastAuthenticatedRegion, 'eu-north-1');
      const input = { JobId, ServiceNamespace: 's3' };
      const { EntityDetailsList } = await iam.send(new GetServiceLastAccessedDetailsWithEntitiesCommand(input));
      assert.deepEqual(
        EntityDetailsList?.map(({ EntityInfo, LastAuthenticated }) => [
          EntityInfo?.Name,
          LastAuthenticated instanceof Date,
        ]),
        [
          ['ann', true],
          ['ben', true],
        ],
      );
    }
    await assert.rejects(accessOf(arnOf('user/nobody')), failsWith('NoSuchEntityException'));
    const JobId = '98ee5596-cd3e-a20d-163a-e382420c6eff';
    await assert.rejects(
      iam.send(new GetServiceLastAccessedDetailsCommand({ JobId })),
      failsWith('NoSuchEntityException'),
    );
  });

  it('tell which policies give a user a service', async () => {
    const PolicyArn = 'arn:aws:iam::aws:policy/PowerUserAccess';
    await iam.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn }));
    const { PoliciesGrantingServiceAccess } = await iam.send(
      new ListPoliciesGrantingServiceAccessCommand({ Arn: arnOf('user/ann'), ServiceNamespaces: ['s3', 'sts', 'iam'] }),
    );
    const inline = (PolicyName: string, EntityType: string, EntityName: string) => ({
      PolicyName,
      PolicyType: 'INLINE',
      EntityType,
      EntityName,
    });
    const power = { PolicyName: 'PowerUserAccess', PolicyType: 'MANAGED', PolicyArn };
    assert.deepEqual(PoliciesGrantingServiceAccess, [
      { ServiceNamespace: 'iam', Policies: [power] },
      {
        ServiceNamespace: 's3',
        Policies: [
          inline('inline', 'USER', 'ann'),
          power,
          inline('objects', 'GROUP', 'staff'),
          { PolicyName: 'managed', PolicyType: 'MANAGED', PolicyArn: policyArn },
        ],
      },
      { ServiceNamespace: 'sts', Policies: [power] },
    ]);
  });
});
