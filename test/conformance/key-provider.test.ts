import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  CreateAccessKeyCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  DeleteServiceLinkedRoleCommand,
  GetRoleCommand,
  IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { CpixRequest, CpixResponse, EncryptionScheme } from '#media/cpix/document.ts';
import { readResponse } from '#media/cpix/read-document.ts';
import { CLEAR_KEY, COMMON_PSSH, FAIRPLAY, HLS_AES_128, PLAYREADY, WIDEVINE } from '#media/cpix/system-ids.ts';
import { writeRequest } from '#media/cpix/write-document.ts';
import { createAccount } from '../harness/accounts.ts';
import { callKeyProvider, type ProviderAnswer } from '../harness/key-provider.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import type { SigningCredentials } from '../harness/sigv4-signer.ts';

const KID = '98ee5596-cd3e-a20d-163a-e382420c6eff';
const OTHER_KID = '53abdba2-f210-43cb-bc90-f18f9a890a02';

function v1(contentId: string, ...systemIds: readonly string[]): CpixRequest {
  const wanted = ['contentProtection', 'pssh', 'keyUri', 'keyFormat', 'keyFormatVersions', 'protectionHeader'] as const;
  return {
    version: '1.0',
    contentId,
    keys: [{ kid: KID, explicitIv: Buffer.alloc(16, 7) }],
    systems: systemIds.map((systemId) => ({ kid: KID, systemId, wanted })),
    rules: [],
    certificates: [],
  };
}

function v2(contentId: string, scheme: EncryptionScheme, ...systemIds: readonly string[]): CpixRequest {
  const kids = [KID, OTHER_KID];
  const wanted = ['contentProtection', 'pssh', 'hlsMedia', 'hlsMaster', 'protectionHeader'] as const;
  return {
    version: '2.0',
    contentId,
    keys: kids.map((kid) => ({ kid, scheme, explicitIv: Buffer.alloc(16, 9) })),
    systems: kids.flatMap((kid) => systemIds.map((systemId) => ({ kid, systemId, wanted }))),
    rules: [
      { kid: KID, intendedTrackType: 'VIDEO', videoFilters: [{}], audioFilters: [] },
      { kid: OTHER_KID, intendedTrackType: 'AUDIO', videoFilters: [], audioFilters: [{}] },
    ],
    certificates: [],
  };
}

const policyOf = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });

describe('the SPEKE key provider', () => {
  let platform: TestPlatform;
  let secrets: SecretsManagerClient;
  let iam: IAMClient;

  before(async () => {
    platform = await startTestPlatform();
    secrets = new SecretsManagerClient(platform.clientConfig());
    iam = new IAMClient(platform.clientConfig());
  });
  after(async () => {
    secrets?.destroy();
    iam?.destroy();
    await platform?.stop();
  });

  function send(request: CpixRequest, more: object = {}): Promise<ProviderAnswer> {
    const version = request.version === '1.0' ? [] : [['X-Speke-Version', request.version] as const];
    const headers = [['Content-Type', 'application/xml'] as const, ...version];
    return callKeyProvider(platform, {
      method: 'POST',
      path: 'copyProtection',
      headers,
      body: writeRequest(request),
      ...more,
    });
  }

  async function keysOf(request: CpixRequest, more: object = {}): Promise<CpixResponse> {
    const answer = await send(request, more);
    assert.equal(answer.status, 200, answer.text);
    assert.match(String(answer.headers['content-type']), /^application\/xml/);
    return readResponse(answer.body, request.version);
  }

  async function userWith(name: string, ...statements: readonly object[]): Promise<SigningCredentials> {
    await iam.send(new CreateUserCommand({ UserName: name }));
    const document = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    if (statements.length > 0) {
      await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'p', PolicyDocument: document }));
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }

  const allow = (Resource: string) => ({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource });

  it('answers SPEKE 1.0 with the keys and what players are told, the same ones again and again', async () => {
    const request = v1('film-1', WIDEVINE, PLAYREADY, FAIRPLAY, CLEAR_KEY, HLS_AES_128);
    const first = await send(request);
    assert.equal(first.headers['speke-user-agent'], 'Coffer');
    const answer = readResponse(first.body, '1.0');
    assert.deepEqual(await keysOf(request), answer);
    const [key] = answer.keys;
    assert.deepEqual([key?.kid, key?.explicitIv, key?.value.length], [KID, Buffer.alloc(16, 7), 16]);
    const bySystem = new Map(answer.systems.map(({ systemId, signals }) => [systemId, signals]));
    const widevine = bySystem.get(WIDEVINE);
    assert.equal(widevine?.pssh?.subarray(4, 8).toString(), 'pssh');
    assert.ok(widevine?.pssh?.includes(Buffer.from(KID.replaceAll('-', ''), 'hex')));
    assert.ok(widevine?.contentProtection?.includes(`>${widevine.pssh?.toString('base64')}</cenc:pssh>`));
    const playReady = bySystem.get(PLAYREADY)?.protectionHeader;
    assert.equal(playReady?.readUInt32LE(0), playReady?.length);
    const header = playReady?.subarray(10).toString('utf16le') ?? '';
    assert.match(header, /^<WRMHEADER .*version="4\.0\.0\.0".*<KID>llXumD7NDaIWOuOCQgxu\/w==<\/KID>.*<\/WRMHEADER>$/);
    assert.equal(bySystem.get(FAIRPLAY)?.keyFormat, 'com.apple.streamingkeydelivery');
    assert.match(bySystem.get(FAIRPLAY)?.keyUri ?? '', /^skd:\/\//);
    assert.match(bySystem.get(CLEAR_KEY)?.contentProtection ?? '', /<dashif:Laurl[^>]*>http[^<]*film-1\/licence</);
    assert.match(bySystem.get(HLS_AES_128)?.keyUri ?? '', new RegExp(`^http://.*/play/film-1/keys/${KID}$`));
  });

  it('answers SPEKE 2.0: two keys, their rules as they came, and whole tags for both playlists', async () => {
    const request = v2('film-2', 'cbcs', WIDEVINE, PLAYREADY, FAIRPLAY, COMMON_PSSH);
    const raw = await send(request);
    assert.deepEqual([raw.headers['x-speke-version'], raw.headers['x-speke-user-agent']], ['2.0', 'Coffer']);
    const answer = readResponse(raw.body, '2.0');
    assert.deepEqual(answer.rules, request.rules);
    const [video, audio] = answer.keys;
    assert.notDeepEqual(video?.value, audio?.value);
    assert.equal(video?.scheme, 'cbcs');
    for (const { systemId, signals } of answer.systems) {
      assert.match(signals.hlsMedia ?? '', /^#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/, systemId);
      assert.match(signals.hlsMaster ?? '', /^#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="/, systemId);
    }
    const common = answer.systems.find(({ systemId }) => systemId === COMMON_PSSH)?.signals.pssh;
    assert.equal(common?.[8], 1, 'its pssh lists the key id');
  });

  it('is reached by the host as well as by the path, and asks for the rights of the method', async () => {
    const arn = `arn:aws:execute-api:eu-west-1:${platform.accountId}:coffer/speke/POST/copyProtection`;
    const credentials = await userWith('encryptor', allow(arn));
    const host = 'coffer.execute-api.eu-west-1.amazonaws.com';
    const request = v1('film-3', HLS_AES_128);
    const byHost = await keysOf(request, { host, region: 'eu-west-1', credentials });
    const { port } = new URL(platform.endpoint);
    assert.equal(byHost.systems[0]?.signals.keyUri, `http://${host}:${port}/speke/play/film-3/keys/${KID}`);
    const byPath = await keysOf(request, { region: 'eu-west-1', credentials });
    assert.deepEqual(byPath.keys, byHost.keys);
    const localHost = `coffer.execute-api.localhost:${port}`;
    assert.deepEqual((await keysOf(request, { host: localHost, region: 'eu-west-1', credentials })).keys, byHost.keys);
    const elsewhere = await send(request, { credentials });
    assert.equal(elsewhere.status, 403);
    assert.equal(elsewhere.headers['x-amzn-errortype'], 'AccessDeniedException');
    assert.match(
      (JSON.parse(elsewhere.text) as { Message: string }).Message,
      /^User: arn:aws:iam::\d+:user\/encryptor is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:\d+:coffer\/speke\/POST\/copyProtection/,
    );
  });

  it('refuses who brings no signature or a wrong one, in API Gateway’s words', async () => {
    const none = await send(v1('film-1'), { credentials: undefined });
    assert.deepEqual([none.status, none.text], [403, '{"message":"Missing Authentication Token"}']);
    const wrong = { ...platform.clientConfig().credentials, secretAccessKey: 'wrong' };
    const bad = await send(v1('film-1'), { credentials: wrong });
    assert.deepEqual([bad.status, bad.headers['x-amzn-errortype']], [403, 'InvalidSignatureException']);
    const credentials = platform.clientConfig().credentials;
    const other = await callKeyProvider(platform, { method: 'GET', path: 'copyProtection', credentials });
    assert.deepEqual([other.status, other.headers.allow], [405, 'POST']);
    const unknown = await callKeyProvider(platform, { method: 'POST', path: 'nothing', credentials: undefined });
    assert.deepEqual([unknown.status, unknown.text], [404, '{"message":"Not Found"}']);
  });

  it('says in text what is wrong with a document', async () => {
    const post = (body: string | Buffer, ...headers: (readonly [string, string])[]) =>
      callKeyProvider(platform, { method: 'POST', path: 'copyProtection', body, headers });
    const refusals: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
      ['<a></b>', 'The XML is not well-formed', []],
      ['<CPIX/>', 'Missing CPIX@id', []],
      ['<CPIX/>', 'Missing CPIX@contentId', [['X-Speke-Version', '2.0']]],
      [writeRequest(v1('film-1')), 'Unsupported SPEKE version', [['X-Speke-Version', '3.0']]],
      [writeRequest(v1('../film')), 'The content id may have', []],
      [writeRequest(v1('film-1', randomUUID())), 'Unsupported DRMSystem', []],
      [
        writeRequest({ ...v1('film-1'), certificates: [Buffer.from('x')] }),
        'Encrypted content keys are not supported',
        [],
      ],
      [
        writeRequest(v2('film-1', 'cenc', FAIRPLAY)),
        `ContentKey@commonEncryptionScheme non compatible with DRMSystem ${FAIRPLAY}`,
        [['X-Speke-Version', '2.0']],
      ],
      [
        writeRequest({ ...v1('film-1'), keys: Array.from({ length: 10_000 }, () => ({ kid: randomUUID() })) }),
        'ContentKeyList has more than 64 ContentKey elements',
        [],
      ],
      [
        `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><CPIX id="&b;"/>`,
        'The XML has a document type declaration',
        [],
      ],
    ];
    for (const [body, message, headers] of refusals) {
      const answer = await post(body, ...headers);
      assert.deepEqual([answer.status, answer.headers['content-type']], [422, 'text/plain'], message);
      assert.equal(answer.text.slice(0, message.length), message);
    }
    const large = await post(Buffer.alloc(1024 * 1024 + 1, 0x20));
    assert.equal(large.status, 413);
    const larger = await post(Buffer.alloc(9 * 1024 * 1024, 0x20));
    assert.equal(larger.status, 413);
  });

  it('keeps its keys in Secrets Manager, with a role that reaches no further', async () => {
    const credentials = await userWith('only-invoke', allow('arn:aws:execute-api:*:*:coffer/*'));
    const answer = await keysOf(v1('film-4'), { credentials });
    const own = new SecretsManagerClient(platform.clientConfig(credentials));
    await assert.rejects(own.send(new GetSecretValueCommand({ SecretId: 'speke/film-4' })), {
      name: 'AccessDeniedException',
    });
    own.destroy();
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: 'speke/film-4' }));
    assert.ok(!SecretString.includes(answer.keys[0]?.value.toString('base64') ?? ''), 'it holds a seed, not the keys');
    assert.deepEqual((JSON.parse(SecretString) as { kids: string[] }).kids, [KID]);
    const RoleName = 'AWSServiceRoleForCofferKeyProvider';
    const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
    assert.equal(Role?.Path, '/aws-service-role/execute-api.amazonaws.com/');
    const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    assert.deepEqual(PolicyNames, ['KeepContentKeys']);
  });

  it('makes one secret, whoever asks first, and notes every key that was asked for', async () => {
    const kids = Array.from({ length: 6 }, () => randomUUID());
    const ask = (kid: string) => keysOf({ ...v1('film-5'), keys: [{ kid }] });
    const first = await Promise.all([...kids, ...kids].map(ask));
    const values = first.map(({ keys }) => keys[0]?.value.toString('hex'));
    assert.deepEqual(values.slice(6), values.slice(0, 6));
    assert.equal(new Set(values).size, 6);
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: 'speke/film-5' }));
    assert.deepEqual((JSON.parse(SecretString) as { kids: string[] }).kids.toSorted(), kids.toSorted());
  });

  it('gives each account keys of its own, whatever the content is called', async () => {
    const other = await createAccount(platform);
    const mine = await keysOf(v1('film-6'));
    const theirs = await keysOf(v1('film-6'), { credentials: other });
    assert.notDeepEqual(mine.keys[0]?.value, theirs.keys[0]?.value);
    const licence = await callKeyProvider(platform, {
      method: 'POST',
      path: 'licences/film-1',
      body: JSON.stringify({ kids: [KID] }),
      credentials: other,
    });
    assert.deepEqual([licence.status, licence.text], [404, '{"message":"There are no keys of the content film-1."}']);
  });

  it('has no keys of a content any more whose secret is deleted', async () => {
    const before = await keysOf(v1('film-7'));
    await secrets.send(new DeleteSecretCommand({ SecretId: 'speke/film-7' }));
    const waiting = await send(v1('film-7'));
    assert.deepEqual([waiting.status, waiting.text], [410, 'The secret speke/film-7 is scheduled for deletion.']);
    await secrets.send(new RestoreSecretCommand({ SecretId: 'speke/film-7' }));
    assert.deepEqual((await keysOf(v1('film-7'))).keys, before.keys);
    await secrets.send(new DeleteSecretCommand({ SecretId: 'speke/film-7', ForceDeleteWithoutRecovery: true }));
    const gone = await callKeyProvider(platform, { method: 'GET', path: `keys/film-7/${KID}` });
    assert.equal(gone.status, 404);
    assert.notDeepEqual((await keysOf(v1('film-7'))).keys, before.keys);
  });

  it('can do no more than its role, which is changed by nobody else, and no more than a secret lets it', async () => {
    const RoleName = 'AWSServiceRoleForCofferKeyProvider';
    const before = await keysOf(v1('film-8'));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
    const wide = policyOf({ Effect: 'Allow', Action: '*', Resource: '*' });
    await assert.rejects(iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'wide', PolicyDocument: wide })), {
      name: 'UnmodifiableEntityException',
    });
    const ResourcePolicy = policyOf({
      Effect: 'Deny',
      Principal: { AWS: Role?.Arn },
      Action: 'secretsmanager:GetSecretValue',
      Resource: '*',
    });
    await secrets.send(new PutResourcePolicyCommand({ SecretId: 'speke/film-8', ResourcePolicy }));
    const refused = await send(v1('film-8'));
    assert.equal(refused.status, 403);
    assert.match(refused.text, /could not use the secret speke\/film-8: .*explicit deny/);
    await secrets.send(new DeleteResourcePolicyCommand({ SecretId: 'speke/film-8' }));
    await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName }));
    assert.deepEqual((await keysOf(v1('film-8'))).keys, before.keys, 'the role is made anew when it is gone');
  });

  it('keeps its role for the service alone: nobody else may assume it, or make one without the right to', async () => {
    const credentials = await userWith('curious', { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' });
    const sts = new STSClient(platform.clientConfig(credentials));
    const RoleArn = `arn:aws:iam::${platform.accountId}:role/aws-service-role/execute-api.amazonaws.com/AWSServiceRoleForCofferKeyProvider`;
    await assert.rejects(sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' })), {
      name: 'AccessDenied',
    });
    sts.destroy();
    const theirs = new IAMClient(platform.clientConfig(credentials));
    const make = new CreateServiceLinkedRoleCommand({ AWSServiceName: 'execute-api.amazonaws.com' });
    await assert.rejects(theirs.send(make), { name: 'AccessDenied' });
    theirs.destroy();
    await assert.rejects(iam.send(make), { name: 'EntityAlreadyExistsException' });
    const unknown = new CreateServiceLinkedRoleCommand({ AWSServiceName: 'ecs.amazonaws.com' });
    await assert.rejects(iam.send(unknown), { name: 'InvalidInputException' });
  });
});
