import { randomBytes } from 'node:crypto';
import { CreateSAMLProviderCommand, IAMClient } from '@aws-sdk/client-iam';
import { AssumeRoleWithSAMLCommand, AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { makeRole } from './iam-people.ts';
import type { ClientConfig } from './platform.ts';
import { inBase64, SamlProvider } from './saml-provider.ts';

/**
 * Signs in with a response of a SAML provider, and fails to with what was changed or made up.
 * @param addText is told each secret
 * @returns the errors, as text
 */
export async function signInByOthers(
  root: ClientConfig,
  addText: (name: string, text: string | undefined) => unknown,
): Promise<string[]> {
  const [iam, sts, saml] = [new IAMClient(root), new STSClient(root), new SamlProvider()];
  const { SAMLProviderArn: PrincipalArn = '' } = await iam.send(
    new CreateSAMLProviderCommand({ Name: 'corp', SAMLMetadataDocument: saml.metadata() }),
  );
  const trust = { Effect: 'Allow', Principal: { Federated: PrincipalArn }, Action: 'sts:AssumeRoleWithSAML' };
  const RoleArn = await makeRole(iam, 'by-saml', trust);
  const response = saml.signed({ attributes: { Role: `${RoleArn},${PrincipalArn}` } });
  const SAMLAssertion = inBase64(response);
  // Its signature, in the document and as it is sent.
  const [value = ''] = /(?<=<SignatureValue>)[^<]{100}/.exec(response) ?? [];
  addText('a SAML response', value);
  addText('a SAML response as it is sent', SAMLAssertion.slice(400, 600));
  const input = { RoleArn, PrincipalArn, SAMLAssertion };
  const { Credentials } = await sts.send(new AssumeRoleWithSAMLCommand(input));
  addText('the secret of a session by SAML', Credentials?.SecretAccessKey);
  const broken = { ...input, SAMLAssertion: inBase64(response.replace('person-1', 'person-2')) };
  const errors = [await failing(sts.send(new AssumeRoleWithSAMLCommand(broken)))];
  const head = Buffer.from('{"alg":"RS256"}').toString('base64url');
  const claims = Buffer.from('{"iss":"https://idp.example.com","sub":"person"}').toString('base64url');
  const WebIdentityToken = `${head}.${claims}.${randomBytes(60).toString('base64url')}`;
  addText('a web identity token', WebIdentityToken.slice(-80));
  const web = { RoleArn, RoleSessionName: 'session', WebIdentityToken };
  errors.push(await failing(sts.send(new AssumeRoleWithWebIdentityCommand(web))));
  for (const client of [iam, sts]) client.destroy();
  return errors;
}

async function failing(request: Promise<unknown>): Promise<string> {
  return await request.then(
    () => {
      throw new Error('It was taken.');
    },
    (error: unknown) => String(error),
  );
}
