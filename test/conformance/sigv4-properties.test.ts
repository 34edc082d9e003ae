import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, headOf, RawConnection, type RawResponse } from '../harness/raw-connection.ts';
import {
  presign,
  type Signed,
  type SigningCredentials,
  signHeader,
  type UnsignedRequest,
  type WireRequest,
} from '../harness/sigv4-signer.ts';

type Pairs = (readonly [name: string, value: string])[];

const segment = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', '.', '..', 'a b', 'a+b', '%2F', '%', 'ü', '~', "'()*!", ';=&$,@', 'a?b#c'),
);
// Without NUL and without lone surrogates, which no key may have.
const key = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => `k${segments.join('/')}`.replaceAll('\0', ''))
  .filter((text) => text.isWellFormed());
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
const query: fc.Arbitrary<Pairs> = fc.array(
  fc.tuple(
    word.map((name) => `q-${name}`),
    fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text.isWellFormed()),
  ),
  { maxLength: 4 },
);
const headers: fc.Arbitrary<Pairs> = fc.array(
  fc.tuple(
    word.map((name) => `x-custom-${name}`),
    // Any bytes that a header may have; in Latin-1 one character is one.
    fc
      .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), { maxLength: 12 })
      .map((codes) => String.fromCharCode(...codes)),
  ),
  { maxLength: 4 },
);

const request: fc.Arbitrary<UnsignedRequest> = fc.record({
  method: fc.constantFrom('GET', 'DELETE'),
  path: key.map((text) => `/property/${text}`),
  query,
  headers,
});

/** Whose signature was right: the object is not there (GET), or was not (DELETE). */
function isAccepted(response: RawResponse): boolean {
  return response.status === 204 || errorCodeOf(response) === 'NoSuchKey';
}

describe('SigV4 properties', () => {
  let platform: TestPlatform;
  let credentials: SigningCredentials;
  let connection: RawConnection;
  let host: string;

  before(async () => {
    platform = await startTestPlatform();
    credentials = platform.clientConfig().credentials;
    host = new URL(platform.endpoint).host;
    const s3 = new S3Client(platform.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'property' }));
    s3.destroy();
    connection = await RawConnection.open(platform.endpoint);
  });
  after(async () => {
    connection.destroy();
    await platform.stop();
  });

  /** All on one connection, which no answer may spoil. */
  async function send(wire: WireRequest): Promise<RawResponse> {
    connection.write(Buffer.concat([Buffer.from(headOf(wire), 'latin1'), wire.body]));
    const response = await connection.read({ isHead: wire.method === 'HEAD' });
    assert.notEqual(response.headers.get('connection'), 'close');
    return response;
  }

  const options = () => ({ credentials, service: 's3', host });

  it('accepts whatever was signed in a header', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (unsigned) => {
        const response = await send(signHeader(unsigned, options()));
        assert.ok(isAccepted(response), `${response.status} ${response.text}`);
      }),
      { numRuns: 300 },
    );
  });

  it('accepts whatever was signed in the query', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (unsigned) => {
        const response = await send(presign(unsigned, { ...options(), expires: 60 }));
        assert.ok(isAccepted(response), `${response.status} ${response.text}`);
      }),
      { numRuns: 150 },
    );
  });

  it('accepts any body of a service that hashes bodies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 40 }), async (text) => {
        const body = Buffer.from(JSON.stringify({ Limit: 10, unknown: text }));
        const wire = signHeader(
          { method: 'POST', path: '/', headers: [['X-Amz-Target', 'TrentService.ListKeys']], body },
          { ...options(), service: 'kms' },
        );
        assert.equal((await send(wire)).status, 200);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses every change of a signed part', async () => {
    const mutation = fc.constantFrom(...Object.keys(MUTATIONS));
    await fc.assert(
      fc.asyncProperty(request, mutation, fc.nat(), fc.boolean(), async (unsigned, name, seed, isPresigned) => {
        const signed = isPresigned ? presign(unsigned, { ...options(), expires: 60 }) : signHeader(unsigned, options());
        const changed = MUTATIONS[name]?.(signed, seed);
        fc.pre(changed !== undefined);
        const response = await send(changed);
        assert.ok(response.status >= 400 && response.status < 500, `${name}: ${response.status}`);
        assert.ok(!isAccepted(response), `${name} was accepted: ${response.text}`);
      }),
      { numRuns: 600 },
    );
  });
});

type Mutation = (signed: Signed, seed: number) => WireRequest | undefined;

function changeHeader(name: RegExp, change: (value: string, seed: number) => string): Mutation {
  return (signed, seed) => {
    const index = signed.headers.findIndex(([candidate]) => name.test(candidate));
    if (index < 0) return undefined;
    const changed = signed.headers.map(
      ([candidate, value], at) => [candidate, at === index ? change(value, seed) : value] as const,
    );
    return { ...signed, headers: changed };
  };
}

function changeTarget(change: (path: string, query: string, seed: number) => string | undefined): Mutation {
  return (signed, seed) => {
    const [path = '', text = ''] = signed.target.split('?');
    const target = change(path, text, seed);
    return target === undefined || target === signed.target ? undefined : { ...signed, target };
  };
}

function changeHexDigit(text: string, seed: number): string {
  const at = text.length - 1 - (seed % 64);
  return `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  method: (signed) => ({ ...signed, method: signed.method === 'GET' ? 'DELETE' : 'GET' }),
  'path longer': changeTarget((path, query) => `${path}x?${query}`),
  'path of another bucket': changeTarget((path, query) => `${path.replace('/property/', '/propertx/')}?${query}`),
  'another parameter': changeTarget((path, query) => `${path}?${query}&q-added=1`),
  'a parameter fewer': changeTarget((path, query) => {
    const parts = query.split('&');
    return parts.some((part) => part.startsWith('q-'))
      ? `${path}?${parts.filter((part) => !part.startsWith('q-')).join('&')}`
      : undefined;
  }),
  'a parameter longer': changeTarget((path, query) =>
    query.includes('q-') ? `${path}?${query.replace(/(q-[^=]*=)/, '$1x')}` : undefined,
  ),
  'a plus for %2B': changeTarget((path, query) =>
    query.includes('%2B') ? `${path}?${query.replace('%2B', '+')}` : undefined,
  ),
  'a header longer': changeHeader(/^x-custom-/, (value) => `${value}x`),
  'a header more': (signed) => {
    const known = signed.headers.find(([name]) => name.startsWith('x-custom-'));
    return known === undefined ? undefined : { ...signed, headers: [...signed.headers, [known[0], 'more']] };
  },
  'a header fewer': (signed) => {
    const names = signed.headers.filter(([name]) => name.startsWith('x-custom-'));
    return names.length === 0
      ? undefined
      : { ...signed, headers: signed.headers.filter(([name]) => !name.startsWith('x-custom-')) };
  },
  'another x-amz- header': (signed) => ({
    ...signed,
    headers: [...signed.headers, ['x-amz-request-payer', 'requester']],
  }),
  host: changeHeader(/^host$/i, (value) => `x${value}`),
  date: changeHeader(/^x-amz-date$/i, (value) => value.replace(/\d{2}Z$/, (end) => (end === '00Z' ? '01Z' : '00Z'))),
  'payload hash': changeHeader(/^x-amz-content-sha256$/i, changeHexDigit),
  'unsigned payload': changeHeader(/^x-amz-content-sha256$/i, () => 'UNSIGNED-PAYLOAD'),
  signature: changeHeader(/^authorization$/i, changeHexDigit),
  region: changeHeader(/^authorization$/i, (value) => value.replace('us-east-1', 'us-west-2')),
  service: changeHeader(/^authorization$/i, (value) => value.replace('/s3/', '/kms/')),
  'signed headers': changeHeader(/^authorization$/i, (value) => value.replace('x-amz-date', 'x-amz-date;user-agent')),
  'query signature': changeTarget((path, query, seed) => {
    if (!query.includes('X-Amz-Signature=')) return undefined;
    return `${path}?${query.replace(/X-Amz-Signature=\w+/, (text) => changeHexDigit(text, seed))}`;
  }),
  expires: changeTarget((path, query) =>
    query.includes('X-Amz-Expires') ? `${path}?${query.replace('X-Amz-Expires=60', 'X-Amz-Expires=61')}` : undefined,
  ),
  'presigned date': changeTarget((path, query) =>
    !query.includes('X-Amz-Date')
      ? undefined
      : `${path}?${query.replace(/(X-Amz-Date=\w+)(\d\dZ)/, (_, head: string, end: string) => `${head}${end === '00Z' ? '01Z' : '00Z'}`)}`,
  ),
};
