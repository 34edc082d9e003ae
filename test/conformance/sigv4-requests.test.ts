import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { errorCodeOf, errorMessageOf } from '../harness/raw-connection.ts';
import {
  ALL,
  BAD_SIGNATURE,
  BAD_TOKEN,
  type Family,
  FAMILIES,
  headersOf,
  INCOMPLETE,
  isRefused,
  NAMELESS,
  NO_TOKEN,
  SignedCalls,
  TOO_SKEWED,
  UNKNOWN_KEY,
} from '../harness/signed-calls.ts';
import {
  presign,
  sha256,
  type SigningCredentials,
  signHeader,
  type UnsignedRequest,
  type WireRequest,
} from '../harness/sigv4-signer.ts';

describe('SigV4 over the socket', () => {
  let calls: SignedCalls;

  before(async () => {
    calls = await SignedCalls.start();
  });
  after(() => calls.platform.stop());

  const withAuthorization = (request: WireRequest, change: (value: string) => string): WireRequest => ({
    ...request,
    headers: request.headers.map(([name, value]) => [name, name === 'Authorization' ? change(value) : value] as const),
  });

  it('accepts the header form in every family', async () => {
    for (const family of ALL) await calls.accepts(calls.signed(family), family);
  });

  it('accepts the query form where there is no body to speak of', async () => {
    await calls.accepts(presign(FAMILIES.s3.request, { ...calls.optionsFor('s3'), expires: 60 }));
    await calls.accepts(presign(FAMILIES.rest.request, { ...calls.optionsFor('rest'), expires: 60 }));
    const identity: UnsignedRequest = {
      method: 'GET',
      path: '/',
      query: [
        ['Action', 'GetCallerIdentity'],
        ['Version', '2011-06-15'],
      ],
    };
    const response = await calls.accepts(presign(identity, { ...calls.optionsFor('query'), expires: 60 }));
    assert.match(response.text, /<GetCallerIdentityResult>/);
    await calls.accepts(presign(identity, calls.optionsFor('query')), 'without X-Amz-Expires');
  });

  it('covers a body with a presigned address, but for S3', async () => {
    const { request } = FAMILIES.json;
    const presigned = presign(request, { ...calls.optionsFor('json'), expires: 60 });
    await calls.accepts(presigned);
    isRefused('json', await calls.send({ ...presigned, body: Buffer.from('{ }') }), BAD_SIGNATURE);
  });

  it('accepts temporary credentials with their token, and not without', async () => {
    const sts = new STSClient(calls.platform.clientConfig());
    const { Credentials } = await sts.send(new GetSessionTokenCommand({}));
    sts.destroy();
    const temporary: SigningCredentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const { sessionToken: _none, ...bare } = temporary;
    for (const family of ALL) {
      // IAM and STS take no session token of root's own; everything else is open to it.
      await calls.accepts(calls.signed(family, { credentials: temporary }), family);
    }
    const cut = { ...temporary, sessionToken: temporary.sessionToken?.slice(0, -4) ?? '' };
    const foreign = { ...temporary, secretAccessKey: calls.root.secretAccessKey };
    await calls.refuses(UNKNOWN_KEY, (family) => calls.signed(family, { credentials: bare }), 'without a token');
    await calls.refuses(BAD_TOKEN, (family) => calls.signed(family, { credentials: cut }), 'with a cut token');
    await calls.refuses(
      BAD_SIGNATURE,
      (family) => calls.signed(family, { credentials: foreign }),
      'with another secret',
    );
    await calls.accepts(
      presign(FAMILIES.s3.request, { ...calls.optionsFor('s3', { credentials: temporary }), expires: 60 }),
    );
    const lasting = { ...calls.root, sessionToken: temporary.sessionToken ?? '' };
    await calls.refuses(
      BAD_TOKEN,
      (family) => calls.signed(family, { credentials: lasting }),
      'a lasting key with a token',
    );
  });

  it('accepts the session of a role', async () => {
    const iam = new IAMClient(calls.platform.clientConfig());
    const userName = 'assumer';
    await iam.send(new CreateUserCommand({ UserName: userName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: userName }));
    const trust = { Effect: 'Allow', Principal: { AWS: calls.platform.accountId }, Action: 'sts:AssumeRole' };
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: 'assumed',
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
      }),
    );
    const allow = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' };
    await iam.send(
      new PutUserPolicyCommand({
        UserName: userName,
        PolicyName: 'assume',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [allow] }),
      }),
    );
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    };
    const sts = new STSClient(calls.platform.clientConfig(credentials));
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'session' }));
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const response = await calls.accepts(calls.signed('query', { credentials: session }));
    assert.match(response.text, /:assumed-role\/assumed\/session</);
    await iam.send(
      new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: credentials.accessKeyId, Status: 'Inactive' }),
    );
    await calls.refuses(UNKNOWN_KEY, (family) => calls.signed(family, { credentials }), 'an inactive key');
    iam.destroy();
    sts.destroy();
  });

  it('refuses a wrong secret and an unknown key', async () => {
    const wrong = { ...calls.root, secretAccessKey: `${calls.root.secretAccessKey}x` };
    const unknown = { ...calls.root, accessKeyId: 'AKIAUNKNOWN000000000' };
    await calls.refuses(BAD_SIGNATURE, (family) => calls.signed(family, { credentials: wrong }));
    await calls.refuses(UNKNOWN_KEY, (family) => calls.signed(family, { credentials: unknown }));
  });

  it('answers what carries no signature as each family does', async () => {
    await calls.refuses(NO_TOKEN, (family) => {
      const request = calls.signed(family);
      return { ...request, headers: request.headers.filter(([name]) => !/^(authorization|x-amz-date)$/i.test(name)) };
    });
  });

  it('holds the clock to 15 minutes for S3 and 5 for the others, either way', async () => {
    const minutes = 60_000;
    for (const family of ALL) {
      const skew = family === 's3' ? 15 : 5;
      for (const direction of [-1, 1]) {
        const at = (offset: number) => new Date(Date.now() + direction * offset * minutes);
        await calls.accepts(calls.signed(family, { date: at(skew - 0.5) }), `${family} ${direction}`);
        const response = await calls.send(calls.signed(family, { date: at(skew + 0.5) }));
        isRefused(family, response, TOO_SKEWED);
        if (family === 's3') assert.match(response.text, /<MaxAllowedSkewMilliseconds>900000</);
        else
          assert.match(errorMessageOf(response), direction < 0 ? /^Signature expired: \d{8}T/ : /^Signature not yet/);
      }
    }
  });

  it('lets a presigned address live as long as it says, up to a week', async () => {
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000);
    const presigned = (date: Date, expires: number) =>
      calls.send(presign(FAMILIES.s3.request, { ...calls.optionsFor('s3', { date }), expires }));
    assert.equal((await presigned(at(-3000), 3600)).status, 200);
    assert.equal((await presigned(at(-604_000), 604_800)).status, 200);
    const expired = await presigned(at(-61), 60);
    assert.deepEqual([expired.status, errorCodeOf(expired)], [403, 'AccessDenied']);
    assert.equal(errorMessageOf(expired), 'Request has expired');
    assert.match(expired.text, /<X-Amz-Expires>60<.*<Expires>.*<ServerTime>/);
    const early = await presigned(at(16 * 60), 60);
    assert.deepEqual([early.status, errorMessageOf(early)], [403, 'Request is not yet valid']);
    for (const expires of [604_801, -1]) {
      const response = await presigned(at(0), expires);
      assert.deepEqual([response.status, errorCodeOf(response)], [400, 'AuthorizationQueryParametersError']);
    }
    const without = await calls.send(presign(FAMILIES.s3.request, calls.optionsFor('s3')));
    assert.deepEqual([without.status, errorCodeOf(without)], [400, 'AuthorizationQueryParametersError']);
  });

  it('refuses a scope of another date, a region that is none, and another form', async () => {
    const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const wrongScope = { ...BAD_SIGNATURE, s3: INCOMPLETE.s3 };
    const scope = (text: (service: string) => string) => (family: Family) =>
      calls.signed(family, { scope: text(FAMILIES[family].service) });
    await calls.refuses(
      wrongScope,
      scope((service) => `20200101/us-east-1/${service}/aws4_request`),
      'date',
    );
    for (const region of ['US_EAST', 'moon', '']) {
      await calls.refuses(
        wrongScope,
        scope((service) => `${today}/${region}/${service}/aws4_request`),
        `region ${region}`,
      );
    }
    await calls.refuses(
      INCOMPLETE,
      scope((service) => `${today}/us-east-1/${service}/aws5_request`),
      'terminator',
    );
    await calls.refuses(
      INCOMPLETE,
      scope((service) => `today/us-east-1/${service}/aws4_request`),
      'date shape',
    );
    for (const family of ALL) await calls.accepts(calls.signed(family, { region: 'ap-southeast-4' }), 'any region');
    const query = await calls.send(
      presign(FAMILIES.s3.request, {
        ...calls.optionsFor('s3', { scope: '20200101/us-east-1/s3/aws4_request' }),
        expires: 9,
      }),
    );
    assert.deepEqual([query.status, errorCodeOf(query)], [400, 'AuthorizationQueryParametersError']);
  });

  it('refuses a scope of another service than the request’s', async () => {
    const forKms = await calls.send(calls.signed('json', { service: 'sts' }));
    assert.equal(forKms.status, 400);
    assert.equal(errorCodeOf(forKms), 'MissingAction');
    const unknown = await calls.send(calls.signed('json', { service: 'dynamodb' }));
    assert.deepEqual([unknown.status, errorCodeOf(unknown)], [404, 'UnknownService']);
  });

  it('refuses an Authorization that is not in the form', async () => {
    for (const value of [
      'AWS4-HMAC-SHA256',
      'AWS4-HMAC-SHA256 ',
      'AWS4-HMAC-SHA256 Credential',
      'AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=',
      'AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00',
      `AWS4-HMAC-SHA256 ${'x'.repeat(8000)}`,
    ]) {
      await calls.refuses(
        NAMELESS,
        (family) => withAuthorization(calls.signed(family), () => value),
        value.slice(0, 40),
      );
    }
    const noHost = (value: string) => value.replace('SignedHeaders=', 'SignedHeaders=x-none;').replace('host;', '');
    await calls.refuses(INCOMPLETE, (family) => withAuthorization(calls.signed(family), noHost), 'host not signed');
    const absent = (value: string) => value.replace('SignedHeaders=', 'SignedHeaders=absent;');
    await calls.refuses(
      BAD_SIGNATURE,
      (family) => withAuthorization(calls.signed(family), absent),
      'an absent header signed',
    );
    const dates = ['', 'yesterday', '20269999T000000Z', '2026-01-01T00:00:00Z'];
    for (const date of dates) {
      await calls.refuses(
        INCOMPLETE,
        (family) => {
          const request = calls.signed(family);
          const headers = request.headers.map(([name, old]) => [name, name === 'X-Amz-Date' ? date : old] as const);
          return { ...request, headers };
        },
        `X-Amz-Date: ${date}`,
      );
    }
  });

  it('takes commas with and without spaces, and the fields in any order', async () => {
    for (const family of ALL) {
      await calls.accepts(
        withAuthorization(calls.signed(family), (value) => value.replaceAll(', ', ',')),
        family,
      );
      await calls.accepts(
        withAuthorization(calls.signed(family), (value) => {
          const fields = value.slice(17).split(', ').reverse();
          return `${value.slice(0, 16)} ${fields.join(' ,  ')}`;
        }),
        family,
      );
    }
  });

  it('takes the Date header where there is no X-Amz-Date', async () => {
    const date = new Date();
    for (const family of ALL) {
      const request = calls.signed(family, { date, unsigned: ['x-amz-date'] }, {
        headers: [...headersOf(family), ['Date', date.toUTCString()]],
      } as Partial<UnsignedRequest>);
      await calls.accepts({ ...request, headers: request.headers.filter(([name]) => name !== 'X-Amz-Date') }, family);
    }
  });

  it('refuses other algorithms, the old signature, and two ways at once, in S3’s words', async () => {
    const cases: readonly (readonly [value: string, status: number, code: string, message: string])[] = [
      ['Bearer abc', 400, 'InvalidArgument', 'Unsupported Authorization Type'],
      ['Basic YTpi', 400, 'InvalidArgument', 'Unsupported Authorization Type'],
      [
        'AWS AKIATESTROOT00000000:c2lnbmF0dXJl',
        400,
        'InvalidRequest',
        'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      ],
    ];
    for (const [value, status, code, message] of cases) {
      const response = await calls.send(withAuthorization(calls.signed('s3'), () => value));
      assert.deepEqual([response.status, errorCodeOf(response), errorMessageOf(response)], [status, code, message]);
      isRefused('json', await calls.send(withAuthorization(calls.signed('json'), () => value)), INCOMPLETE);
    }
    const presigned = presign(FAMILIES.s3.request, { ...calls.optionsFor('s3'), expires: 60 });
    const both = await calls.send({ ...calls.signed('s3'), target: presigned.target });
    assert.deepEqual([both.status, errorCodeOf(both)], [400, 'InvalidArgument']);
    assert.match(errorMessageOf(both), /^Only one auth mechanism allowed/);
  });

  it('refuses x-amz- headers of S3 that the signature does not cover', async () => {
    const request: Partial<UnsignedRequest> = { headers: [['x-amz-acl', 'public-read']] };
    const response = await calls.send(calls.signed('s3', { unsigned: ['x-amz-acl'] }, request));
    assert.deepEqual([response.status, errorCodeOf(response)], [403, 'AccessDenied']);
    assert.equal(errorMessageOf(response), 'There were headers present in the request which were not signed');
    assert.match(response.text, /<HeadersNotSigned>x-amz-acl</);
    const presigned = presign(
      { ...FAMILIES.s3.request, ...request },
      { ...calls.optionsFor('s3', { unsigned: ['x-amz-acl'] }), expires: 60 },
    );
    assert.match((await calls.send(presigned)).text, /<HeadersNotSigned>x-amz-acl</);
  });

  it('checks a declared payload hash, in every family', async () => {
    const wrong = sha256('something else');
    const put = { method: 'PUT', path: '/signed-requests/hash', body: Buffer.from('body') };
    const response = await calls.send(signHeader(put, calls.optionsFor('s3', { payloadHash: wrong })));
    assert.deepEqual([response.status, errorCodeOf(response)], [400, 'XAmzContentSHA256Mismatch']);
    assert.match(response.text, new RegExp(`<ClientComputedContentSHA256>${wrong}<`));
    for (const family of ['json', 'query'] as const) {
      const { request } = FAMILIES[family];
      const declared = [...request.headers, ['x-amz-content-sha256', wrong]] as const;
      const lied = signHeader({ ...request, headers: declared }, calls.optionsFor(family, { payloadHash: wrong }));
      isRefused(family, await calls.send(lied), BAD_SIGNATURE);
      const unsigned = [...request.headers, ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD']] as const;
      const open = { ...request, headers: unsigned };
      isRefused(
        family,
        await calls.send(signHeader(open, calls.optionsFor(family, { payloadHash: 'UNSIGNED-PAYLOAD' }))),
        BAD_SIGNATURE,
        'unsigned',
      );
      const changed = { ...calls.signed(family), body: Buffer.from(`${request.body.toString()} `) };
      isRefused(family, await calls.send(changed), BAD_SIGNATURE, 'changed body');
    }
    const bad = await calls.send(calls.signed('s3', { payloadHash: 'nonsense' }));
    assert.deepEqual([bad.status, errorCodeOf(bad)], [400, 'InvalidArgument']);
    const without = calls.signed('s3', { unsigned: ['x-amz-content-sha256'] });
    const response2 = await calls.send({
      ...without,
      headers: without.headers.filter(([name]) => name !== 'x-amz-content-sha256'),
    });
    assert.deepEqual([response2.status, errorCodeOf(response2)], [400, 'InvalidRequest']);
  });

  it('tells nothing of the expected signature', async () => {
    const request = calls.signed('s3');
    const response = await calls.send(withAuthorization(request, (value) => `${value.slice(0, -64)}${'0'.repeat(64)}`));
    isRefused('s3', response, BAD_SIGNATURE);
    assert.ok(!response.text.includes(request.signature));
    assert.ok(!response.text.includes(calls.root.secretAccessKey));
  });
});
