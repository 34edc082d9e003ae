import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const Bucket = 'pages';
const PAGE = 'https://studio.example.com';

let platform: TestPlatform;
let root: S3Client;

before(async () => {
  platform = await startTestPlatform();
  root = new S3Client(platform.clientConfig());
  for (const name of [Bucket, 'no-pages']) await root.send(new CreateBucketCommand({ Bucket: name }));
  await root.send(new PutObjectCommand({ Bucket, Key: 'film', Body: 'content' }));
  const rules = [
    {
      AllowedOrigins: ['https://*.example.com'],
      AllowedMethods: ['GET', 'PUT'],
      AllowedHeaders: ['range', 'x-amz-*'],
      ExposeHeaders: ['ETag', 'x-amz-request-id'],
      MaxAgeSeconds: 300,
    },
    { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] },
  ];
  await root.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: rules } }));
});

after(async () => {
  root.destroy();
  await platform.stop();
});

async function ask(path: string, headers: Record<string, string>) {
  const response = await fetch(platform.endpoint + path, { method: 'OPTIONS', headers });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

test('a preflight is answered without a signature with what the first fitting rule allows', async () => {
  const { status, headers, body } = await ask(`/${Bucket}/any/key`, {
    Origin: PAGE,
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'Range, X-Amz-Meta-Title',
  });
  assert.deepEqual([status, body], [200, '']);
  assert.equal(headers.get('access-control-allow-origin'), PAGE);
  assert.equal(headers.get('access-control-allow-methods'), 'GET, PUT');
  assert.equal(headers.get('access-control-allow-headers'), 'range, x-amz-meta-title');
  assert.equal(headers.get('access-control-expose-headers'), 'ETag, x-amz-request-id');
  assert.equal(headers.get('access-control-max-age'), '300');
  assert.equal(headers.get('access-control-allow-credentials'), 'true');
  assert.match(headers.get('vary') ?? '', /Origin/);
});

test('a preflight that no rule allows is refused, and says why', async () => {
  const asking = { Origin: PAGE, 'Access-Control-Request-Method': 'GET' };
  const cases = [
    [`/${Bucket}/film`, { ...asking, Origin: 'https://example.org' }, 403, /CORSResponse: This CORS request is not/],
    [`/${Bucket}/film`, { ...asking, 'Access-Control-Request-Method': 'DELETE' }, 403, /CORSResponse: This CORS/],
    [`/${Bucket}/film`, { ...asking, 'Access-Control-Request-Headers': 'x-other' }, 403, /CORSResponse: This CORS/],
    ['/no-pages/film', asking, 403, /CORSResponse: CORS is not enabled for this bucket/],
    ['/there-is-none', asking, 403, /CORSResponse: Bucket not found/],
    [`/${Bucket}`, { Origin: PAGE }, 400, /Invalid Access-Control-Request-Method: null/],
    [`/${Bucket}`, { 'Access-Control-Request-Method': 'GET' }, 400, /Origin request header needed/],
  ] as const;
  for (const [path, headers, expected, text] of cases) {
    const { status, body, headers: answered } = await ask(path, headers);
    assert.equal(status, expected, path);
    assert.match(body, text);
    assert.equal(answered.get('access-control-allow-origin'), null);
  }
});

test('answers and errors bear the headers where the rules allow the page, and only there', async () => {
  const url = await getSignedUrl(root, new GetObjectCommand({ Bucket, Key: 'film' }));
  const get = async (address: string, origin: string, method = 'GET') => {
    const { status, headers } = await fetch(address, { method, headers: { Origin: origin } });
    return [status, headers.get('access-control-allow-origin'), headers.get('access-control-expose-headers')];
  };
  assert.deepEqual(await get(url, PAGE), [200, PAGE, 'ETag, x-amz-request-id']);
  assert.deepEqual(await get(url, 'https://example.org'), [200, null, null]);
  assert.deepEqual(await get(`${url}0`, PAGE), [403, PAGE, 'ETag, x-amz-request-id']);
  assert.deepEqual(await get(`${platform.endpoint}/${Bucket}/film`, PAGE), [403, PAGE, 'ETag, x-amz-request-id']);
  assert.deepEqual(await get(`${platform.endpoint}/${Bucket}/film`, 'https://example.org', 'HEAD'), [403, '*', null]);
});

test('the rules are told as they were given, and are gone from the next request on when they are deleted', async () => {
  const { CORSRules = [] } = await root.send(new GetBucketCorsCommand({ Bucket }));
  assert.deepEqual(CORSRules[1], { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] });
  assert.equal(CORSRules[0]?.MaxAgeSeconds, 300);
  await root.send(new DeleteBucketCorsCommand({ Bucket }));
  await assert.rejects(root.send(new GetBucketCorsCommand({ Bucket })), { name: 'NoSuchCORSConfiguration' });
  const { status } = await ask(`/${Bucket}/film`, { Origin: PAGE, 'Access-Control-Request-Method': 'GET' });
  assert.equal(status, 403);
});
