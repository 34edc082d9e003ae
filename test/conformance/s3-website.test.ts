import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  DeleteBucketWebsiteCommand,
  GetBucketWebsiteCommand,
  PutBucketPolicyCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  type WebsiteConfiguration,
} from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { type RawResponse, sendRaw } from '../harness/raw-connection.ts';

const Bucket = 'my.site';
const OBJECTS: Readonly<Record<string, string>> = {
  'index.html': 'home',
  'docs/index.html': 'the docs',
  'errors/404.html': 'not here, sorry',
  'a ü.html': 'odd name',
};

let platform: TestPlatform;
let s3: S3Client;

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client(platform.clientConfig());
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const [Key, Body] of Object.entries(OBJECTS)) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'text/html', Metadata: { a: 'b' } }));
  }
  await s3.send(new PutObjectCommand({ Bucket, Key: 'moved', WebsiteRedirectLocation: '/docs/', Body: '' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'secret.html', Body: 'x', ServerSideEncryption: 'aws:kms' }));
  await allow(['s3:GetObject', 's3:ListBucket']);
});

after(async () => {
  s3.destroy();
  await platform.stop();
});

async function allow(Action: readonly string[]): Promise<void> {
  const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
  const Statement = [{ Effect: 'Allow', Principal: '*', Action, Resource }];
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
}

const configure = (WebsiteConfiguration: WebsiteConfiguration) =>
  s3.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration }));
const site: WebsiteConfiguration = { IndexDocument: { Suffix: 'index.html' } };

function get(target: string, method = 'GET', host = `${Bucket}.s3-website-us-east-1.localhost`): Promise<RawResponse> {
  const headers = [['Host', host]] as const;
  return sendRaw(platform.endpoint, { method, target, headers, body: Buffer.alloc(0) });
}

test('index documents are shown for folders, and folders are led to with a slash', async () => {
  await configure(site);
  for (const host of ['s3-website-us-east-1.localhost', 's3-website.us-east-1.localhost', 's3-website.localhost']) {
    const { status, text, headers } = await get('/', 'GET', `${Bucket}.${host}:4566`);
    assert.deepEqual([status, text, headers.get('content-type')], [200, 'home', 'text/html']);
  }
  assert.equal((await get('/docs/')).text, 'the docs');
  const { status, headers } = await get('/docs');
  assert.deepEqual([status, headers.get('location')], [302, '/docs/']);
  assert.equal((await get('/a%20%C3%BC.html?x=y')).text, 'odd name');
  const head = await get('/', 'HEAD');
  assert.deepEqual([head.status, head.headers.get('content-length'), head.text], [200, '4', '']);
});

test('what is not there is a page for people, with the code in a header', async () => {
  await configure(site);
  const { status, text, headers } = await get('/none');
  assert.deepEqual([status, headers.get('x-amz-error-code')], [404, 'NoSuchKey']);
  assert.match(text, /<title>404 Not Found<\/title>[^]*<li>Code: NoSuchKey<\/li>[^]*<li>Key: none<\/li>/);
  assert.match(headers.get('content-type') ?? '', /^text\/html/);
  assert.equal((await get('/', 'PUT')).status, 405);
  assert.match((await get('/', 'GET', 'nobody.s3-website.localhost')).text, /Code: NoSuchBucket/);
  // Names in a page are text.
  assert.doesNotMatch((await get('/%3Cscript%3E')).text, /<script>/);
});

test('an error document is shown with the status of the error', async () => {
  await configure({ ...site, ErrorDocument: { Key: 'errors/404.html' } });
  const { status, text } = await get('/none');
  assert.deepEqual([status, text], [404, 'not here, sorry']);
  await configure({ ...site, ErrorDocument: { Key: 'errors/none.html' } });
  assert.match((await get('/none')).text, /An Error Occurred While Attempting to Retrieve a Custom Error Document/);
});

test('redirects of objects, of rules and of the whole site are followed', async () => {
  await configure({
    ...site,
    RoutingRules: [
      { Condition: { KeyPrefixEquals: 'old/' }, Redirect: { ReplaceKeyPrefixWith: 'docs/' } },
      {
        Condition: { KeyPrefixEquals: 'gone' },
        Redirect: { ReplaceKeyWith: 'errors/404.html', HttpRedirectCode: '307' },
      },
      { Condition: { HttpErrorCodeReturnedEquals: '404' }, Redirect: { HostName: 'other.example', Protocol: 'https' } },
    ],
  });
  const host = `http://${Bucket}.s3-website-us-east-1.localhost`;
  for (const [target, status, location] of [
    ['/moved', 301, '/docs/'],
    ['/old/a/b', 301, `${host}/docs/a/b`],
    ['/gone.html', 307, `${host}/errors/404.html`],
    ['/none/x', 301, 'https://other.example/none/x'],
  ] as const) {
    const answer = await get(target);
    assert.deepEqual([answer.status, answer.headers.get('location')], [status, location], target);
  }
  await configure({ RedirectAllRequestsTo: { HostName: 'www.example' } });
  assert.equal((await get('/a/b')).headers.get('location'), 'http://www.example/a/b');
});

test('a website shows what an anonymous caller may read, and no more', async () => {
  await configure(site);
  assert.equal((await get('/secret.html')).status, 400);
  await allow(['s3:GetObject']);
  // Who may not list is not told what is there; folders are led to all the same.
  assert.equal((await get('/none')).status, 403);
  assert.equal((await get('/docs')).status, 302);
  const PublicAccessBlockConfiguration = { RestrictPublicBuckets: true };
  await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
  const { status, text } = await get('/');
  assert.equal(status, 403);
  assert.match(text, /<li>Code: AccessDenied<\/li>/);
  await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: {} }));
});

test('settings that cannot work are refused, and sound ones told until they are taken away', async () => {
  const one = { ReplaceKeyWith: 'a' };
  for (const [wrong, name] of [
    [{}, 'InvalidArgument'],
    [{ IndexDocument: { Suffix: 'a/b' } }, 'InvalidArgument'],
    [{ ...site, RedirectAllRequestsTo: { HostName: 'x' } }, 'InvalidRequest'],
    [{ ...site, RoutingRules: [{ Redirect: { ...one, ReplaceKeyPrefixWith: 'b' } }] }, 'InvalidRequest'],
    [{ ...site, RoutingRules: [{ Redirect: { ...one, HttpRedirectCode: '300' } }] }, 'InvalidRequest'],
    [
      { ...site, RoutingRules: [{ Condition: { HttpErrorCodeReturnedEquals: '200' }, Redirect: one }] },
      'InvalidRequest',
    ],
  ] as const) {
    await assert.rejects(configure(wrong as unknown as WebsiteConfiguration), { name }, JSON.stringify(wrong));
  }
  const sound = { ...site, ErrorDocument: { Key: 'e' }, RoutingRules: [{ Redirect: one }] };
  await configure(sound);
  const { $metadata: _, ...told } = await s3.send(new GetBucketWebsiteCommand({ Bucket }));
  assert.deepEqual(told, sound);
  await s3.send(new DeleteBucketWebsiteCommand({ Bucket }));
  await assert.rejects(s3.send(new GetBucketWebsiteCommand({ Bucket })), { name: 'NoSuchWebsiteConfiguration' });
  assert.match((await get('/')).text, /Code: NoSuchWebsiteConfiguration/);
});
