import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import * as sdk from '@aws-sdk/client-iam';
import { IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { issueCertificate } from '../harness/certificates.ts';
import { allowing, failsWith, newUser, trusting } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const S3_POLICY = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess';

describe('entities that are in use', () => {
  let platform: TestPlatform;
  let iam: IAMClient;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    await iam.send(new sdk.CreateGroupCommand({ GroupName: 'staff' }));
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  /** Each use alone keeps the entity; without it, it goes. */
  interface Use {
    readonly what: string;
    readonly begin: () => Promise<unknown>;
    readonly end: () => Promise<unknown>;
  }

  async function keptByEach(uses: readonly Use[], remove: () => Promise<unknown>): Promise<void> {
    for (const { what, begin, end } of uses) {
      await begin();
      await assert.rejects(remove(), failsWith('DeleteConflictException'), what);
      await end();
    }
    await remove();
  }

  const inline = { PolicyName: 'inline', PolicyDocument: allowing('s3:GetObject') };

  it('are not deleted: users', async () => {
    const UserName = 'ann';
    await iam.send(new sdk.CreateUserCommand({ UserName }));
    let id: string | undefined;
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const SSHPublicKeyBody = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const CertificateBody = issueCertificate('ann').certificate;
    const member = { UserName, GroupName: 'staff' };
    await keptByEach(
      [
        {
          what: 'access key',
          begin: async () => {
            id = (await iam.send(new sdk.CreateAccessKeyCommand({ UserName }))).AccessKey?.AccessKeyId;
          },
          end: () => iam.send(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId: id })),
        },
        {
          what: 'login profile',
          begin: () => iam.send(new sdk.CreateLoginProfileCommand({ UserName, Password: 'Correct-horse-1' })),
          end: () => iam.send(new sdk.DeleteLoginProfileCommand({ UserName })),
        },
        {
          what: 'inline policy',
          begin: () => iam.send(new sdk.PutUserPolicyCommand({ UserName, ...inline })),
          end: () => iam.send(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName: 'inline' })),
        },
        {
          what: 'managed policy',
          begin: () => iam.send(new sdk.AttachUserPolicyCommand({ UserName, PolicyArn: S3_POLICY })),
          end: () => iam.send(new sdk.DetachUserPolicyCommand({ UserName, PolicyArn: S3_POLICY })),
        },
        {
          what: 'group',
          begin: () => iam.send(new sdk.AddUserToGroupCommand(member)),
          end: () => iam.send(new sdk.RemoveUserFromGroupCommand(member)),
        },
        {
          what: 'SSH key',
          begin: async () => {
            const uploaded = await iam.send(new sdk.UploadSSHPublicKeyCommand({ UserName, SSHPublicKeyBody }));
            id = uploaded.SSHPublicKey?.SSHPublicKeyId;
          },
          end: () => iam.send(new sdk.DeleteSSHPublicKeyCommand({ UserName, SSHPublicKeyId: id })),
        },
        {
          what: 'certificate',
          begin: async () => {
            const uploaded = await iam.send(new sdk.UploadSigningCertificateCommand({ UserName, CertificateBody }));
            id = uploaded.Certificate?.CertificateId;
          },
          end: () => iam.send(new sdk.DeleteSigningCertificateCommand({ UserName, CertificateId: id })),
        },
      ],
      () => iam.send(new sdk.DeleteUserCommand({ UserName })),
    );
  });

  it('are not deleted: groups, roles and instance profiles', async () => {
    const GroupName = 'editors';
    await iam.send(new sdk.CreateGroupCommand({ GroupName }));
    await iam.send(new sdk.CreateUserCommand({ UserName: 'ben' }));
    await keptByEach(
      [
        {
          what: 'member',
          begin: () => iam.send(new sdk.AddUserToGroupCommand({ GroupName, UserName: 'ben' })),
          end: () => iam.send(new sdk.RemoveUserFromGroupCommand({ GroupName, UserName: 'ben' })),
        },
        {
          what: 'inline policy',
          begin: () => iam.send(new sdk.PutGroupPolicyCommand({ GroupName, ...inline })),
          end: () => iam.send(new sdk.DeleteGroupPolicyCommand({ GroupName, PolicyName: 'inline' })),
        },
        {
          what: 'managed policy',
          begin: () => iam.send(new sdk.AttachGroupPolicyCommand({ GroupName, PolicyArn: S3_POLICY })),
          end: () => iam.send(new sdk.DetachGroupPolicyCommand({ GroupName, PolicyArn: S3_POLICY })),
        },
      ],
      () => iam.send(new sdk.DeleteGroupCommand({ GroupName })),
    );
    const RoleName = 'worker';
    const AssumeRolePolicyDocument = trusting({ Service: 'ec2.amazonaws.com' });
    await iam.send(new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const profile = { InstanceProfileName: 'encoder', RoleName };
    await iam.send(new sdk.CreateInstanceProfileCommand(profile));
    await keptByEach(
      [
        {
          what: 'inline policy',
          begin: () => iam.send(new sdk.PutRolePolicyCommand({ RoleName, ...inline })),
          end: () => iam.send(new sdk.DeleteRolePolicyCommand({ RoleName, PolicyName: 'inline' })),
        },
        {
          what: 'managed policy',
          begin: () => iam.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn: S3_POLICY })),
          end: () => iam.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn: S3_POLICY })),
        },
        {
          what: 'instance profile',
          begin: () => iam.send(new sdk.AddRoleToInstanceProfileCommand(profile)),
          end: () => iam.send(new sdk.RemoveRoleFromInstanceProfileCommand(profile)),
        },
      ],
      () => iam.send(new sdk.DeleteRoleCommand({ RoleName })),
    );
  });

  it('are not deleted: policies that are attached, bound somebody or have versions', async () => {
    const PolicyDocument = allowing('s3:GetObject');
    const { Policy } = await iam.send(new sdk.CreatePolicyCommand({ PolicyName: 'managed', PolicyDocument }));
    const PolicyArn = Policy?.Arn;
    const UserName = 'cat';
    await iam.send(new sdk.CreateUserCommand({ UserName }));
    await keptByEach(
      [
        {
          what: 'attached',
          begin: () => iam.send(new sdk.AttachUserPolicyCommand({ UserName, PolicyArn })),
          end: () => iam.send(new sdk.DetachUserPolicyCommand({ UserName, PolicyArn })),
        },
        {
          what: 'a boundary',
          begin: () =>
            iam.send(new sdk.PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary: PolicyArn })),
          end: () => iam.send(new sdk.DeleteUserPermissionsBoundaryCommand({ UserName })),
        },
        {
          what: 'versions',
          begin: () => iam.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument })),
          end: () => iam.send(new sdk.DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v2' })),
        },
      ],
      () => iam.send(new sdk.DeletePolicyCommand({ PolicyArn })),
    );
  });

  it('are made once and deleted once, however many ask at the same time', async () => {
    const AssumeRolePolicyDocument = trusting({ Service: 'ec2.amazonaws.com' });
    const outcomes = async (work: () => Promise<unknown>, error: string) => {
      const results = await Promise.allSettled(Array.from({ length: 4 }, work));
      const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      assert.equal(failed.length, 3);
      for (const reason of failed) failsWith(error)(reason);
    };
    const create = [
      () => iam.send(new sdk.CreateUserCommand({ UserName: 'raced' })),
      () => iam.send(new sdk.CreateGroupCommand({ GroupName: 'raced' })),
      () => iam.send(new sdk.CreateRoleCommand({ RoleName: 'raced', AssumeRolePolicyDocument })),
      () => iam.send(new sdk.CreatePolicyCommand({ PolicyName: 'raced', PolicyDocument: allowing('s3:*') })),
    ];
    const remove = [
      () => iam.send(new sdk.DeleteUserCommand({ UserName: 'raced' })),
      () => iam.send(new sdk.DeleteGroupCommand({ GroupName: 'raced' })),
      () => iam.send(new sdk.DeleteRoleCommand({ RoleName: 'raced' })),
      () => iam.send(new sdk.DeletePolicyCommand({ PolicyArn: `arn:aws:iam::${platform.accountId}:policy/raced` })),
    ];
    for (const work of create) await outcomes(work, 'EntityAlreadyExistsException');
    for (const work of remove) await outcomes(work, 'NoSuchEntityException');
  });

  it('are counted: no more than the quota, whoever asks at the same time', async () => {
    const { certificate, key } = issueCertificate('many');
    const upload = (index: number) =>
      iam.send(
        new sdk.UploadServerCertificateCommand({
          ServerCertificateName: `many-${index}`,
          CertificateBody: certificate,
          PrivateKey: key,
        }),
      );
    const results = await Promise.allSettled(Array.from({ length: 23 }, (_, index) => upload(index)));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 20);
    await assert.rejects(
      upload(99),
      failsWith('LimitExceededException', 'Cannot exceed quota for ServerCertificatesPerAccount: 20'),
    );
  });
});

it('a change of rights acts on the next request, of users and of sessions that live', async () => {
  await using platform = await startTestPlatform();
  const root = platform.clientConfig();
  const iam = new IAMClient(root);
  const clients: { destroy(): void }[] = [iam];
  const owner = new S3Client(root);
  await owner.send(new CreateBucketCommand({ Bucket: 'films-of-the-test' }));
  const ann = await newUser(platform, iam, 'ann', allowing('sts:AssumeRole'));
  const asAnn = new S3Client(ann);
  const AssumeRolePolicyDocument = trusting({ AWS: platform.accountId });
  const { Role } = await iam.send(new sdk.CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument }));
  const sts = new STSClient(ann);
  const assume = () => sts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'session' }));
  const { Credentials } = await assume();
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  const session = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  const asWorker = new S3Client(platform.clientConfig(session));
  clients.push(owner, asAnn, sts, asWorker);
  const may = async (client: S3Client) =>
    client.send(new ListBucketsCommand({})).then(
      () => true,
      (error: unknown) => {
        assert.equal((error as Error).name, 'AccessDenied');
        return false;
      },
    );
  const PolicyArn = S3_POLICY;
  const boundary = 'arn:aws:iam::aws:policy/IAMReadOnlyAccess';
  const UserName = 'ann';
  const RoleName = 'worker';
  const group = { GroupName: 'staff' };
  await iam.send(new sdk.CreateGroupCommand(group));
  await iam.send(new sdk.AttachGroupPolicyCommand({ ...group, PolicyArn }));

  assert.deepEqual([await may(asAnn), await may(asWorker)], [false, false]);
  await iam.send(new sdk.AddUserToGroupCommand({ ...group, UserName }));
  assert.equal(await may(asAnn), true);
  await iam.send(new sdk.PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary: boundary }));
  assert.equal(await may(asAnn), false);
  await iam.send(new sdk.DeleteUserPermissionsBoundaryCommand({ UserName }));
  assert.equal(await may(asAnn), true);
  await iam.send(new sdk.RemoveUserFromGroupCommand({ ...group, UserName }));
  assert.equal(await may(asAnn), false);

  await iam.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn }));
  assert.equal(await may(asWorker), true);
  await iam.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn }));
  assert.equal(await may(asWorker), false);
  const PolicyDocument = trusting({ Service: 'ec2.amazonaws.com' });
  await iam.send(new sdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
  await assert.rejects(assume(), { name: 'AccessDenied' });
  await iam.send(new sdk.DeleteRoleCommand({ RoleName }));
  await assert.rejects(asWorker.send(new ListBucketsCommand({})));
  for (const client of clients) client.destroy();
});
