import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { readResponse } from '#media/cpix/read-document.ts';
import { writeRequest } from '#media/cpix/write-document.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { filesUnder } from '../harness/files-under.ts';
import { callKeyProvider, type ProviderAnswer } from '../harness/key-provider.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import type { SigningCredentials } from '../harness/sigv4-signer.ts';
import { readFile } from 'node:fs/promises';

const KID = '98ee5596-cd3e-a20d-163a-e382420c6eff';
const SECOND = '53abdba2-f210-43cb-bc90-f18f9a890a02';

interface Token {
  readonly token: string;
  readonly licenceUrl: string;
  readonly expiresAt: string;
}

interface Licence {
  readonly keys: readonly { readonly kty: string; readonly k: string; readonly kid: string }[];
  readonly type: string;
}

const base64url = (kid: string) => Buffer.from(kid.replaceAll('-', ''), 'hex').toString('base64url');

type Provider = Pick<TestPlatform, 'endpoint' | 'clientConfig'>;

/** Asks for the keys of a content as an encryptor does: by their ids. */
async function makeContent(
  platform: Provider,
  contentId: string,
  ...kids: readonly string[]
): Promise<Map<string, Buffer>> {
  const body = writeRequest({
    version: '1.0',
    contentId,
    keys: kids.map((kid) => ({ kid })),
    systems: [],
    rules: [],
    certificates: [],
  });
  const answer = await callKeyProvider(platform, { method: 'POST', path: 'copyProtection', body });
  assert.equal(answer.status, 200, answer.text);
  return new Map(readResponse(answer.body, '1.0').keys.map(({ kid, value }) => [kid, value]));
}

async function tokenFor(platform: Provider, contentId: string, wish: object = {}, more: object = {}): Promise<Token> {
  const body = JSON.stringify(wish);
  const answer = await callKeyProvider(platform, {
    method: 'POST',
    path: `licence-tokens/${contentId}`,
    body,
    ...more,
  });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as Token;
}

function play(
  platform: Provider,
  contentId: string,
  token: string | undefined,
  body: unknown,
): Promise<ProviderAnswer> {
  return callKeyProvider(platform, {
    method: 'POST',
    path: `play/${contentId}/licence`,
    ...(token !== undefined && { query: [['token', token]] }),
    body: typeof body === 'string' ? body : JSON.stringify(body),
    credentials: undefined,
  });
}

const said = ({ status, text }: ProviderAnswer) => [status, (JSON.parse(text) as { message?: string }).message];

describe('ClearKey licences', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let keys: Map<string, Buffer>;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    keys = await makeContent(platform, 'film-1', KID, SECOND);
    await makeContent(platform, 'film-2', randomUUID());
  });
  after(async () => {
    iam?.destroy();
    await platform?.stop();
  });

  it('are given for a token, in the form that browsers want, to pages of any origin', async () => {
    const { token, licenceUrl, expiresAt } = await tokenFor(platform, 'film-1', { expires: 60 });
    const left = Date.parse(expiresAt) - Date.now();
    assert.ok(left > 50_000 && left <= 60_000, String(left));
    const asked = { method: 'POST', headers: { 'content-type': 'application/json', origin: 'https://a.example' } };
    const answer = await fetch(licenceUrl, {
      ...asked,
      body: JSON.stringify({ kids: [base64url(KID)], type: 'temporary' }),
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const licence = (await answer.json()) as Licence;
    const k = keys.get(KID)?.toString('base64url');
    assert.deepEqual(licence, { keys: [{ kty: 'oct', k, kid: base64url(KID) }], type: 'temporary' });
    const preflight = await fetch(licenceUrl, { method: 'OPTIONS' });
    assert.equal(preflight.status, 200);
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
    const bytes = await callKeyProvider(platform, {
      method: 'GET',
      path: `play/film-1/keys/${SECOND}`,
      query: [['token', token]],
      credentials: undefined,
    });
    assert.deepEqual([bytes.status, bytes.headers['content-type']], [200, 'application/octet-stream']);
    assert.ok(bytes.body.equals(keys.get(SECOND) ?? Buffer.alloc(0)));
  });

  it('are given to those who sign, too', async () => {
    const body = JSON.stringify({ kids: [KID, SECOND] });
    const answer = await callKeyProvider(platform, { method: 'POST', path: 'licences/film-1', body });
    assert.equal((JSON.parse(answer.text) as Licence).keys.length, 2);
    const bytes = await callKeyProvider(platform, { method: 'GET', path: `keys/film-1/${KID}` });
    assert.ok(bytes.body.equals(keys.get(KID) ?? Buffer.alloc(0)));
  });

  it('are refused for tokens that are none, or of something else, so that a page can read why', async () => {
    const { token } = await tokenFor(platform, 'film-1');
    const { token: other } = await tokenFor(platform, 'film-2');
    const wish = { kids: [KID] };
    const changed = `${token.slice(0, -6)}${token.at(-6) === 'A' ? 'B' : 'A'}${token.slice(-5)}`;
    const refusals: readonly (readonly [string | undefined, string])[] = [
      [undefined, 'The licence token is invalid.'],
      ['', 'The licence token is invalid.'],
      ['x'.repeat(200), 'The licence token is invalid.'],
      ['<script>', 'The licence token is invalid.'],
      [`${token}A`, 'The licence token is invalid.'],
      [changed, 'The licence token is invalid.'],
      [other, 'The licence token is for another content.'],
    ];
    for (const [given, message] of refusals) {
      const answer = await play(platform, 'film-1', given, wish);
      assert.deepEqual(said(answer), [403, message]);
      assert.equal(answer.headers['access-control-allow-origin'], '*');
    }
    const foreign = randomUUID();
    assert.deepEqual(said(await play(platform, 'film-1', token, { kids: [foreign] })), [
      404,
      `The content film-1 has no key ${foreign}.`,
    ]);
    const { token: narrow } = await tokenFor(platform, 'film-1', { kids: [KID] });
    assert.equal((await play(platform, 'film-1', narrow, wish)).status, 200);
    assert.deepEqual(said(await play(platform, 'film-1', narrow, { kids: [KID, SECOND] })), [
      403,
      'The licence token is for other keys of the content.',
    ]);
  });

  it('are refused for requests of another form', async () => {
    const { token } = await tokenFor(platform, 'film-1');
    const bodies = [
      '',
      '[]',
      'null',
      '{',
      '{"kids":[]}',
      '{"kids":"a"}',
      '{"kids":[5]}',
      '{"kids":["short"]}',
      '\ud800',
    ];
    for (const body of bodies) {
      assert.equal((await play(platform, 'film-1', token, body)).status, 400, body);
    }
    const persistent = await play(platform, 'film-1', token, { kids: [KID], type: 'persistent-license' });
    assert.deepEqual(said(persistent), [400, 'Only temporary licences are given.']);
    const many = await play(platform, 'film-1', token, { kids: Array.from({ length: 10_000 }, () => base64url(KID)) });
    assert.equal(many.status, 413);
    for (const wish of [
      { expires: 0 },
      { expires: 43_201 },
      { expires: '60' },
      { kids: [] },
      { kids: ['x'] },
      { a: 1 },
    ]) {
      const answer = await callKeyProvider(platform, {
        method: 'POST',
        path: 'licence-tokens/film-1',
        body: JSON.stringify(wish),
      });
      assert.equal(answer.status, 400, JSON.stringify(wish));
    }
    const unknown = await callKeyProvider(platform, { method: 'POST', path: 'licence-tokens/film-9' });
    assert.deepEqual(said(unknown), [404, 'There are no keys of the content film-9.']);
  });

  it('end when whoever has asked for the token may not ask any more', async () => {
    const UserName = 'back-end';
    await iam.send(new CreateUserCommand({ UserName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const credentials: SigningCredentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    };
    const allow = (...routes: readonly string[]) => {
      const Resource = routes.map((route) => `arn:aws:execute-api:*:*:coffer/speke/${route}`);
      const Statement = [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource }];
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
      return iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument }));
    };
    await allow('POST/licence-tokens/film-1', 'POST/licences/film-1');
    const other = await callKeyProvider(platform, { method: 'POST', path: 'licence-tokens/film-2', credentials });
    assert.equal(other.status, 403);
    const { token } = await tokenFor(platform, 'film-1', {}, { credentials });
    assert.equal((await play(platform, 'film-1', token, { kids: [KID] })).status, 200);
    await allow('POST/licence-tokens/film-1');
    const refused = await play(platform, 'film-1', token, { kids: [KID] });
    assert.equal(refused.status, 403);
    assert.match(refused.text, /user\/back-end is not authorized to perform: execute-api:Invoke/);
    assert.equal(refused.headers['access-control-allow-origin'], '*');
    await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: 'p' }));
  });

  it('leave no key and no token behind, and tell the audit log who has played what', async () => {
    const { token } = await tokenFor(platform, 'film-1');
    const licence = await play(platform, 'film-1', token, { kids: [KID] });
    const { k = '' } = (JSON.parse(licence.text) as Licence).keys[0] ?? {};
    const trail = new CloudTrailClient(platform.clientConfig());
    const { Events = [] } = await trail.send(
      new LookupEventsCommand({
        LookupAttributes: [{ AttributeKey: 'EventSource', AttributeValue: 'execute-api.amazonaws.com' }],
      }),
    );
    trail.destroy();
    const names = new Set(Events.map(({ EventName }) => EventName));
    for (const name of ['RequestContentKeys', 'CreateLicenceToken', 'GetLicence']) assert.ok(names.has(name), name);
    const key = keys.get(KID) ?? Buffer.alloc(16);
    const needles = [
      Buffer.from(token),
      Buffer.from(k),
      key,
      Buffer.from(key.toString('hex')),
      Buffer.from(key.toString('base64')),
    ];
    const found = (bytes: Buffer) => needles.filter((needle) => bytes.includes(needle)).length;
    assert.equal(found(Buffer.concat([Buffer.from(token), key])), 2, 'the search finds what is there');
    assert.equal(found(Buffer.from(JSON.stringify(Events))), 0);
    for (const file of await filesUnder(platform.dataFolder)) assert.equal(found(await readFile(file)), 0, file);
  });
});

describe('a licence token', () => {
  it('is over when its time is', async () => {
    const server = await ClockedServer.start();
    try {
      const platform = { endpoint: server.endpoint, clientConfig: () => server.clientConfig() };
      await makeContent(platform, 'film-1', KID);
      const { token } = await tokenFor(platform, 'film-1', { expires: 100 });
      server.pass(99);
      assert.equal((await play(platform, 'film-1', token, { kids: [KID] })).status, 200);
      server.pass(2);
      assert.deepEqual(said(await play(platform, 'film-1', token, { kids: [KID] })), [
        403,
        'The licence token is expired.',
      ]);
    } finally {
      await server.stop();
    }
  });
});
