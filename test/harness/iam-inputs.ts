import * as iam from '@aws-sdk/client-iam';
import { issueCertificate } from './certificates.ts';
import { SamlProvider } from './saml-provider.ts';

type Members = Readonly<Record<string, unknown>>;

interface IamInputs {
  readonly roleArn: string;
  readonly accessKeyId: string;
  /** What the members of IAM's inputs are, and those of one operation, by `iam:NAME`. */
  readonly inputs: Readonly<Record<string, Members>>;
}

const policy = (statement: Members) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });

/** Makes one of everything that IAM has, and says how inputs name it. */
export async function populateIam(people: iam.IAMClient, account: string): Promise<IamInputs> {
  const allowAll = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
  const trust = policy({
    Effect: 'Allow',
    Principal: { Service: 'mediaconvert.amazonaws.com' },
    Action: 'sts:AssumeRole',
  });
  const UserName = 'target';
  await people.send(new iam.CreateUserCommand({ UserName }));
  const { AccessKey } = await people.send(new iam.CreateAccessKeyCommand({ UserName }));
  await people.send(new iam.CreateGroupCommand({ GroupName: 'target' }));
  const role = { RoleName: 'target', AssumeRolePolicyDocument: trust };
  const { Role } = await people.send(new iam.CreateRoleCommand(role));
  const named = { PolicyName: 'inline', PolicyDocument: allowAll };
  await people.send(new iam.PutUserPolicyCommand({ UserName, ...named }));
  await people.send(new iam.PutGroupPolicyCommand({ GroupName: 'target', ...named }));
  await people.send(new iam.PutRolePolicyCommand({ RoleName: 'target', ...named }));
  const { Policy } = await people.send(
    new iam.CreatePolicyCommand({ PolicyName: 'managed', PolicyDocument: allowAll }),
  );
  const PolicyArn = Policy?.Arn ?? '';
  await people.send(new iam.AttachUserPolicyCommand({ UserName, PolicyArn }));

  const { certificate, key } = issueCertificate('target');
  const files = { CertificateBody: certificate, PrivateKey: key };
  const other = issueCertificate('new');
  await people.send(new iam.UploadServerCertificateCommand({ ServerCertificateName: 'target', ...files }));
  await people.send(new iam.CreateLoginProfileCommand({ UserName, Password: 'Correct-horse-1' }));
  await people.send(new iam.UpdateAccountPasswordPolicyCommand({}));
  await people.send(new iam.CreateAccountAliasCommand({ AccountAlias: 'target' }));
  await people.send(new iam.CreateOpenIDConnectProviderCommand({ Url: 'https://idp.example.com' }));
  const SAMLMetadataDocument = new SamlProvider().metadata();
  await people.send(new iam.CreateSAMLProviderCommand({ Name: 'target', SAMLMetadataDocument }));
  await people.send(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'target' }));
  await people.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: 'target' }));

  const inputs: IamInputs['inputs'] = {
    'iam:CreateServiceLinkedRole': { AWSServiceName: 'execute-api.amazonaws.com' },
    'iam:DeleteServiceLinkedRole': { RoleName: 'AWSServiceRoleForCofferKeyProvider' },
    iam: {
      JobId: '98ee5596-cd3e-a20d-163a-e382420c6eff',
      ServiceNamespace: 's3',
      ServiceNamespaces: ['s3'],
      Arn: `arn:aws:iam::${account}:user/target`,
      DeletionTaskId: 'task/aws-service-role/execute-api.amazonaws.com/AWSServiceRoleForCofferKeyProvider/1',
      UserName,
      GroupName: 'target',
      RoleName: 'target',
      InstanceProfileName: 'target',
      PolicySourceArn: `arn:aws:iam::${account}:user/target`,
      PolicyInputList: [allowAll],
      ActionNames: ['s3:GetObject'],
      AccountAlias: 'target',
      ServerCertificateName: 'target',
      CertificateBody: other.certificate,
      PrivateKey: other.key,
      CertificateId: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
      SSHPublicKeyId: 'APKAABCDEFGHIJKLMNOPQ',
      SSHPublicKeyBody: 'ssh-rsa AAAA',
      Encoding: 'SSH',
      Password: 'Correct-horse-2',
      OldPassword: 'Correct-horse-1',
      NewPassword: 'Correct-horse-2',
      SerialNumber: `arn:aws:iam::${account}:mfa/target`,
      OpenIDConnectProviderArn: `arn:aws:iam::${account}:oidc-provider/idp.example.com`,
      Url: 'https://other.example.com',
      ClientID: 'other',
      ThumbprintList: [],
      AuthenticationCode1: '000000',
      AuthenticationCode2: '000000',
      SAMLProviderArn: `arn:aws:iam::${account}:saml-provider/target`,
      SAMLMetadataDocument,
      VirtualMFADeviceName: 'new',
      PolicyName: 'inline',
      PolicyDocument: allowAll,
      AssumeRolePolicyDocument: trust,
      PolicyArn,
      PermissionsBoundary: PolicyArn,
      VersionId: 'v1',
      AccessKeyId: AccessKey?.AccessKeyId ?? '',
      Status: 'Inactive',
      Description: 'changed',
      Tags: [{ Key: 'a', Value: 'b' }],
      TagKeys: ['a'],
    },
    'iam:CreateSAMLProvider': { Name: 'new' },
    'iam:CreateUser': { UserName: 'new' },
    'iam:CreateGroup': { GroupName: 'new' },
    'iam:CreateRole': { RoleName: 'new' },
    'iam:CreatePolicy': { PolicyName: 'new' },
    'iam:UploadServerCertificate': { ServerCertificateName: 'new' },
    ...Object.fromEntries(
      ['Upload', 'List', 'Update', 'Delete'].map((verb) => [
        `iam:${verb}SigningCertificate${verb === 'List' ? 's' : ''}`,
        { UserName },
      ]),
    ),
    'iam:ListSSHPublicKeys': { UserName },
    'iam:CreateAccountAlias': { AccountAlias: 'new' },
    'iam:CreateLoginProfile': { UserName },
    'iam:DeleteLoginProfile': { UserName },
    'iam:GetLoginProfile': { UserName },
    'iam:CreateInstanceProfile': { InstanceProfileName: 'new' },
    'iam:CreateAccessKey': { UserName },
    'iam:DeleteAccessKey': { UserName },
    'iam:UpdateAccessKey': { UserName },
  };
  return { roleArn: Role?.Arn ?? '', accessKeyId: AccessKey?.AccessKeyId ?? '', inputs };
}
