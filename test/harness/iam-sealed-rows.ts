import {
  CreateAccountAliasCommand,
  CreateInstanceProfileCommand,
  CreateLoginProfileCommand,
  CreateOpenIDConnectProviderCommand,
  CreateSAMLProviderCommand,
  ListSAMLProvidersCommand,
  CreateVirtualMFADeviceCommand,
  ListOpenIDConnectProvidersCommand,
  ListVirtualMFADevicesCommand,
  CreateServiceLinkedRoleCommand,
  DeleteServiceLinkedRoleCommand,
  GetAccessKeyLastUsedCommand,
  GetAccountPasswordPolicyCommand,
  GetInstanceProfileCommand,
  GetLoginProfileCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  IAMClient,
  ListAccountAliasesCommand,
  UpdateAccountPasswordPolicyCommand,
  GetServerCertificateCommand,
  ListSigningCertificatesCommand,
  UploadServerCertificateCommand,
  UploadSigningCertificateCommand,
} from '@aws-sdk/client-iam';
import { issueCertificate } from './certificates.ts';
import type { ClientConfig } from './platform.ts';
import { SamlProvider } from './saml-provider.ts';

/** A table of IAM, which row of it is changed, and what believes that row. */
interface IamCase {
  readonly table: string;
  readonly where: string;
  /** By these columns the row is found: with others it is as if it were not there. */
  readonly lookedUpBy: readonly string[];
  readonly read: (iam: IAMClient, config: ClientConfig) => Promise<unknown>;
}

let deletionTask: string | undefined;

/** Makes a row of each. The user `ann` is there already. */
export async function furnishIamEntities(iam: IAMClient): Promise<void> {
  const { certificate, key } = issueCertificate('films.example');
  const files = { CertificateBody: certificate, PrivateKey: key };
  await iam.send(new UploadServerCertificateCommand({ ServerCertificateName: 'films', ...files }));
  await iam.send(new UploadSigningCertificateCommand({ UserName: 'ann', CertificateBody: certificate }));
  await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'execute-api.amazonaws.com' }));
  const deletion = new DeleteServiceLinkedRoleCommand({ RoleName: 'AWSServiceRoleForCofferKeyProvider' });
  ({ DeletionTaskId: deletionTask } = await iam.send(deletion));
  await iam.send(new CreateLoginProfileCommand({ UserName: 'ann', Password: 'Correct-horse-1' }));
  await iam.send(new UpdateAccountPasswordPolicyCommand({ RequireNumbers: true }));
  await iam.send(new CreateAccountAliasCommand({ AccountAlias: 'films' }));
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'profile' }));
  await iam.send(new CreateOpenIDConnectProviderCommand({ Url: 'https://idp.example.com' }));
  const SAMLMetadataDocument = new SamlProvider().metadata();
  await iam.send(new CreateSAMLProviderCommand({ Name: 'corp', SAMLMetadataDocument }));
  await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }));
}

/** @param configOf what root's client of a server is constructed with */
export function iamEntityCases(configOf: (endpoint: string) => ClientConfig) {
  return CASES.map(({ read, ...rest }) => ({
    ...rest,
    async use(endpoint: string): Promise<void> {
      const iam = new IAMClient(configOf(endpoint));
      await read(iam, configOf(endpoint)).finally(() => iam.destroy());
    },
  }));
}

const CASES: readonly IamCase[] = [
  {
    table: 'iam_saml_provider',
    where: '1',
    lookedUpBy: ['account'],
    read: (iam) => iam.send(new ListSAMLProvidersCommand({})),
  },
  {
    table: 'iam_oidc_provider',
    where: '1',
    lookedUpBy: ['account'],
    read: (iam) => iam.send(new ListOpenIDConnectProvidersCommand({})),
  },
  {
    table: 'iam_mfa_device',
    where: '1',
    lookedUpBy: ['account', 'serial'],
    read: (iam) => iam.send(new ListVirtualMFADevicesCommand({})),
  },
  {
    table: 'iam_instance_profile',
    where: '1',
    lookedUpBy: ['account', 'name_key'],
    read: (iam) => iam.send(new GetInstanceProfileCommand({ InstanceProfileName: 'profile' })),
  },
  {
    table: 'iam_login_profile',
    where: '1',
    lookedUpBy: ['user_id'],
    read: (iam) => iam.send(new GetLoginProfileCommand({ UserName: 'ann' })),
  },
  {
    table: 'iam_password_policy',
    where: '1',
    lookedUpBy: ['account'],
    read: (iam) => iam.send(new GetAccountPasswordPolicyCommand({})),
  },
  {
    table: 'iam_task',
    where: '1',
    lookedUpBy: ['id', 'account', 'kind'],
    read: (iam) => iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId: deletionTask })),
  },
  {
    table: 'iam_server_certificate',
    where: '1',
    lookedUpBy: ['account', 'name_key'],
    read: (iam) => iam.send(new GetServerCertificateCommand({ ServerCertificateName: 'films' })),
  },
  {
    table: 'iam_user_key',
    where: '1',
    lookedUpBy: ['account', 'user_id', 'kind'],
    read: (iam) => iam.send(new ListSigningCertificatesCommand({ UserName: 'ann' })),
  },
  {
    table: 'iam_account_alias',
    where: '1',
    lookedUpBy: ['account'],
    read: (iam) => iam.send(new ListAccountAliasesCommand({})),
  },
  {
    table: 'iam_last_use',
    where: `subject = 'AKIATESTROOT00000000'`,
    lookedUpBy: ['subject'],
    read: (iam, { credentials }) => iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: credentials.accessKeyId })),
  },
];
