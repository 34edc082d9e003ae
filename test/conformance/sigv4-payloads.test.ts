import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, RawConnection, type RawResponse, headOf, sendRaw } from '../harness/raw-connection.ts';
import {
  chunkedBody,
  type SigningCredentials,
  signHeader,
  type Signed,
  type WireRequest,
} from '../harness/sigv4-signer.ts';

const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const SIGNED_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/** The decoded payload, in the three chunks in which it is sent. */
const CHUNKS = [randomBytes(65_536), randomBytes(8_192), randomBytes(1)];
const CONTENT = Buffer.concat(CHUNKS);

describe('payloads of S3 as SigV4 signs them', () => {
  let platform: TestPlatform;
  let s3: S3Client;
  let credentials: SigningCredentials;

  before(async () => {
    platform = await startTestPlatform();
    credentials = platform.clientConfig().credentials;
    s3 = new S3Client(platform.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'payloads' }));
  });
  after(async () => {
    s3.destroy();
    await platform.stop();
  });

  const send = (request: WireRequest): Promise<RawResponse> => sendRaw(platform.endpoint, request);

  function put(key: string, payloadHash: string, headers: readonly (readonly [string, string])[] = []): Signed {
    const host = new URL(platform.endpoint).host;
    return signHeader(
      { method: 'PUT', path: `/payloads/${key}`, headers },
      { credentials, service: 's3', host, payloadHash },
    );
  }

  function putChunked(key: string, form: string, length = CONTENT.length, trailer?: string): Signed {
    return put(key, form, [
      ['Content-Encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', String(length)],
      ...(trailer === undefined ? [] : [['x-amz-trailer', trailer] as const]),
    ]);
  }

  async function isStored(key: string, expected: Buffer): Promise<void> {
    const { Body, ContentEncoding } = await s3.send(new GetObjectCommand({ Bucket: 'payloads', Key: key }));
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(expected), key);
    assert.equal(ContentEncoding, undefined, 'aws-chunked is not kept as a content encoding');
  }

  async function isRefused(key: string, response: RawResponse, status: number, code: string): Promise<void> {
    assert.deepEqual([response.status, errorCodeOf(response)], [status, code], response.text);
    await assert.rejects(s3.send(new GetObjectCommand({ Bucket: 'payloads', Key: key })), { name: 'NoSuchKey' });
  }

  function crc32Of(data: Buffer): string {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(data));
    return sum.toString('base64');
  }

  it('stores an unsigned payload', async () => {
    const response = await send({ ...put('unsigned', 'UNSIGNED-PAYLOAD'), body: CONTENT });
    assert.equal(response.status, 200, response.text);
    await isStored('unsigned', CONTENT);
  });

  it('stores signed chunks', async () => {
    const request = putChunked('signed', SIGNED);
    const response = await send({ ...request, body: chunkedBody(CHUNKS, { signed: request }) });
    assert.equal(response.status, 200, response.text);
    await isStored('signed', CONTENT);
  });

  it('stores an empty payload in chunks', async () => {
    const request = putChunked('empty', SIGNED, 0);
    assert.equal((await send({ ...request, body: chunkedBody([], { signed: request }) })).status, 200);
    await isStored('empty', Buffer.alloc(0));
  });

  it('stores signed chunks and checks a signed trailer', async () => {
    const trailer = [['x-amz-checksum-crc32', crc32Of(CONTENT)]] as const;
    const request = putChunked('signed-trailer', SIGNED_TRAILER, CONTENT.length, 'x-amz-checksum-crc32');
    const response = await send({ ...request, body: chunkedBody(CHUNKS, { signed: request, trailer }) });
    assert.equal(response.status, 200, response.text);
    assert.equal(response.headers.get('x-amz-checksum-crc32'), crc32Of(CONTENT));
    await isStored('signed-trailer', CONTENT);
  });

  it('stores unsigned chunks and checks their trailer', async () => {
    const trailer = [['x-amz-checksum-crc32', crc32Of(CONTENT)]] as const;
    const request = putChunked('trailer', UNSIGNED_TRAILER, CONTENT.length, 'x-amz-checksum-crc32');
    const response = await send({ ...request, body: chunkedBody(CHUNKS, { trailer }) });
    assert.equal(response.status, 200, response.text);
    await isStored('trailer', CONTENT);
  });

  it('refuses a checksum in the trailer that is not the payload’s', async () => {
    const trailer = [['x-amz-checksum-crc32', crc32Of(Buffer.from('other'))]] as const;
    for (const form of [SIGNED_TRAILER, UNSIGNED_TRAILER]) {
      const request = putChunked('bad-trailer', form, CONTENT.length, 'x-amz-checksum-crc32');
      const signed = form === SIGNED_TRAILER ? { signed: request } : {};
      const response = await send({ ...request, body: chunkedBody(CHUNKS, { ...signed, trailer }) });
      await isRefused('bad-trailer', response, 400, 'BadDigest');
    }
  });

  it('refuses chunks that were changed, exchanged, left out or signed by another', async () => {
    const request = putChunked('forged', SIGNED);
    const body = chunkedBody(CHUNKS, { signed: request });
    const flipped = Buffer.from(body);
    flipped[1000] = (flipped[1000] ?? 0) ^ 1;
    const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = CHUNKS;
    const other = putChunked('forged', SIGNED);
    const forgeries = [
      flipped,
      chunkedBody([third, first, second], { signed: { ...request, signature: 'f'.repeat(64) } }),
      chunkedBody(CHUNKS, { signed: { ...other, signingKey: randomBytes(32) } }),
      chunkedBody(CHUNKS, {}),
    ];
    for (const forged of forgeries) {
      await isRefused('forged', await send({ ...request, body: forged }), 403, 'SignatureDoesNotMatch');
    }
    const lastByte = Buffer.from(body);
    const at = body.length - 10;
    lastByte[at] = lastByte[at] === 0x30 ? 0x31 : 0x30;
    await isRefused('forged', await send({ ...request, body: lastByte }), 403, 'SignatureDoesNotMatch');
  });

  it('refuses a signed trailer that was changed, and one without its signature', async () => {
    const trailer = [['x-amz-checksum-crc32', crc32Of(CONTENT)]] as const;
    const request = putChunked('bad-signature', SIGNED_TRAILER, CONTENT.length, 'x-amz-checksum-crc32');
    const body = chunkedBody(CHUNKS, { signed: request, trailer });
    const at = body.indexOf('x-amz-trailer-signature:');
    const changed = Buffer.from(body);
    changed[at + 30] = changed[at + 30] === 0x30 ? 0x31 : 0x30;
    await isRefused('bad-signature', await send({ ...request, body: changed }), 403, 'SignatureDoesNotMatch');
    const without = Buffer.concat([body.subarray(0, at), Buffer.from('\r\n')]);
    await isRefused('bad-signature', await send({ ...request, body: without }), 403, 'SignatureDoesNotMatch');
  });

  it('refuses chunks that are not as long as was declared', async () => {
    for (const length of [CONTENT.length - 1, CONTENT.length + 1]) {
      const request = putChunked('length', SIGNED, length);
      const response = await send({ ...request, body: chunkedBody(CHUNKS, { signed: request }) });
      await isRefused('length', response, 400, 'IncompleteBody');
    }
    const cut = putChunked('length', SIGNED);
    const body = chunkedBody(CHUNKS, { signed: cut });
    await isRefused('length', await send({ ...cut, body: body.subarray(0, -90) }), 400, 'IncompleteBody');
    const undeclared = put('length', SIGNED, [['Content-Encoding', 'aws-chunked']]);
    const response = await send({ ...undeclared, body: chunkedBody(CHUNKS, { signed: undeclared }) });
    await isRefused('length', response, 411, 'MissingContentLength');
  });

  it('refuses what is not in the form of chunks', async () => {
    const endless = Buffer.alloc(200_000, 0x61);
    for (const body of [Buffer.from('hello, this is no chunk\r\n'), endless, Buffer.from('fffffffffffff\r\n')]) {
      const response = await send({ ...putChunked('malformed', UNSIGNED_TRAILER), body });
      await isRefused('malformed', response, 400, 'InvalidRequest');
    }
  });

  it('refuses a changed payload whose hash was signed, though all of it was sent', async () => {
    const host = new URL(platform.endpoint).host;
    const body = Buffer.concat([CONTENT, CONTENT, CONTENT, CONTENT]);
    const request = signHeader(
      { method: 'PUT', path: '/payloads/changed', body },
      { credentials, service: 's3', host },
    );
    const changed = Buffer.from(body);
    changed[body.length - 1] = (changed[body.length - 1] ?? 0) ^ 1;
    const response = await send({ ...request, body: changed });
    await isRefused('changed', response, 400, 'XAmzContentSHA256Mismatch');
  });

  it('lets the client read why a chunk was refused while it still sends', async () => {
    const body = randomBytes(24 * 1024 * 1024);
    const request = putChunked('sending', SIGNED, body.length);
    const forged = chunkedBody([CONTENT, body], { signed: { ...request, signingKey: randomBytes(32) } });
    const connection = await RawConnection.open(platform.endpoint);
    connection.write(headOf({ ...request, body: forged }));
    connection.write(forged);
    const response = await connection.read();
    connection.destroy();
    await isRefused('sending', response, 403, 'SignatureDoesNotMatch');
  });
});
