import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, headOf, RawConnection, type RawResponse, sendRaw } from '../harness/raw-connection.ts';
import { type Signed, type SigningCredentials, signHeader, type UnsignedRequest } from '../harness/sigv4-signer.ts';

const BUCKET = 'limits';
const MIB = 1024 * 1024;
const TIB = 1024 ** 4;

/** More than anybody should ask for. */
describe('what goes beyond the limits', () => {
  let platform: TestPlatform;
  let s3: S3Client;
  let credentials: SigningCredentials;
  let host: string;

  before(async () => {
    platform = await startTestPlatform();
    credentials = platform.clientConfig().credentials;
    host = new URL(platform.endpoint).host;
    s3 = new S3Client(platform.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });
  after(async () => {
    s3.destroy();
    await platform.stop();
  });

  function sign(request: UnsignedRequest, payloadHash?: string): Signed {
    return signHeader(request, { credentials, service: 's3', host, ...(payloadHash !== undefined && { payloadHash }) });
  }

  const send = (request: UnsignedRequest): Promise<RawResponse> => sendRaw(platform.endpoint, sign(request));

  it('in XML is refused, in every operation that takes any', async () => {
    const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
    const bomb = (root: string) =>
      `<?xml version="1.0"?><!DOCTYPE b [<!ENTITY l0 "ha">${laughs}]><${root}>&l9;</${root}>`;
    const outside = (root: string) =>
      `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><${root}>&f;</${root}>`;
    const deep = (root: string) => `<${root}>${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}</${root}>`;
    const unclosed = (root: string) => `<${root}>${'<a>'.repeat(100_000)}`;
    const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'x' }));
    for (const [method, path, query, root] of [
      ['PUT', '/new-bucket', [], 'CreateBucketConfiguration'],
      ['POST', `/${BUCKET}`, [['delete', '']], 'Delete'],
      ['PUT', `/${BUCKET}`, [['tagging', '']], 'Tagging'],
      ['PUT', `/${BUCKET}`, [['versioning', '']], 'VersioningConfiguration'],
      ['PUT', `/${BUCKET}`, [['lifecycle', '']], 'LifecycleConfiguration'],
      ['PUT', `/${BUCKET}`, [['cors', '']], 'CORSConfiguration'],
      ['PUT', `/${BUCKET}`, [['encryption', '']], 'ServerSideEncryptionConfiguration'],
      ['PUT', `/${BUCKET}`, [['publicAccessBlock', '']], 'PublicAccessBlockConfiguration'],
      ['PUT', `/${BUCKET}`, [['ownershipControls', '']], 'OwnershipControls'],
      ['PUT', `/${BUCKET}`, [['object-lock', '']], 'ObjectLockConfiguration'],
      ['PUT', `/${BUCKET}`, [['requestPayment', '']], 'RequestPaymentConfiguration'],
      ['POST', `/${BUCKET}/x`, [['uploadId', UploadId]], 'CompleteMultipartUpload'],
    ] as const) {
      for (const [name, make] of [
        ['expanding entities', bomb],
        ['entities from outside', outside],
        ['depth', deep],
        ['depth without end', unclosed],
      ] as const) {
        const body = Buffer.from(make(root));
        const started = performance.now();
        const md5 = createHash('md5').update(body).digest('base64');
        const response = await send({ method, path, query, body, headers: [['Content-MD5', md5]] });
        assert.equal(response.status, 400, `${root}, ${name}: ${response.status} ${response.text.slice(0, 300)}`);
        assert.ok(!response.text.includes('root:'), root);
        assert.ok(performance.now() - started < 3000, `${root}, ${name} took too long`);
      }
    }
    await s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: 'x', UploadId }));
  });

  it('in keys, metadata and tags is refused', async () => {
    const put = (key: string, headers: UnsignedRequest['headers'] = []) =>
      send({ method: 'PUT', path: `/${BUCKET}/${key}`, headers, body: Buffer.from('x') });
    const meta = (size: number) => [['x-amz-meta-a', 'v'.repeat(size - 1)]] as const;
    for (const [response, status, code] of [
      [put('k'.repeat(1024)), 200, ''],
      [put('k'.repeat(1025)), 400, 'KeyTooLongError'],
      // 1,024 bytes, not characters.
      [put('é'.repeat(512)), 200, ''],
      [put('é'.repeat(513)), 400, 'KeyTooLongError'],
      [put('meta', meta(2048)), 200, ''],
      [put('meta', meta(2049)), 400, 'MetadataTooLarge'],
      [
        put(
          'meta',
          Array.from({ length: 300 }, (_, i) => [`x-amz-meta-name-${i}`, ''] as const),
        ),
        400,
        'MetadataTooLarge',
      ],
      [put('tags', [['x-amz-tagging', Array.from({ length: 11 }, (_, i) => `k${i}=v`).join('&')]]), 400, 'InvalidTag'],
      [put('tags', [['x-amz-tagging', `${'k'.repeat(129)}=v`]]), 400, 'InvalidTag'],
      [put('tags', [['x-amz-tagging', 'a=1&a=2']]), 400, 'InvalidTag'],
    ] as const) {
      const got = await response;
      assert.deepEqual([got.status, errorCodeOf(got)], [status, code], got.text);
    }
    for (const key of [
      '\0',
      'a\0b',
      '\x01\x1f\x7f',
      '\ufffe\uffff',
      '\u202e\u200b',
      '\r\nX: y',
      '..',
      '/..//',
      '%00',
    ]) {
      const body = randomBytes(100);
      const path = `/${BUCKET}/${key}`;
      const stored = await send({ method: 'PUT', path, body });
      assert.equal(stored.status, 200, `${JSON.stringify(key)}: ${stored.text}`);
      assert.ok((await send({ method: 'GET', path })).body.equals(body), JSON.stringify(key));
      assert.equal((await send({ method: 'DELETE', path })).status, 204);
    }
    // Bytes that are no UTF-8: a half of a character, a surrogate, more bytes than needed.
    for (const bytes of ['%C3', '%ED%A0%80', '%C0%AF', '%F8%88%80%80%80', '%FF', 'a%', '%G0']) {
      const request = sign({ method: 'GET', path: `/${BUCKET}/x` });
      const response = await sendRaw(platform.endpoint, { ...request, target: `/${BUCKET}/${bytes}` });
      assert.ok(response.status === 400 || response.status === 403, `${bytes}: ${response.status}`);
    }
  });

  it('in size is refused by what is declared, before any of it is read', async () => {
    const declared = (
      size: number | string,
      headers: UnsignedRequest['headers'] = [],
      query: UnsignedRequest['query'] = [],
    ) =>
      sign(
        {
          method: 'PUT',
          path: `/${BUCKET}/large`,
          query,
          headers: [['Content-Length', String(size)], ['Expect', '100-continue'], ...(headers ?? [])],
        },
        'UNSIGNED-PAYLOAD',
      );
    const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'large' }));
    const part = (number: string) =>
      [
        ['partNumber', number],
        ['uploadId', UploadId],
      ] as const;
    const over = 5 * 1024 ** 3 + 1;
    for (const [request, code] of [
      [declared(over), 'EntityTooLarge'],
      [declared(5 * TIB + 1), 'EntityTooLarge'],
      [declared(over, [], part('1')), 'EntityTooLarge'],
      [declared(1, [], part('0')), 'InvalidArgument'],
      [declared(1, [], part('10001')), 'InvalidArgument'],
      [declared(1, [], part('-1')), 'InvalidArgument'],
      [declared(1, [], part('1e3')), 'InvalidArgument'],
    ] as const) {
      const connection = await RawConnection.open(platform.endpoint);
      connection.write(headOf(request));
      const response = await connection.read();
      connection.destroy();
      assert.deepEqual([response.status, errorCodeOf(response)], [400, code], `${request.target}: ${response.text}`);
    }
    await s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: 'large', UploadId }));
    const range = sign({ method: 'PUT', path: `/${BUCKET}/range` });
    assert.equal((await sendRaw(platform.endpoint, range)).status, 200);
  });

  it('in number is refused: parts, and keys to delete', async () => {
    const complete = (numbers: readonly number[], UploadId: string, ETag: string) => {
      const parts = numbers.map((n) => `<Part><PartNumber>${n}</PartNumber><ETag>${ETag}</ETag></Part>`).join('');
      const body = Buffer.from(`<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`);
      return send({ method: 'POST', path: `/${BUCKET}/parts`, query: [['uploadId', UploadId]], body });
    };
    const place = { Bucket: BUCKET, Key: 'parts' };
    const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand(place));
    const ETags: string[] = [];
    for (const PartNumber of [1, 2, 3]) {
      const { ETag = '' } = await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body: 'tiny' }));
      ETags.push(ETag);
    }
    const [ETag = ''] = ETags;
    const from = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);
    for (const [response, code] of [
      [complete([1, 2, 3], UploadId, ETag), 'EntityTooSmall'],
      [complete([2, 1], UploadId, ETag), 'InvalidPartOrder'],
      [complete([1, 1], UploadId, ETag), 'InvalidPartOrder'],
      [complete([1, 4], UploadId, ETag), 'InvalidPart'],
      [complete([1], UploadId, '"0"'), 'InvalidPart'],
      [complete([0], UploadId, ETag), 'InvalidPartOrder'],
      [complete([], UploadId, ETag), 'MalformedXML'],
      [complete(from(1, 10_001), UploadId, ETag), 'InvalidPart'],
    ] as const) {
      const got = await response;
      assert.ok(got.status === 400, `${code}: ${got.status} ${got.text.slice(0, 300)}`);
      assert.equal(errorCodeOf(got), code, got.text.slice(0, 300));
    }
    await assert.rejects(s3.send(new HeadObjectCommand(place)), { name: 'NotFound' });
    const completed = { ...place, UploadId, MultipartUpload: { Parts: [{ PartNumber: 3, ETag: ETags[2] }] } };
    await s3.send(new CompleteMultipartUploadCommand(completed));
    assert.equal((await s3.send(new HeadObjectCommand(place))).ContentLength, 4);
    const batch = (count: number) => {
      const body = Buffer.from(
        `<Delete>${from(0, count)
          .map((n) => `<Object><Key>n${n}</Key></Object>`)
          .join('')}</Delete>`,
      );
      const md5 = createHash('md5').update(body).digest('base64');
      return send({
        method: 'POST',
        path: `/${BUCKET}`,
        query: [['delete', '']],
        headers: [['Content-MD5', md5]],
        body,
      });
    };
    const many = await batch(1001);
    assert.deepEqual([many.status, errorCodeOf(many)], [400, 'MalformedXML']);
    assert.equal((await batch(0)).status, 400);
    assert.equal((await send({ method: 'HEAD', path: `/${BUCKET}/parts` })).status, 200);
  });

  it('in tiny parts and unfinished uploads costs disk and no memory, and they are listed and aborted', async () => {
    const place = { Bucket: BUCKET, Key: 'many' };
    const before = process.memoryUsage().rss;
    const UploadIds = await Promise.all(
      Array.from({ length: 200 }, async () => (await s3.send(new CreateMultipartUploadCommand(place))).UploadId),
    );
    const [UploadId = ''] = UploadIds;
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: index + 1, Body: 'x' })),
      ),
    );
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: 'many' }));
    assert.equal(Uploads.length, 200);
    await Promise.all(UploadIds.map((id) => s3.send(new AbortMultipartUploadCommand({ ...place, UploadId: id }))));
    assert.equal(
      (await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: 'many' }))).Uploads,
      undefined,
    );
    const grown = (process.memoryUsage().rss - before) / MIB;
    assert.ok(grown < 200, `${grown} MiB`);
  });

  it('in patience keeps nobody else waiting, and no memory: readers that do not read, writers that do not write', async () => {
    const size = 48 * MIB;
    const data = randomBytes(size);
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'stream', Body: data }));
    const before = process.memoryUsage().rss;
    const readers: RawConnection[] = [];
    const writers: RawConnection[] = [];
    for (let count = 0; count < 24; count++) {
      const reader = await RawConnection.open(platform.endpoint);
      reader.socket.pause();
      reader.write(headOf(sign({ method: 'GET', path: `/${BUCKET}/stream` })));
      readers.push(reader);
      const writer = await RawConnection.open(platform.endpoint);
      const headers = [['Content-Length', String(size)]] as const;
      writer.write(headOf(sign({ method: 'PUT', path: `/${BUCKET}/never-${count}`, headers }, 'UNSIGNED-PAYLOAD')));
      writer.write(Buffer.alloc(1000));
      writers.push(writer);
    }
    await sleep(500);
    const grown = (process.memoryUsage().rss - before) / MIB;
    // 24 readers of 48 MiB: a server that read ahead for them would hold 1,152 MiB.
    assert.ok(grown < 250, `${grown} MiB`);
    const started = performance.now();
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'stream', Range: 'bytes=0-99' }));
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(data.subarray(0, 100)));
    assert.ok(performance.now() - started < 2000, 'others are served');
    for (const connection of [...readers, ...writers]) connection.destroy();
    await sleep(200);
    const left = await send({
      method: 'GET',
      path: `/${BUCKET}`,
      query: [
        ['list-type', '2'],
        ['prefix', 'never-'],
      ],
    });
    assert.match(left.text, /<KeyCount>0<\/KeyCount>/, 'nothing is stored of what never came');
  });
});
