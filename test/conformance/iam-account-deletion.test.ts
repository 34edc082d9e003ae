import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  AddRoleToInstanceProfileCommand,
  CreateAccountAliasCommand,
  CreateInstanceProfileCommand,
  CreateLoginProfileCommand,
  CreateRoleCommand,
  GenerateCredentialReportCommand,
  IAMClient,
  UpdateAccountPasswordPolicyCommand,
  UploadServerCertificateCommand,
  UploadSigningCertificateCommand,
} from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { askServer, connectToServer } from '../../bin/control-client.ts';
import { createAccount } from '../harness/accounts.ts';
import { issueCertificate } from '../harness/certificates.ts';
import { newUser, trusting } from '../harness/iam-calls.ts';
import { startTestPlatform } from '../harness/platform.ts';

it('an account that is deleted leaves nothing in IAM’s records', async () => {
  await using platform = await startTestPlatform();
  const account = await createAccount(platform);
  const iam = new IAMClient(platform.clientConfig(account));
  const user = await newUser(platform, iam, 'ann');
  const sts = new STSClient(user);
  await sts.send(new GetCallerIdentityCommand({}));
  sts.destroy();
  const AssumeRolePolicyDocument = trusting({ Service: 'ec2.amazonaws.com' });
  await iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument }));
  const Tags = [{ Key: 'team', Value: 'films' }];
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'encoder', Tags }));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'encoder', RoleName: 'worker' }));
  await iam.send(new CreateLoginProfileCommand({ UserName: 'ann', Password: 'Correct-horse-1' }));
  await iam.send(new UpdateAccountPasswordPolicyCommand({}));
  await iam.send(new CreateAccountAliasCommand({ AccountAlias: 'films' }));
  const { certificate: CertificateBody, key: PrivateKey } = issueCertificate('films.example');
  await iam.send(new UploadSigningCertificateCommand({ UserName: 'ann', CertificateBody }));
  const files = { CertificateBody, PrivateKey };
  await iam.send(new UploadServerCertificateCommand({ ServerCertificateName: 'films', ...files }));
  await iam.send(new GenerateCredentialReportCommand({}));
  iam.destroy();

  const connection = await connectToServer(platform.dataFolder);
  assert.ok(connection);
  for await (const reply of askServer(connection, { command: 'account-delete', accountId: account.accountId })) {
    assert.notEqual(reply.type, 'error', JSON.stringify(reply));
  }
  connection.destroy();

  const database = new DatabaseSync(join(platform.dataFolder, 'records.db'), { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'iam_%'").all();
  assert.ok(tables.length > 15);
  for (const { name } of tables) {
    const rows = database.prepare(`SELECT * FROM "${String(name)}"`).all();
    const left = rows.filter((row) => Object.values(row).includes(account.accountId));
    assert.deepEqual(left, [], String(name));
  }
  database.close();
});
