import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  DeleteOpenIDConnectProviderCommand,
  GetOpenIDConnectProviderCommand,
  IAMClient,
  ListOpenIDConnectProvidersCommand,
  ListOpenIDConnectProviderTagsCommand,
  ListUsersCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  TagOpenIDConnectProviderCommand,
  UntagOpenIDConnectProviderCommand,
  UpdateOpenIDConnectProviderThumbprintCommand,
} from '@aws-sdk/client-iam';
import { LookupEventsCommand, CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { allowing, failsWith, keysOf, makeRole, policyOf } from '../harness/iam-people.ts';
import { type Answer, IdentityProvider } from '../harness/identity-provider.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const THUMBPRINT = 'a'.repeat(40);
const invalid = (message?: RegExp | string) => failsWith('InvalidIdentityTokenException', message);
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('roles by web identity', () => {
  let platform: TestPlatform;
  let idp: IdentityProvider;
  let iam: IAMClient;
  let nobody: STSClient;
  let provider: string;
  let RoleArn: string;

  before(async () => {
    idp = await IdentityProvider.start(['RS256', 'PS256', 'ES256']);
    platform = await startTestPlatform({ COFFER_OIDC_ISSUERS: idp.origin });
    iam = new IAMClient(platform.clientConfig());
    const { credentials: _unused, ...config } = platform.clientConfig();
    // No credentials at all: the SDK does not sign this operation.
    nobody = new STSClient(config);
    const made = await iam.send(
      new CreateOpenIDConnectProviderCommand({
        Url: idp.issuer,
        ClientIDList: ['films'],
        ThumbprintList: [THUMBPRINT],
      }),
    );
    provider = made.OpenIDConnectProviderArn ?? '';
    RoleArn = await makeRole(
      iam,
      'Viewer',
      trust({ [`${idp.name}:sub`]: 'person-1', [`${idp.name}:aud`]: 'films' }),
      allowing('iam:ListUsers', 'sts:AssumeRole'),
    );
  });
  after(async () => {
    iam.destroy();
    nobody.destroy();
    await platform.stop();
    await idp.stop();
  });

  const trust = (condition: object, actions: string | string[] = 'sts:AssumeRoleWithWebIdentity') => ({
    Effect: 'Allow',
    Principal: { Federated: provider },
    Action: actions,
    Condition: { StringEquals: condition },
  });

  const assume = (WebIdentityToken: string, facts: object = {}) =>
    nobody.send(
      new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'session', WebIdentityToken, ...facts }),
    );

  it('need a provider, which is told of, changed, tagged and deleted', async () => {
    assert.equal(provider, `arn:aws:iam::${platform.accountId}:oidc-provider/${idp.name}`);
    const got = await iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: provider }));
    assert.deepEqual([got.Url, got.ClientIDList, got.ThumbprintList], [idp.name, ['films'], [THUMBPRINT]]);
    const Url = 'https://idp.example.com/tenant';
    const { OpenIDConnectProviderArn } = await iam.send(
      new CreateOpenIDConnectProviderCommand({ Url, Tags: [{ Key: 'a', Value: 'b' }] }),
    );
    const named = { OpenIDConnectProviderArn };
    await assert.rejects(
      iam.send(new CreateOpenIDConnectProviderCommand({ Url })),
      failsWith('EntityAlreadyExistsException', `Provider with url ${Url} already exists.`),
    );
    await iam.send(new AddClientIDToOpenIDConnectProviderCommand({ ...named, ClientID: 'one' }));
    await iam.send(new AddClientIDToOpenIDConnectProviderCommand({ ...named, ClientID: 'two' }));
    await iam.send(new RemoveClientIDFromOpenIDConnectProviderCommand({ ...named, ClientID: 'one' }));
    await iam.send(new UpdateOpenIDConnectProviderThumbprintCommand({ ...named, ThumbprintList: ['B'.repeat(40)] }));
    const changed = await iam.send(new GetOpenIDConnectProviderCommand(named));
    assert.deepEqual([changed.ClientIDList, changed.ThumbprintList], [['two'], ['b'.repeat(40)]]);
    await iam.send(new TagOpenIDConnectProviderCommand({ ...named, Tags: [{ Key: 'c', Value: 'd' }] }));
    await iam.send(new UntagOpenIDConnectProviderCommand({ ...named, TagKeys: ['a'] }));
    const { Tags } = await iam.send(new ListOpenIDConnectProviderTagsCommand(named));
    assert.deepEqual(Tags, [{ Key: 'c', Value: 'd' }]);
    const { OpenIDConnectProviderList = [] } = await iam.send(new ListOpenIDConnectProvidersCommand({}));
    assert.equal(OpenIDConnectProviderList.length, 2);
    await iam.send(new DeleteOpenIDConnectProviderCommand(named));
    await assert.rejects(iam.send(new GetOpenIDConnectProviderCommand(named)), failsWith('NoSuchEntityException'));
    for (const bad of [
      'http://idp.example.com',
      'https://idp.example.com/?a=b',
      'https://u:p@idp.example.com',
      'idp',
    ]) {
      await assert.rejects(
        iam.send(new CreateOpenIDConnectProviderCommand({ Url: bad })),
        failsWith('InvalidInputException'),
        bad,
      );
    }
  });

  for (const kid of ['rs256', 'ps256', 'es256']) {
    it(`are given for a token that is signed with ${kid.toUpperCase()}`, async () => {
      const answer = await assume(await idp.token({}, kid), { DurationSeconds: 900 });
      assert.equal(answer.SubjectFromWebIdentityToken, 'person-1');
      assert.equal(answer.Provider, provider);
      assert.equal(answer.Audience, 'films');
      const session = platform.clientConfig(keysOf(answer.Credentials));
      await new IAMClient(session).send(new ListUsersCommand({}));
      const { Arn } = await new STSClient(session).send(new GetCallerIdentityCommand({}));
      assert.equal(Arn, `arn:aws:sts::${platform.accountId}:assumed-role/Viewer/session`);
    });
  }

  it('are refused to whom the trust policy does not mean', async () => {
    const denied = failsWith('AccessDenied', /^Not authorized to perform sts:AssumeRoleWithWebIdentity/);
    await assert.rejects(assume(await idp.token({ sub: 'person-2' })), denied);
    await assert.rejects(assume(await idp.token(), { RoleArn: RoleArn.replace('Viewer', 'Absent') }), denied);
    const everybody = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRoleWithWebIdentity' };
    await assert.rejects(assume(await idp.token(), { RoleArn: await makeRole(iam, 'ForAll', everybody) }), denied);
  });

  it('carry tags, source identity and the provider’s keys, also through a chain', async () => {
    const arn = await makeRole(
      iam,
      'Tagged',
      trust({ [`${idp.name}:aud`]: 'films' }, [
        'sts:AssumeRoleWithWebIdentity',
        'sts:TagSession',
        'sts:SetSourceIdentity',
      ]),
      policyOf(
        { Effect: 'Allow', Action: 'sts:*', Resource: '*' },
        {
          Effect: 'Allow',
          Action: 'iam:ListUsers',
          Resource: '*',
          Condition: {
            StringEquals: {
              'aws:PrincipalTag/team': 'films',
              'aws:SourceIdentity': 'person-1',
              'aws:FederatedProvider': provider,
              [`${idp.name}:sub`]: 'person-1',
            },
          },
        },
      ),
    );
    const claims = {
      'https://aws.amazon.com/tags': { principal_tags: { team: ['films'] }, transitive_tag_keys: ['team'] },
      'https://aws.amazon.com/source_identity': 'person-1',
    };
    const { Credentials, SourceIdentity } = await assume(await idp.token(claims), { RoleArn: arn });
    assert.equal(SourceIdentity, 'person-1');
    const session = platform.clientConfig(keysOf(Credentials));
    await new IAMClient(session).send(new ListUsersCommand({}));
    await assert.rejects(assume(await idp.token(claims)), failsWith('AccessDenied'));
    const next = await makeRole(iam, 'Next', {
      Effect: 'Allow',
      Principal: { AWS: platform.accountId },
      Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
    });
    const chained = await new STSClient(session).send(
      new AssumeRoleCommand({ RoleArn: next, RoleSessionName: 'next' }),
    );
    assert.equal(chained.SourceIdentity, 'person-1');
    const broken = { 'https://aws.amazon.com/tags': { principal_tags: { team: ['a', 'b'] } } };
    await assert.rejects(assume(await idp.token(broken), { RoleArn: arn }), invalid(/is not valid/));
  });

  it('are limited by session policies and the role’s duration', async () => {
    const { Credentials } = await assume(await idp.token(), { Policy: allowing('iam:GetUser') });
    await assert.rejects(
      new IAMClient(platform.clientConfig(keysOf(Credentials))).send(new ListUsersCommand({})),
      failsWith('AccessDenied', /no session policy/),
    );
    await assert.rejects(
      assume(await idp.token(), { DurationSeconds: 3601 }),
      failsWith('ValidationError', /MaxSession/),
    );
    await assert.rejects(assume(await idp.token(), { ProviderId: 'graph.facebook.com' }), failsWith('ValidationError'));
  });

  it('are refused for tokens out of their time, or of others', async () => {
    const now = Math.floor(Date.now() / 1000);
    await assert.rejects(
      assume(await idp.token({ exp: now - 10 })),
      failsWith(
        'ExpiredTokenException',
        /^Token expired: current date\/time \d+ must be before the expiration date\/time/,
      ),
    );
    await assert.rejects(assume(await idp.token({ nbf: now + 900 })), invalid(/not valid yet/));
    await assert.rejects(assume(await idp.token({ iat: now + 900 })), invalid(/not valid yet/));
    for (const claim of ['exp', 'iat', 'sub']) {
      await assert.rejects(
        assume(await idp.token({ [claim]: undefined })),
        invalid(`Missing a required claim: ${claim}`),
      );
    }
    await assert.rejects(assume(await idp.token({ exp: '99999999999' })), invalid());
    await assert.rejects(assume(await idp.token({ aud: 'others' })), invalid('Incorrect token audience'));
    await assert.rejects(assume(await idp.token({ aud: undefined })), invalid('Incorrect token audience'));
    await assert.rejects(assume(await idp.token({ azp: 'others' })), invalid('Incorrect token audience'));
    await assume(await idp.token({ aud: 'api', azp: 'films' }));
    await assume(await idp.token({ aud: ['api', 'films'] }));
    await assert.rejects(
      assume(await idp.token({ iss: 'https://evil.example.com' })),
      invalid('No OpenIDConnect provider found in your account for https://evil.example.com'),
    );
  });

  it('are refused for tokens that somebody has made himself', async () => {
    const right = await idp.token();
    const [header = '', payload = '', signature = ''] = right.split('.');
    const claims = idp.claims();
    // Algorithm confusion: the public key as the secret of an HMAC.
    const jwk = idp.told.get('rs256');
    const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const hmacInput = `${encoded({ alg: 'HS256', kid: 'rs256' })}.${encoded(claims)}`;
    const hmac = createHmac('sha256', pem).update(hmacInput).digest('base64url');
    const stranger = await IdentityProvider.start();
    const foreign = await stranger.token({ iss: idp.issuer });
    const strange = await stranger.token({ iss: idp.issuer }, 'rs256', { jku: `${stranger.issuer}/keys` });
    const embedded = await stranger.token({ iss: idp.issuer }, 'rs256', { jwk: stranger.told.get('rs256') });
    await stranger.stop();
    const hostile = [
      `${encoded({ alg: 'none' })}.${encoded(claims)}.`,
      `${encoded({ alg: 'nOnE', kid: 'rs256' })}.${encoded(claims)}.x`,
      `${hmacInput}.${hmac}`,
      foreign,
      strange,
      embedded,
      `${header}.${encoded({ ...claims, sub: 'root' })}.${signature}`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, -8)}`,
      `${header}.${payload}.${signature}.${signature}`,
      `${encoded({ alg: 'RS256', kid: '../../../etc/passwd' })}.${payload}.${signature}`,
      `${encoded({ alg: 'RS256', kid: "' OR 1=1 --" })}.${payload}.${signature}`,
      `${encoded({ alg: 'RS256', kid: 'rs256', crit: ['b64'], b64: false })}.${payload}.${signature}`,
      `${encoded({ alg: 'ES256', kid: 'rs256' })}.${payload}.${signature}`,
      await idp.token({}, 'rs256', { alg: 'PS256', kid: 'ps256' }).catch(() => 'x.y.z'),
      'x'.repeat(19_000),
      `${header}.${Buffer.from('[1]').toString('base64url')}.${signature}`,
      `${header}.${Buffer.from('{"iss":').toString('base64url')}.${signature}`,
    ];
    for (const token of hostile) await assert.rejects(assume(token), invalid(), token.slice(0, 80));
    await assert.rejects(assume('x'.repeat(20_001)), failsWith('ValidationError'));
    await assume(right);
  });

  it('ask a provider seldom, whatever is brought', async () => {
    const keys = () => idp.asked.get('/realm/keys') ?? 0;
    const before = keys();
    const token = await idp.token();
    await Promise.all(Array.from({ length: 20 }, () => assume(token)));
    const [, payload, signature] = token.split('.');
    for (let index = 0; index < 10; index++) {
      await assert.rejects(
        assume(`${encoded({ alg: 'RS256', kid: `unknown-${index}` })}.${payload}.${signature}`),
        invalid(/Couldn't retrieve verification key/),
      );
    }
    assert.ok(keys() - before <= 1, `${keys() - before} times`);
  });

  it('do not follow a provider to other places', async () => {
    const other = await IdentityProvider.start();
    const clean = await IdentityProvider.start();
    const discovery = '/realm/.well-known/openid-configuration';
    const cases: [string, Answer][] = [
      [
        'a redirect',
        { status: 302, headers: { location: `${idp.issuer}/.well-known/openid-configuration` }, body: '' },
      ],
      ['another issuer', { status: 200, body: JSON.stringify({ issuer: idp.issuer, jwks_uri: `${idp.issuer}/keys` }) }],
      [
        'keys on a private address',
        { status: 200, body: JSON.stringify({ issuer: other.issuer, jwks_uri: 'http://127.0.0.1:1/keys' }) },
      ],
      [
        'keys in a file',
        { status: 200, body: JSON.stringify({ issuer: other.issuer, jwks_uri: 'file:///etc/passwd' }) },
      ],
      ['no JSON', { status: 200, body: '<html>' }],
      ['too much', { status: 200, body: JSON.stringify({ padding: 'x'.repeat(300_000) }) }],
    ];
    for (const [what, answer] of cases) {
      other.answers.set(discovery, answer);
      await using second = await startTestPlatform({ COFFER_OIDC_ISSUERS: `${other.origin},${clean.origin}` });
      const people = new IAMClient(second.clientConfig());
      const { OpenIDConnectProviderArn: Federated = '' } = await people.send(
        new CreateOpenIDConnectProviderCommand({ Url: other.issuer, ClientIDList: ['films'] }),
      );
      const role = await makeRole(people, 'Viewer', {
        Effect: 'Allow',
        Principal: { Federated },
        Action: 'sts:AssumeRoleWithWebIdentity',
      });
      const input = { RoleArn: role, RoleSessionName: 'session', WebIdentityToken: await other.token() };
      await assert.rejects(
        new STSClient(second.clientConfig()).send(new AssumeRoleWithWebIdentityCommand(input)),
        failsWith('IDPCommunicationErrorException', /could not be read/),
        what,
      );
      people.destroy();
    }
    await other.stop();
    await clean.stop();
  });

  it('are told in the audit log with the provider and the subject, without the token', async () => {
    const trail = new CloudTrailClient(platform.clientConfig());
    const LookupAttributes = [{ AttributeKey: 'EventName', AttributeValue: 'AssumeRoleWithWebIdentity' } as const];
    let events: string[] = [];
    for (let wait = 0; wait < 50 && events.length === 0; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }));
      events = Events.map((event) => event.CloudTrailEvent ?? '');
    }
    assert.ok(
      events.some((event) => event.includes(provider) && event.includes('"subject":"person-1"')),
      events[0] ?? 'no events',
    );
    assert.ok(!events.some((event) => event.includes('eyJ')), 'a token');
    trail.destroy();
  });
});
