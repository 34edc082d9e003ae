import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateSAMLProviderCommand,
  DeleteSAMLProviderCommand,
  GetSAMLProviderCommand,
  IAMClient,
  ListRolesCommand,
  ListSAMLProvidersCommand,
  ListSAMLProviderTagsCommand,
  ListUsersCommand,
  TagSAMLProviderCommand,
  UntagSAMLProviderCommand,
  UpdateSAMLProviderCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleWithSAMLCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { issueCertificate } from '../harness/certificates.ts';
import { failsWith, keysOf, makeRole, policyOf } from '../harness/iam-people.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { inBase64, type ResponseFacts, SamlProvider, type Signing } from '../harness/saml-provider.ts';

const invalid = (message?: RegExp | string) => failsWith('InvalidIdentityTokenException', message);
const badSignature = invalid(/^Response signature invalid/);

describe('roles by SAML', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let nobody: STSClient;
  const idp = new SamlProvider();
  let PrincipalArn: string;
  let RoleArn: string;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    const { credentials: _unused, ...config } = platform.clientConfig();
    nobody = new STSClient(config);
    const made = await iam.send(new CreateSAMLProviderCommand({ Name: 'Corp', SAMLMetadataDocument: idp.metadata() }));
    PrincipalArn = made.SAMLProviderArn ?? '';
    const trust = {
      Effect: 'Allow',
      Principal: { Federated: PrincipalArn },
      Action: ['sts:AssumeRoleWithSAML', 'sts:TagSession', 'sts:SetSourceIdentity'],
      Condition: {
        StringEquals: {
          'SAML:aud': 'https://signin.aws.amazon.com/saml',
          'saml:iss': idp.entityId,
          'saml:sub_type': 'persistent',
          'saml:doc': `${platform.accountId}/Corp`,
        },
        StringLike: { 'saml:sub': 'person-*' },
      },
    };
    const onlyFilms = { StringEquals: { 'aws:PrincipalTag/team': 'films', 'aws:SourceIdentity': 'person' } };
    RoleArn = await makeRole(
      iam,
      'Editor',
      trust,
      policyOf(
        { Effect: 'Allow', Action: 'iam:ListUsers', Resource: '*' },
        { Effect: 'Allow', Action: 'iam:ListRoles', Resource: '*', Condition: onlyFilms },
      ),
    );
  });
  after(async () => {
    iam.destroy();
    nobody.destroy();
    await platform.stop();
  });

  const facts = (changes: ResponseFacts = {}): ResponseFacts => ({
    ...changes,
    attributes: { Role: `${RoleArn},${PrincipalArn}`, ...changes.attributes },
  });
  const send = (xml: string, more: object = {}) =>
    nobody.send(new AssumeRoleWithSAMLCommand({ RoleArn, PrincipalArn, SAMLAssertion: inBase64(xml), ...more }));
  const assume = (changes: ResponseFacts = {}, signing: Signing = {}, more: object = {}) =>
    send(idp.signed(facts(changes), signing), more);

  it('need a provider, which is told of, changed, tagged and deleted', async () => {
    const SAMLMetadataDocument = idp.metadata();
    const { SAMLProviderArn } = await iam.send(
      new CreateSAMLProviderCommand({ Name: 'Other', SAMLMetadataDocument, Tags: [{ Key: 'a', Value: 'b' }] }),
    );
    assert.equal(SAMLProviderArn, `arn:aws:iam::${platform.accountId}:saml-provider/Other`);
    const got = await iam.send(new GetSAMLProviderCommand({ SAMLProviderArn }));
    assert.equal(got.SAMLMetadataDocument, SAMLMetadataDocument);
    assert.ok((got.ValidUntil?.getTime() ?? 0) > Date.now());
    await iam.send(new TagSAMLProviderCommand({ SAMLProviderArn, Tags: [{ Key: 'c', Value: 'd' }] }));
    await iam.send(new UntagSAMLProviderCommand({ SAMLProviderArn, TagKeys: ['a'] }));
    const { Tags } = await iam.send(new ListSAMLProviderTagsCommand({ SAMLProviderArn }));
    assert.deepEqual(Tags, [{ Key: 'c', Value: 'd' }]);
    const { SAMLProviderList = [] } = await iam.send(new ListSAMLProvidersCommand({}));
    assert.equal(SAMLProviderList.length, 2);
    await assert.rejects(
      iam.send(new CreateSAMLProviderCommand({ Name: 'Other', SAMLMetadataDocument })),
      failsWith('EntityAlreadyExistsException'),
    );
    const noRsa = idp.metadata(issueCertificate('ec')).padEnd(1000);
    for (const document of ['x'.repeat(1000), noRsa, `<!DOCTYPE a [<!ENTITY b "c">]>${SAMLMetadataDocument}`]) {
      await assert.rejects(
        iam.send(new UpdateSAMLProviderCommand({ SAMLProviderArn, SAMLMetadataDocument: document })),
        failsWith('InvalidInputException', /^Could not parse metadata/),
      );
    }
    await assert.rejects(
      iam.send(new UpdateSAMLProviderCommand({ SAMLProviderArn, AssertionEncryptionMode: 'Allowed' })),
      failsWith('InvalidInputException', /AssertionEncryptionMode/),
    );
    await iam.send(new DeleteSAMLProviderCommand({ SAMLProviderArn }));
    await assert.rejects(iam.send(new GetSAMLProviderCommand({ SAMLProviderArn })), failsWith('NoSuchEntityException'));
  });

  for (const what of ['Assertion', 'Response', 'both'] as const) {
    it(`are given where the provider has signed: ${what}`, async () => {
      const answer = await assume({}, { what });
      assert.deepEqual(
        [answer.Subject, answer.SubjectType, answer.Issuer, answer.Audience],
        ['person-1', 'persistent', idp.entityId, 'https://signin.aws.amazon.com/saml'],
      );
      const session = platform.clientConfig(keysOf(answer.Credentials));
      await new IAMClient(session).send(new ListUsersCommand({}));
      const { Arn } = await new STSClient(session).send(new GetCallerIdentityCommand({}));
      assert.equal(Arn, `arn:aws:sts::${platform.accountId}:assumed-role/Editor/person@example.com`);
      await assert.rejects(new IAMClient(session).send(new ListRolesCommand({})), failsWith('AccessDenied'));
    });
  }

  it('carry tags, source identity and a duration', async () => {
    const attributes = {
      'PrincipalTag:team': 'films',
      SourceIdentity: 'person',
      SessionDuration: '1800',
      TransitiveTagKeys: 'team',
    };
    const { Credentials, SourceIdentity } = await assume({ attributes });
    assert.equal(SourceIdentity, 'person');
    const length = (Credentials?.Expiration?.getTime() ?? 0) - Date.now();
    assert.ok(length > 1_790_000 && length <= 1_800_000, String(length));
    await new IAMClient(platform.clientConfig(keysOf(Credentials))).send(new ListRolesCommand({}));
    const short = await assume({ sessionEndsAt: 1000 }, {}, { DurationSeconds: 3600 });
    assert.ok((short.Credentials?.Expiration?.getTime() ?? 0) - Date.now() <= 1_000_000);
    await assert.rejects(assume({ attributes: { SessionDuration: '60' } }), invalid(/SessionDuration/));
    await assert.rejects(assume({}, {}, { DurationSeconds: 7200 }), failsWith('ValidationError', /MaxSessionDuration/));
  });

  it('are refused where the response does not offer them, or the trust policy means others', async () => {
    const denied = failsWith('AccessDenied', /^Not authorized to perform sts:AssumeRoleWithSAML/);
    await assert.rejects(assume({ attributes: { Role: `${RoleArn}2,${PrincipalArn}` } }), denied);
    await assert.rejects(assume({ subject: 'machine-1' }), denied);
    const absent = RoleArn.replace('Editor', 'Absent');
    await assert.rejects(
      assume({ attributes: { Role: `${PrincipalArn},${absent}` } }, {}, { RoleArn: absent }),
      denied,
    );
    await assert.rejects(
      assume({}, {}, { PrincipalArn: `${PrincipalArn}2` }),
      invalid("Specified provider doesn't exist"),
    );
  });

  it('are refused for responses out of their time, or for others', async () => {
    const cases: [ResponseFacts, (error: unknown) => boolean][] = [
      [{ issuedAt: -301 }, failsWith('ExpiredTokenException', 'Token must be redeemed within 5 minutes of issuance')],
      [{ endsAt: -1 }, failsWith('ExpiredTokenException')],
      [{ confirmedUntil: -1 }, failsWith('ExpiredTokenException')],
      [{ sessionEndsAt: -1 }, failsWith('ExpiredTokenException')],
      [{ notBefore: 600 }, invalid(/not valid yet/)],
      [{ issuedAt: 600 }, invalid(/not valid yet/)],
      [{ audience: 'urn:others' }, invalid('Response does not contain the required audience.')],
      [{ recipient: 'https://others.example.com/saml' }, invalid(/confirmation by bearer/)],
      [{ issuer: 'https://others.example.com' }, invalid('Issuer not present in specified provider')],
      [{ status: 'Responder' }, failsWith('IDPRejectedClaimException')],
      [{ attributes: { RoleSessionName: 'a b' } }, invalid(/RoleSessionName in AuthnResponse must match/)],
      [{ attributes: { RoleSessionName: [] } }, invalid('RoleSessionName is required in AuthnResponse')],
      [{ attributes: { SourceIdentity: 'a b' } }, invalid(/^Source Identity must match/)],
      [{ attributes: { 'PrincipalTag:team': ['a', 'b'] } }, invalid(/PrincipalTag:team/)],
    ];
    for (const [changes, expected] of cases) await assert.rejects(assume(changes), expected, JSON.stringify(changes));
  });

  it('are refused for responses that somebody else has made or signed', async () => {
    const stranger = new SamlProvider();
    await assert.rejects(assume({}, { what: 'nothing' }), badSignature);
    await assert.rejects(send(stranger.signed(facts())), badSignature);
    await assert.rejects(send(idp.signed(facts()).replaceAll('person-1', 'person-2')), badSignature);
    for (const weak of [
      { signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' },
      { digestAlgorithm: 'http://www.w3.org/2000/09/xmldsig#sha1' },
    ]) {
      await assert.rejects(assume({}, weak), badSignature, JSON.stringify(weak));
    }
    // The key of the signature itself counts for nothing, nor does a secret made of the public key.
    const hmac = idp.signed(facts()).replace('xmldsig-more#rsa-sha256', 'xmldsig-more#hmac-sha256');
    await assert.rejects(send(hmac), badSignature);
  });

  it('are refused for signed parts that were wrapped, moved or doubled', async () => {
    const right = idp.signed(facts());
    const [signed = ''] = /<saml:Assertion[^]*<\/saml:Assertion>/.exec(right) ?? [];
    const evil = signed.replaceAll('person-1', 'person-evil');
    const unsignedEvil = evil.replace(/<Signature[^]*<\/Signature>/, '');
    const other = unsignedEvil.replace('ID="_assertion"', 'ID="_evil"');
    const [signature = ''] = /<Signature[^]*<\/Signature>/.exec(signed) ?? [];
    const wrap = (content: string) => right.replace(signed, content);
    const hostile: Readonly<Record<string, string>> = {
      'two assertions, the wrong one first': wrap(other + signed),
      'two assertions, the wrong one last': wrap(signed + other),
      'the same id twice': wrap(unsignedEvil + signed),
      'the signed one inside the signature of the wrong one': wrap(
        other.replace(
          '<saml:Subject>',
          `${signature.replace('</Signature>', `<Object>${signed}</Object></Signature>`)}<saml:Subject>`,
        ),
      ),
      'the signed one in an extension': wrap(`<samlp:Extensions>${signed}</samlp:Extensions>${other}`),
      'the signature of one on another': wrap(other.replace('<saml:Subject>', `${signature}<saml:Subject>`)),
      'the signature beside': wrap(unsignedEvil + signature),
      'the assertion in a response of its own': right
        .replace('<samlp:Status>', `<samlp:Response>${other}</samlp:Response><samlp:Status>`)
        .replaceAll('person-1', 'person-evil'),
      'a comment within the subject': right.replace('person-1', 'person-<!-- x -->1'),
      'a declaration': `<!DOCTYPE a [<!ENTITY e "person-evil">]>${right}`,
      CDATA: right.replace('person-1', '<![CDATA[person-1]]>'),
      'an empty reference': right.replace('URI="#_assertion"', 'URI=""'),
      'many references': right.replace(/<Reference [^]*<\/Reference>/, (reference) => reference.repeat(50)),
      'another transform': right.replace('xmldsig#enveloped-signature', 'xmldsig#base64'),
      'an encrypted assertion': right.replace(signed, '<saml:EncryptedAssertion/>'),
      'a truncated response': right.slice(0, -100),
      'more elements than anybody needs': right.replace('<saml:Subject>', `${'<a/>'.repeat(10_000)}<saml:Subject>`),
      'deep nesting': `${'<a>'.repeat(2000)}${'</a>'.repeat(2000)}`,
      'no XML': 'person-1',
    };
    for (const [what, xml] of Object.entries(hostile)) {
      assert.notEqual(xml, right, what);
      await assert.rejects(send(xml), invalid(), what);
    }
    for (const SAMLAssertion of ['%%%%', 'AAAA', inBase64(right).slice(0, 500)]) {
      await assert.rejects(send(right, { SAMLAssertion }), invalid());
    }
    await assert.rejects(send(right, { SAMLAssertion: 'A'.repeat(100_001) }), failsWith('ValidationError'));
    await send(right);
  });
});
