import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { PutUserPolicyCommand, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, errorMessageOf, type RawResponse, sendRaw } from '../harness/raw-connection.ts';
import {
  presign,
  sha256,
  type SigningCredentials,
  type SigningOptions,
  signHeader,
  type UnsignedRequest,
  type WireRequest,
} from '../harness/sigv4-signer.ts';

/** One harmless request to a service of each family, and its family's words. */
const FAMILIES = {
  json: {
    service: 'kms',
    request: {
      method: 'POST',
      path: '/',
      headers: [
        ['Content-Type', 'application/x-amz-json-1.1'],
        ['X-Amz-Target', 'TrentService.ListKeys'],
      ],
      body: Buffer.from('{}'),
    },
  },
  query: {
    service: 'sts',
    request: {
      method: 'POST',
      path: '/',
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
      body: Buffer.from('Action=GetCallerIdentity&Version=2011-06-15'),
    },
  },
  rest: { service: 'mediaconvert', request: { method: 'GET', path: '/2017-08-29/queues' } },
  s3: { service: 's3', request: { method: 'GET', path: '/' } },
} as const satisfies Record<string, { service: string; request: UnsignedRequest }>;

type Family = keyof typeof FAMILIES;
const ALL = Object.keys(FAMILIES) as Family[];

type Expected = Readonly<Record<Family, readonly [status: number, code: string]>>;

const BAD_SIGNATURE: Expected = {
  json: [400, 'InvalidSignatureException'],
  query: [403, 'SignatureDoesNotMatch'],
  rest: [403, 'InvalidSignatureException'],
  s3: [403, 'SignatureDoesNotMatch'],
};
const INCOMPLETE: Expected = {
  json: [400, 'IncompleteSignatureException'],
  query: [400, 'IncompleteSignature'],
  rest: [403, 'IncompleteSignatureException'],
  s3: [400, 'AuthorizationHeaderMalformed'],
};
/** Where the service can not be read either, what has neither a target nor a form is S3's. */
const NAMELESS: Expected = { ...INCOMPLETE, rest: INCOMPLETE.s3 };
const UNKNOWN_KEY: Expected = {
  json: [400, 'UnrecognizedClientException'],
  query: [403, 'InvalidClientTokenId'],
  rest: [403, 'UnrecognizedClientException'],
  s3: [403, 'InvalidAccessKeyId'],
};
const BAD_TOKEN: Expected = { ...UNKNOWN_KEY, s3: [400, 'InvalidToken'] };
const TOO_SKEWED: Expected = { ...BAD_SIGNATURE, s3: [403, 'RequestTimeTooSkewed'] };
const NO_TOKEN: Expected = {
  json: [400, 'MissingAuthenticationTokenException'],
  query: [403, 'MissingAuthenticationToken'],
  // Nothing tells it from a request to a bucket of that name.
  rest: [404, 'NoSuchBucket'],
  s3: [403, 'AccessDenied'],
};

describe('SigV4 over the socket', () => {
  let platform: TestPlatform;
  let root: SigningCredentials;
  let host: string;

  before(async () => {
    platform = await startTestPlatform({ COFFER_DOMAIN: 'media.example' });
    root = platform.clientConfig().credentials;
    host = new URL(platform.endpoint).host;
    const s3 = new S3Client(platform.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'signed-requests' }));
    s3.destroy();
  });
  after(() => platform.stop());

  const send = (request: WireRequest): Promise<RawResponse> => sendRaw(platform.endpoint, request);

  function optionsFor(family: Family, extra: Partial<SigningOptions> = {}): SigningOptions {
    return { credentials: root, service: FAMILIES[family].service, host, ...extra };
  }

  function signed(family: Family, extra: Partial<SigningOptions> = {}, more: Partial<UnsignedRequest> = {}) {
    return signHeader({ ...FAMILIES[family].request, ...more }, optionsFor(family, extra));
  }

  function isRefused(family: Family, response: RawResponse, expected: Expected, what = ''): void {
    const [status, code] = expected[family];
    assert.deepEqual([response.status, errorCodeOf(response)], [status, code], `${family} ${what}: ${response.text}`);
  }

  async function refuses(expected: Expected, make: (family: Family) => WireRequest, what = ''): Promise<void> {
    for (const family of ALL) isRefused(family, await send(make(family)), expected, what);
  }

  async function accepts(request: WireRequest, what = ''): Promise<RawResponse> {
    const response = await send(request);
    assert.equal(response.status, 200, `${what}: ${response.text}`);
    return response;
  }

  const withAuthorization = (request: WireRequest, change: (value: string) => string): WireRequest => ({
    ...request,
    headers: request.headers.map(([name, value]) => [name, name === 'Authorization' ? change(value) : value] as const),
  });

  it('accepts the header form in every family', async () => {
    for (const family of ALL) await accepts(signed(family), family);
  });

  it('accepts the query form where there is no body to speak of', async () => {
    await accepts(presign(FAMILIES.s3.request, { ...optionsFor('s3'), expires: 60 }));
    await accepts(presign(FAMILIES.rest.request, { ...optionsFor('rest'), expires: 60 }));
    const identity: UnsignedRequest = {
      method: 'GET',
      path: '/',
      query: [
        ['Action', 'GetCallerIdentity'],
        ['Version', '2011-06-15'],
      ],
    };
    const response = await accepts(presign(identity, { ...optionsFor('query'), expires: 60 }));
    assert.match(response.text, /<GetCallerIdentityResult>/);
    await accepts(presign(identity, optionsFor('query')), 'without X-Amz-Expires');
  });

  it('covers a body with a presigned address, but for S3', async () => {
    const { request } = FAMILIES.json;
    const presigned = presign(request, { ...optionsFor('json'), expires: 60 });
    await accepts(presigned);
    isRefused('json', await send({ ...presigned, body: Buffer.from('{ }') }), BAD_SIGNATURE);
  });

  it('accepts temporary credentials with their token, and not without', async () => {
    const sts = new STSClient(platform.clientConfig());
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
      await accepts(signed(family, { credentials: temporary }), family);
    }
    const cut = { ...temporary, sessionToken: temporary.sessionToken?.slice(0, -4) ?? '' };
    const foreign = { ...temporary, secretAccessKey: root.secretAccessKey };
    await refuses(UNKNOWN_KEY, (family) => signed(family, { credentials: bare }), 'without a token');
    await refuses(BAD_TOKEN, (family) => signed(family, { credentials: cut }), 'with a cut token');
    await refuses(BAD_SIGNATURE, (family) => signed(family, { credentials: foreign }), 'with another secret');
    await accepts(presign(FAMILIES.s3.request, { ...optionsFor('s3', { credentials: temporary }), expires: 60 }));
    const lasting = { ...root, sessionToken: temporary.sessionToken ?? '' };
    await refuses(BAD_TOKEN, (family) => signed(family, { credentials: lasting }), 'a lasting key with a token');
  });

  it('accepts the session of a role', async () => {
    const iam = new IAMClient(platform.clientConfig());
    const userName = 'assumer';
    await iam.send(new CreateUserCommand({ UserName: userName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: userName }));
    const trust = { Effect: 'Allow', Principal: { AWS: platform.accountId }, Action: 'sts:AssumeRole' };
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
    const sts = new STSClient(platform.clientConfig(credentials));
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'session' }));
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const response = await accepts(signed('query', { credentials: session }));
    assert.match(response.text, /:assumed-role\/assumed\/session</);
    await iam.send(
      new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: credentials.accessKeyId, Status: 'Inactive' }),
    );
    await refuses(UNKNOWN_KEY, (family) => signed(family, { credentials }), 'an inactive key');
    iam.destroy();
    sts.destroy();
  });

  it('refuses a wrong secret and an unknown key', async () => {
    const wrong = { ...root, secretAccessKey: `${root.secretAccessKey}x` };
    const unknown = { ...root, accessKeyId: 'AKIAUNKNOWN000000000' };
    await refuses(BAD_SIGNATURE, (family) => signed(family, { credentials: wrong }));
    await refuses(UNKNOWN_KEY, (family) => signed(family, { credentials: unknown }));
  });

  it('answers what carries no signature as each family does', async () => {
    await refuses(NO_TOKEN, (family) => {
      const request = signed(family);
      return { ...request, headers: request.headers.filter(([name]) => !/^(authorization|x-amz-date)$/i.test(name)) };
    });
  });

  it('holds the clock to 15 minutes for S3 and 5 for the others, either way', async () => {
    const minutes = 60_000;
    for (const family of ALL) {
      const skew = family === 's3' ? 15 : 5;
      for (const direction of [-1, 1]) {
        const at = (offset: number) => new Date(Date.now() + direction * offset * minutes);
        await accepts(signed(family, { date: at(skew - 0.5) }), `${family} ${direction}`);
        const response = await send(signed(family, { date: at(skew + 0.5) }));
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
      send(presign(FAMILIES.s3.request, { ...optionsFor('s3', { date }), expires }));
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
    const without = await send(presign(FAMILIES.s3.request, optionsFor('s3')));
    assert.deepEqual([without.status, errorCodeOf(without)], [400, 'AuthorizationQueryParametersError']);
  });

  it('refuses a scope of another date, a region that is none, and another form', async () => {
    const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const wrongScope = { ...BAD_SIGNATURE, s3: INCOMPLETE.s3 };
    const scope = (text: (service: string) => string) => (family: Family) =>
      signed(family, { scope: text(FAMILIES[family].service) });
    await refuses(
      wrongScope,
      scope((service) => `20200101/us-east-1/${service}/aws4_request`),
      'date',
    );
    for (const region of ['US_EAST', 'moon', '']) {
      await refuses(
        wrongScope,
        scope((service) => `${today}/${region}/${service}/aws4_request`),
        `region ${region}`,
      );
    }
    await refuses(
      INCOMPLETE,
      scope((service) => `${today}/us-east-1/${service}/aws5_request`),
      'terminator',
    );
    await refuses(
      INCOMPLETE,
      scope((service) => `today/us-east-1/${service}/aws4_request`),
      'date shape',
    );
    for (const family of ALL) await accepts(signed(family, { region: 'ap-southeast-4' }), 'any region');
    const query = await send(
      presign(FAMILIES.s3.request, {
        ...optionsFor('s3', { scope: '20200101/us-east-1/s3/aws4_request' }),
        expires: 9,
      }),
    );
    assert.deepEqual([query.status, errorCodeOf(query)], [400, 'AuthorizationQueryParametersError']);
  });

  it('refuses a scope of another service than the request’s', async () => {
    const forKms = await send(signed('json', { service: 'sts' }));
    assert.equal(forKms.status, 400);
    assert.equal(errorCodeOf(forKms), 'MissingAction');
    const unknown = await send(signed('json', { service: 'dynamodb' }));
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
      await refuses(NAMELESS, (family) => withAuthorization(signed(family), () => value), value.slice(0, 40));
    }
    const noHost = (value: string) => value.replace('SignedHeaders=', 'SignedHeaders=x-none;').replace('host;', '');
    await refuses(INCOMPLETE, (family) => withAuthorization(signed(family), noHost), 'host not signed');
    const absent = (value: string) => value.replace('SignedHeaders=', 'SignedHeaders=absent;');
    await refuses(BAD_SIGNATURE, (family) => withAuthorization(signed(family), absent), 'an absent header signed');
    const dates = ['', 'yesterday', '20269999T000000Z', '2026-01-01T00:00:00Z'];
    for (const date of dates) {
      await refuses(
        INCOMPLETE,
        (family) => {
          const request = signed(family);
          const headers = request.headers.map(([name, old]) => [name, name === 'X-Amz-Date' ? date : old] as const);
          return { ...request, headers };
        },
        `X-Amz-Date: ${date}`,
      );
    }
  });

  it('takes commas with and without spaces, and the fields in any order', async () => {
    for (const family of ALL) {
      await accepts(
        withAuthorization(signed(family), (value) => value.replaceAll(', ', ',')),
        family,
      );
      await accepts(
        withAuthorization(signed(family), (value) => {
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
      const request = signed(family, { date, unsigned: ['x-amz-date'] }, {
        headers: [
          ...('headers' in FAMILIES[family].request ? FAMILIES[family].request.headers : []),
          ['Date', date.toUTCString()],
        ],
      } as Partial<UnsignedRequest>);
      await accepts({ ...request, headers: request.headers.filter(([name]) => name !== 'X-Amz-Date') }, family);
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
      const response = await send(withAuthorization(signed('s3'), () => value));
      assert.deepEqual([response.status, errorCodeOf(response), errorMessageOf(response)], [status, code, message]);
      isRefused('json', await send(withAuthorization(signed('json'), () => value)), INCOMPLETE);
    }
    const presigned = presign(FAMILIES.s3.request, { ...optionsFor('s3'), expires: 60 });
    const both = await send({ ...signed('s3'), target: presigned.target });
    assert.deepEqual([both.status, errorCodeOf(both)], [400, 'InvalidArgument']);
    assert.match(errorMessageOf(both), /^Only one auth mechanism allowed/);
  });

  it('refuses x-amz- headers of S3 that the signature does not cover', async () => {
    const request: Partial<UnsignedRequest> = { headers: [['x-amz-acl', 'public-read']] };
    const response = await send(signed('s3', { unsigned: ['x-amz-acl'] }, request));
    assert.deepEqual([response.status, errorCodeOf(response)], [403, 'AccessDenied']);
    assert.equal(errorMessageOf(response), 'There were headers present in the request which were not signed');
    assert.match(response.text, /<HeadersNotSigned>x-amz-acl</);
    const presigned = presign(
      { ...FAMILIES.s3.request, ...request },
      { ...optionsFor('s3', { unsigned: ['x-amz-acl'] }), expires: 60 },
    );
    assert.match((await send(presigned)).text, /<HeadersNotSigned>x-amz-acl</);
  });

  it('accepts signed hop-by-hop headers exactly as they were sent', async () => {
    const headers = [
      ['Connection', 'keep-alive'],
      ['TE', 'trailers'],
      ['User-Agent', 'odd/1.0 (a;  b)   c'],
      ['Accept-Encoding', 'identity'],
    ] as const;
    for (const family of ALL) {
      const own = 'headers' in FAMILIES[family].request ? FAMILIES[family].request.headers : [];
      await accepts(signed(family, {}, { headers: [...own, ...headers] }), family);
    }
    const { request } = FAMILIES.json;
    const chunked = signHeader(
      { ...request, headers: [...request.headers, ['Transfer-Encoding', 'chunked']], body: Buffer.from('{}') },
      optionsFor('json'),
    );
    await accepts({ ...chunked, body: Buffer.from('2\r\n{}\r\n0\r\n\r\n') }, 'transfer-encoding');
  });

  it('accepts a Host without its port, of any name, when that is what was signed and sent', async () => {
    for (const name of ['127.0.0.1', 'localhost', 'kms.us-east-1.amazonaws.com', '[::1]:4566']) {
      for (const family of ALL) await accepts(signed(family, { host: name }), `${family} at ${name}`);
    }
    await refuses(BAD_SIGNATURE, (family) => {
      const request = signed(family, { host: '127.0.0.1' });
      return { ...request, headers: request.headers.map(([name, value]) => [name, name === 'Host' ? host : value]) };
    });
  });

  it('folds spaces in header values as SigV4 does', async () => {
    for (const value of ['  a   b  ', 'a', '', '"a   b"', 'a\t b']) {
      for (const family of ALL) {
        const own = 'headers' in FAMILIES[family].request ? FAMILIES[family].request.headers : [];
        const request = signed(family, {}, { headers: [...own, ['X-Custom', value.replace('\t', ' ')]] });
        const headers = request.headers.map(([name, old]) => [name, name === 'X-Custom' ? value : old] as const);
        await accepts({ ...request, headers }, `${family} '${value}'`);
      }
    }
  });

  it('joins headers of one name in their order', async () => {
    for (const family of ALL) {
      const own = 'headers' in FAMILIES[family].request ? FAMILIES[family].request.headers : [];
      const twice = [
        ['X-Custom', 'first'],
        ['X-Other', 'between'],
        ['x-custom', ' second '],
      ] as const;
      const request = signed(family, {}, { headers: [...own, ...twice] });
      await accepts(request, family);
      const swapped = request.headers.map(
        ([name, value]) => [name, value === 'first' ? 'second' : value === ' second ' ? 'first' : value] as const,
      );
      isRefused(family, await send({ ...request, headers: swapped }), BAD_SIGNATURE);
    }
  });

  it('signs header values by their bytes', async () => {
    for (const bytes of ['\u00c3\u00a9', '\u00e9', '\u00ff']) {
      await accepts(signed('s3', {}, { headers: [['X-Custom', bytes]] }), bytes);
    }
    const request = signed('s3', {}, { headers: [['X-Custom', '\u00c3\u00a9']] });
    const changed = request.headers.map(
      ([name, value]) => [name, value === '\u00c3\u00a9' ? '\u00e9' : value] as const,
    );
    isRefused('s3', await send({ ...request, headers: changed }), BAD_SIGNATURE);
  });

  it('refuses two Host, Authorization, X-Amz-Date or X-Amz-Target headers', async () => {
    for (const name of ['Host', 'Authorization', 'X-Amz-Date', 'X-Amz-Content-Sha256', 'X-Amz-Target']) {
      for (const family of ALL) {
        const request = signed(family);
        const again = request.headers.find(([candidate]) => candidate.toLowerCase() === name.toLowerCase());
        if (again === undefined) continue;
        const response = await send({ ...request, headers: [...request.headers, again] });
        assert.ok(response.status === 400 || response.status === 403, `${family} ${name}: ${response.status}`);
      }
    }
  });

  it('finds the object of an odd path, and only of that path', async () => {
    for (const path of [
      '/signed-requests/a//b',
      '/signed-requests//a',
      '/signed-requests/./a/../b',
      '/signed-requests/a b+c%2F',
      '/signed-requests/ünïcode/日本/😀',
      '/signed-requests/a/',
      "/signed-requests/~!*'();:@&=$,?#[]",
      '/signed-requests/..',
    ]) {
      const body = Buffer.from(`content of ${path}`);
      await accepts(signed('s3', {}, { method: 'PUT', path, body }), path);
      const response = await accepts(signed('s3', {}, { path }), path);
      assert.equal(response.text, body.toString());
    }
    const list = await accepts(
      signed(
        's3',
        {},
        {
          path: '/signed-requests',
          query: [
            ['list-type', '2'],
            ['encoding-type', 'url'],
          ],
        },
      ),
    );
    assert.equal([...list.text.matchAll(/<Key>/g)].length, 8);
  });

  it('takes a path in whatever encoding the client chose, when the signature is over SigV4’s own', async () => {
    const path = '/signed-requests/a-b_c.d~e (é)';
    await accepts(signed('s3', {}, { method: 'PUT', path, body: Buffer.from('x') }));
    const request = signed('s3', {}, { path });
    for (const target of [
      '/signed-requests/%61-b_c.d%7Ee%20%28%c3%a9%29',
      '/signed-requests/a-b_c.d~e%20(%C3%A9)',
      '/%73igned-requests/a%2db%5fc%2ed~e%20(%c3%A9)',
    ]) {
      await accepts({ ...request, target }, target);
    }
  });

  it('signs odd queries by what they mean', async () => {
    const query = [
      ['list-type', '2'],
      ['prefix', 'a b+c&d=é/%'],
      ['b', ''],
      ['b', '2'],
      ['b', '10'],
      ['B', ''],
      ['q-', '1'],
      ['q', '2'],
      ['q.', '3'],
    ] as const;
    const path = '/signed-requests';
    const request = signed('s3', {}, { path, query });
    const response = await accepts(request);
    assert.match(response.text, /<Prefix>a b\+c&amp;d=é\/%<\/Prefix>/);
    const [, text = ''] = request.target.split('?');
    const variants = [
      text.split('&').reverse().join('&'),
      text.replaceAll('%20', '+'),
      text.replace('b=&', 'b&'),
      `&&${text}&`,
      text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
    ];
    for (const variant of variants) await accepts({ ...request, target: `${path}?${variant}` }, variant);
    // A plus that was signed as a plus must not turn into a space on the way.
    const changed = await send({ ...request, target: `${path}?${text.replace('%2B', '+')}` });
    isRefused('s3', changed, BAD_SIGNATURE);
  });

  it('normalises paths of the other services before routing, as the signature does', async () => {
    const options = optionsFor('rest');
    for (const path of ['//2017-08-29//queues', '/2017-08-29/./queues', '/x/../2017-08-29/queues']) {
      await accepts(signHeader({ method: 'GET', path }, options), path);
    }
    // INVARIANT: a listing that was signed does not become a look-up of `.` or `..`.
    const request = signHeader({ method: 'GET', path: '/2017-08-29/queues' }, options);
    const changed = await accepts({ ...request, target: '/2017-08-29/queues/.' });
    assert.match(changed.text, /"queues":/);
  });

  it('checks a declared payload hash, in every family', async () => {
    const wrong = sha256('something else');
    const put = { method: 'PUT', path: '/signed-requests/hash', body: Buffer.from('body') };
    const response = await send(signHeader(put, optionsFor('s3', { payloadHash: wrong })));
    assert.deepEqual([response.status, errorCodeOf(response)], [400, 'XAmzContentSHA256Mismatch']);
    assert.match(response.text, new RegExp(`<ClientComputedContentSHA256>${wrong}<`));
    for (const family of ['json', 'query'] as const) {
      const { request } = FAMILIES[family];
      const declared = [...request.headers, ['x-amz-content-sha256', wrong]] as const;
      const lied = signHeader({ ...request, headers: declared }, optionsFor(family, { payloadHash: wrong }));
      isRefused(family, await send(lied), BAD_SIGNATURE);
      const unsigned = [...request.headers, ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD']] as const;
      const open = { ...request, headers: unsigned };
      isRefused(
        family,
        await send(signHeader(open, optionsFor(family, { payloadHash: 'UNSIGNED-PAYLOAD' }))),
        BAD_SIGNATURE,
        'unsigned',
      );
      const changed = { ...signed(family), body: Buffer.from(`${request.body.toString()} `) };
      isRefused(family, await send(changed), BAD_SIGNATURE, 'changed body');
    }
    const bad = await send(signed('s3', { payloadHash: 'nonsense' }));
    assert.deepEqual([bad.status, errorCodeOf(bad)], [400, 'InvalidArgument']);
    const without = signed('s3', { unsigned: ['x-amz-content-sha256'] });
    const response2 = await send({
      ...without,
      headers: without.headers.filter(([name]) => name !== 'x-amz-content-sha256'),
    });
    assert.deepEqual([response2.status, errorCodeOf(response2)], [400, 'InvalidRequest']);
  });

  it('tells nothing of the expected signature', async () => {
    const request = signed('s3');
    const response = await send(withAuthorization(request, (value) => `${value.slice(0, -64)}${'0'.repeat(64)}`));
    isRefused('s3', response, BAD_SIGNATURE);
    assert.ok(!response.text.includes(request.signature));
    assert.ok(!response.text.includes(root.secretAccessKey));
  });
});
