import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CreateOpenIDConnectProviderCommand, IAMClient } from '@aws-sdk/client-iam';
import { makeRole } from '../harness/iam-people.ts';
import { IdentityProvider } from '../harness/identity-provider.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { inBase64, SamlProvider } from '../harness/saml-provider.ts';

const script = fileURLToPath(new URL('../fixtures/sign_in_boto3.py', import.meta.url));
const hasBoto3 = spawnSync('python3', ['-c', 'import boto3']).status === 0;
const hasCli = spawnSync('aws', ['--version']).status === 0;

describe('signing in with other people’s tools', () => {
  let platform: TestPlatform;
  let idp: IdentityProvider;
  let folder: string;

  before(async () => {
    idp = await IdentityProvider.start();
    platform = await startTestPlatform({ COFFER_OIDC_ISSUERS: idp.origin });
    folder = await mkdtemp(join(tmpdir(), 'coffer-sign-in-'));
  });
  after(async () => {
    await platform.stop();
    await idp.stop();
    await rm(folder, { recursive: true });
  });

  const environment = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: folder,
    AWS_ENDPOINT_URL: platform.endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
  });
  const withKeys = (): NodeJS.ProcessEnv => {
    const { accessKeyId, secretAccessKey } = platform.clientConfig().credentials;
    return { ...environment(), AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  };

  it('boto3: MFA, federated users, OpenID Connect and SAML', { skip: hasBoto3 ? false : 'no boto3' }, async () => {
    const saml = new SamlProvider();
    const account = platform.accountId;
    const Role = `arn:aws:iam::${account}:role/Saml,arn:aws:iam::${account}:saml-provider/Corp`;
    const given = JSON.stringify({
      issuer: idp.issuer,
      token: await idp.token(),
      metadata: saml.metadata(),
      assertion: inBase64(saml.signed({ attributes: { Role } })),
    });
    const { output, status } = await run('python3', [script], withKeys(), given);
    assert.equal(status, 0, output);
    assert.match(output, /^OK$/m);
  });

  it('AWS CLI: a role by a token in a file, and an MFA device', { skip: hasCli ? false : 'no AWS CLI' }, async () => {
    const iam = new IAMClient(platform.clientConfig());
    const Url = idp.issuer;
    const made = await iam
      .send(new CreateOpenIDConnectProviderCommand({ Url, ClientIDList: ['films'] }))
      .catch(() => undefined);
    const Federated = made?.OpenIDConnectProviderArn ?? `arn:aws:iam::${platform.accountId}:oidc-provider/${idp.name}`;
    const trust = { Effect: 'Allow', Principal: { Federated }, Action: 'sts:AssumeRoleWithWebIdentity' };
    const role = await makeRole(iam, 'ByToken', trust);
    iam.destroy();
    const file = join(folder, 'token');
    await writeFile(file, await idp.token());
    const who = await run('aws', ['sts', 'get-caller-identity', '--output', 'json'], {
      ...environment(),
      AWS_ROLE_ARN: role,
      AWS_ROLE_SESSION_NAME: 'from-file',
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
    });
    assert.equal(who.status, 0, who.output);
    assert.match(who.output, /assumed-role\/ByToken\/from-file/);
    const code = join(folder, 'code.png');
    const create = ['iam', 'create-virtual-mfa-device', '--virtual-mfa-device-name', 'cli', '--outfile', code];
    const device = await run('aws', [...create, '--bootstrap-method', 'QRCodePNG'], withKeys());
    assert.equal(device.status, 0, device.output);
    assert.match(device.output, /mfa\/cli/);
  });
});

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, input = '') {
  return new Promise<{ readonly output: string; readonly status: number | null }>((resolve) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    const take = (data: Buffer): void => {
      output += data.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('close', (status) => resolve({ output, status }));
    child.stdin.end(input);
  });
}
