import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, errorMessageOf, type RawResponse, sendRaw } from '../harness/raw-connection.ts';
import { encode, encodePath, presign, type SigningCredentials } from '../harness/sigv4-signer.ts';

describe('presigned addresses', () => {
  let platform: TestPlatform;
  let s3: S3Client;
  let credentials: SigningCredentials;
  let host: string;

  before(async () => {
    platform = await startTestPlatform();
    s3 = new S3Client(platform.clientConfig());
    credentials = platform.clientConfig().credentials;
    host = new URL(platform.endpoint).host;
    await s3.send(new CreateBucketCommand({ Bucket: 'presigned' }));
    await s3.send(new PutObjectCommand({ Bucket: 'presigned', Key: 'a b+c', Body: 'content' }));
  });
  after(async () => {
    s3.destroy();
    await platform.stop();
  });

  it('carries headers in its query, which count as the headers that they were', async () => {
    const command = new PutObjectCommand({
      Bucket: 'presigned',
      Key: 'hoisted',
      Metadata: { title: 'two words', name: 'ü' },
      Tagging: 'a=b',
    });
    const url = await getSignedUrl(s3, command);
    assert.match(url, /x-amz-meta-title=two%20words/);
    assert.match(url, /x-amz-checksum-crc32=AAAAAA/, 'the checksum of nothing, which S3 does not look at');
    const right = await fetch(url, { method: 'PUT', body: 'content' });
    assert.equal(right.status, 200, await right.text());
    const stored = await s3.send(new GetObjectCommand({ Bucket: 'presigned', Key: 'hoisted' }));
    // S3 answers what is not ASCII as RFC 2047 has it.
    assert.deepEqual(stored.Metadata, { title: 'two words', name: '=?UTF-8?B?w7w=?=' });
    assert.equal(stored.TagCount, 1);
    const changed = await fetch(url.replace('two%20words', 'three'), { method: 'PUT', body: 'content' });
    assert.equal(changed.status, 403);
  });

  it('refuses a hoisted header that asks for what Coffer does not have', async () => {
    const request = { method: 'PUT', path: '/presigned/x', query: [['x-amz-acl', 'public-read']] } as const;
    const response = await sendRaw(
      platform.endpoint,
      presign(request, { credentials, service: 's3', host, expires: 9 }),
    );
    assert.deepEqual([response.status, errorCodeOf(response)], [400, 'AccessControlListNotSupported']);
  });

  it('names the hash of its payload in the query, if it likes', async () => {
    const hash = 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73';
    const request = { method: 'PUT', path: '/presigned/hash', query: [['X-Amz-Content-Sha256', hash]] } as const;
    const options = { credentials, service: 's3', host, expires: 9, payloadHash: hash };
    const signed = presign(request, options);
    assert.equal((await sendRaw(platform.endpoint, { ...signed, body: Buffer.from('content') })).status, 200);
    const other = await sendRaw(platform.endpoint, { ...signed, body: Buffer.from('CONTENT') });
    assert.equal(errorCodeOf(other), 'XAmzContentSHA256Mismatch');
  });

  describe('of signature version 2', () => {
    interface Old {
      readonly method?: string;
      readonly path?: string;
      readonly query?: readonly (readonly [string, string])[];
      readonly headers?: readonly (readonly [string, string])[];
      readonly expires?: number;
      readonly secret?: string;
      readonly keyId?: string;
      readonly host?: string;
      readonly resourcePrefix?: string;
    }

    const inAMinute = () => Math.floor(Date.now() / 1000) + 60;

    /** After the S3 developer guide; all of `query` is taken for part of the resource, or for an `x-amz-` header. */
    function address(old: Old): string {
      const { method = 'GET', path = '/presigned/a b+c', query = [], headers = [], expires = inAMinute() } = old;
      const amz = [...headers, ...query].filter(([name]) => name.startsWith('x-amz-'));
      const resource = query.filter(([name]) => !name.startsWith('x-amz-')).map(([name, value]) => `${name}=${value}`);
      const type = headers.find(([name]) => name === 'Content-Type')?.[1] ?? '';
      const text = `${method}\n\n${type}\n${expires}\n${amz
        .map(([name, value]) => `${name}:${value}\n`)
        .sort()
        .join(
          '',
        )}${old.resourcePrefix ?? ''}${encodePath(path)}${resource.length > 0 ? `?${resource.sort().join('&')}` : ''}`;
      const signature = createHmac('sha1', old.secret ?? credentials.secretAccessKey)
        .update(text)
        .digest('base64');
      const all = [
        ...query,
        ['AWSAccessKeyId', old.keyId ?? credentials.accessKeyId],
        ['Expires', String(expires)],
        ['Signature', signature],
      ] as const;
      return `${encodePath(path)}?${all.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')}`;
    }

    function fetchOld(old: Old, target = address(old), body = Buffer.alloc(0)): Promise<RawResponse> {
      const headers = [['Host', old.host ?? host] as const, ...(old.headers ?? [])];
      return sendRaw(platform.endpoint, { method: old.method ?? 'GET', target, headers, body });
    }

    function isRefused(response: RawResponse, status: number, code: string): void {
      assert.deepEqual([response.status, errorCodeOf(response)], [status, code], response.text);
    }

    it('works for S3', async () => {
      assert.equal((await fetchOld({})).text, 'content');
      const typed = await fetchOld({ query: [['response-content-type', 'text/x y']] });
      assert.equal(typed.headers.get('content-type'), 'text/x y');
      const put: Old = {
        method: 'PUT',
        path: '/presigned/old',
        headers: [['Content-Type', 'text/old']],
        query: [['x-amz-meta-note', 'kept']],
      };
      assert.equal((await fetchOld(put, address(put), Buffer.from('old'))).status, 200);
      const stored = await s3.send(new GetObjectCommand({ Bucket: 'presigned', Key: 'old' }));
      assert.deepEqual([stored.ContentType, stored.Metadata], ['text/old', { note: 'kept' }]);
      const hosted: Old = { path: '/a b+c', host: 'presigned.s3.localhost', resourcePrefix: '/presigned' };
      assert.equal((await fetchOld(hosted)).text, 'content');
    });

    it('works with temporary credentials, and their token alone', async () => {
      const sts = new STSClient(platform.clientConfig());
      const { Credentials } = await sts.send(new GetSessionTokenCommand({}));
      sts.destroy();
      const temporary: Old = { keyId: Credentials?.AccessKeyId ?? '', secret: Credentials?.SecretAccessKey ?? '' };
      const query = [['x-amz-security-token', Credentials?.SessionToken ?? '']] as const;
      assert.equal((await fetchOld({ ...temporary, query })).text, 'content');
      isRefused(await fetchOld(temporary), 403, 'InvalidAccessKeyId');
    });

    it('is refused with AWS’s codes', async () => {
      isRefused(await fetchOld({ secret: 'wrong' }), 403, 'SignatureDoesNotMatch');
      isRefused(await fetchOld({ keyId: 'AKIAUNKNOWN000000000' }), 403, 'InvalidAccessKeyId');
      const expired = await fetchOld({ expires: inAMinute() - 120 });
      isRefused(expired, 403, 'AccessDenied');
      assert.equal(errorMessageOf(expired), 'Request has expired');
      isRefused(await fetchOld({}, address({}).replace(/Expires=\d+/, 'Expires=soon')), 403, 'AccessDenied');
      isRefused(await fetchOld({}, address({}).replace(/&Expires=\d+/, '')), 403, 'AccessDenied');
    });

    it('covers everything that means something', async () => {
      const target = address({ query: [['response-content-type', 'text/x']] });
      const code = 'SignatureDoesNotMatch';
      isRefused(await fetchOld({ method: 'DELETE' }, target), 403, code);
      isRefused(await fetchOld({}, target.replace('a%20b', 'a%20c')), 403, code);
      isRefused(await fetchOld({}, target.replace('text%2Fx', 'text%2Fy')), 403, code);
      isRefused(await fetchOld({}, target.replace(/Expires=\d+/, `Expires=${inAMinute() + 999}`)), 403, code);
      for (const added of [
        'acl',
        'prefix=x',
        'list-type=2',
        'x-amz-meta-a=b',
        'versionId=null',
        'encryption',
        'attributes',
      ]) {
        isRefused(await fetchOld({}, `${target}&${added}`), 403, code);
      }
      isRefused(await fetchOld({ headers: [['x-amz-meta-a', 'b']] }, target), 403, code);
      isRefused(await fetchOld({ headers: [['Content-Type', 'text/z']] }, target), 403, code);
    });
  });
});
