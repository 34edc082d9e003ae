import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, headOf, RawConnection, type RawResponse, sendRaw } from '../harness/raw-connection.ts';
import {
  encode,
  type Signed,
  type SigningCredentials,
  type SigningOptions,
  signHeader,
  presign,
  type UnsignedRequest,
  type WireRequest,
} from '../harness/sigv4-signer.ts';

const BUCKET = 'hostile';
const KEPT = 'kept';
const CONTENT = randomBytes(300_000);
const MINUTE = 60_000;

/** What a request can say on the wire to be cut, read or believed otherwise than it was meant. */
describe('hostile requests', () => {
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
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEPT, Body: CONTENT }));
  });
  after(async () => {
    s3.destroy();
    await platform.stop();
  });

  const send = (request: WireRequest): Promise<RawResponse> => sendRaw(platform.endpoint, request);

  function sign(request: UnsignedRequest, options: Partial<SigningOptions> = {}): Signed {
    return signHeader(request, { credentials, service: 's3', host, ...options });
  }

  const put = (key: string, headers: UnsignedRequest['headers'] = [], options: Partial<SigningOptions> = {}): Signed =>
    sign({ method: 'PUT', path: `/${BUCKET}/${key}`, headers }, { payloadHash: 'UNSIGNED-PAYLOAD', ...options });

  /** Only what was stored before is there, and is served as it was. */
  async function isIntact(): Promise<void> {
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      [KEPT],
    );
    const response = await send(sign({ method: 'GET', path: `/${BUCKET}/${KEPT}` }));
    assert.ok(response.status === 200 && response.body.equals(CONTENT));
  }

  /** Sends bytes as they are; what they smuggle would be a second answer. */
  async function answersTo(bytes: string | Buffer): Promise<RawResponse[]> {
    const connection = await RawConnection.open(platform.endpoint);
    const answers: RawResponse[] = [];
    connection.write(bytes);
    try {
      for (;;) answers.push(await connection.read({ timeoutMs: answers.length === 0 ? 10_000 : 400 }));
    } catch {
      return answers;
    } finally {
      connection.destroy();
    }
  }

  it('are cut in one way only: none leaves a second one behind', async () => {
    const smuggled = headOf(sign({ method: 'DELETE', path: `/${BUCKET}/${KEPT}` }));
    const lines = (...framing: string[]) => {
      const { target, headers } = put('smuggler');
      const head = headers.map(([name, value]) => `${name}: ${value}`);
      return `${[`PUT ${target} HTTP/1.1`, ...head, ...framing].join('\r\n')}\r\n\r\n`;
    };
    const { length } = smuggled;
    for (const [name, bytes] of [
      ['both framings', `${lines('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`],
      ['two lengths', `${lines('Content-Length: 0', `Content-Length: ${length}`)}${smuggled}`],
      ['a list of lengths', `${lines(`Content-Length: 0, ${length}`)}${smuggled}`],
      ['a length with a sign', `${lines('Content-Length: +0')}${smuggled}`],
      ['a negative length', `${lines('Content-Length: -1')}${smuggled}`],
      ['a length in hexadecimal', `${lines('Content-Length: 0x0')}${smuggled}`],
      ['a length that overflows', `${lines('Content-Length: 18446744073709551616')}${smuggled}`],
      ['a space before the colon', `${lines('Content-Length : 0')}${smuggled}`],
      ['a folded header', `${lines('X-Folded: a', ' Content-Length: 0')}${smuggled}`],
      ['a folded encoding', `${lines('Transfer-Encoding:', ' chunked')}0\r\n\r\n${smuggled}`],
      ['an encoding with a tab', `${lines('Transfer-Encoding: \x0bchunked')}0\r\n\r\n${smuggled}`],
      ['bare line feeds', `${lines('Content-Length: 0').replaceAll('\r\n', '\n')}${smuggled}`],
      ['a bare carriage return', `${lines('X-A: b\rContent-Length: 0')}${smuggled}`],
      ['a chunk that is negative', `${lines('Transfer-Encoding: chunked')}-1\r\n\r\n${smuggled}`],
      ['a chunk that is no number', `${lines('Transfer-Encoding: chunked')}0x5\r\nhello\r\n0\r\n\r\n${smuggled}`],
      ['a chunk that overflows', `${lines('Transfer-Encoding: chunked')}fffffffffffffffff\r\n\r\n${smuggled}`],
      ['a chunk longer than it says', `${lines('Transfer-Encoding: chunked')}1\r\nab\r\n0\r\n\r\n${smuggled}`],
      ['chunks with bare line feeds', `${lines('Transfer-Encoding: chunked')}1\na\n0\n\n${smuggled}`],
      [
        'endless extensions',
        `${lines('Transfer-Encoding: chunked')}1;${'e'.repeat(100_000)}\r\na\r\n0\r\n\r\n${smuggled}`,
      ],
    ] as const) {
      for (const { status } of await answersTo(bytes)) {
        assert.ok(status >= 400 && status < 500, `${name}: ${status}`);
      }
      assert.equal((await send(sign({ method: 'HEAD', path: `/${BUCKET}/${KEPT}` }))).status, 200, name);
    }
    await isIntact();
  });

  it('that are refused early leave their body to nobody', async () => {
    const smuggled = sign({ method: 'DELETE', path: `/${BUCKET}/${KEPT}` });
    const body = Buffer.from(headOf(smuggled), 'latin1');
    const wrong = { credentials: { ...credentials, secretAccessKey: 'wrong' } };
    for (const request of [
      put('refused', [['Content-Length', String(body.length)]], wrong),
      put('refused', [['Transfer-Encoding', 'chunked']], wrong),
      put('refused', [
        ['Content-Length', String(body.length)],
        ['Expect', '100-continue'],
        ['x-amz-server-side-encryption', 'rot13'],
      ]),
      sign({ method: 'GET', path: '/no-such-bucket/key', headers: [['Content-Length', String(body.length)]] }),
    ]) {
      const isChunked = request.headers.some(([name]) => name === 'Transfer-Encoding');
      const chunk = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
      const answers = await answersTo(
        Buffer.concat([Buffer.from(headOf(request), 'latin1'), isChunked ? chunk : body]),
      );
      assert.equal(answers.length, 1, `${request.target}: ${answers.map(({ status }) => status).join()}`);
      assert.ok((answers[0]?.status ?? 0) >= 400);
    }
    await isIntact();
  });

  it('write no header into an answer', async () => {
    const forged = '\r\nX-Forged: yes\r\n\r\n<html>';
    for (const name of [
      'response-content-disposition',
      'response-content-type',
      'response-cache-control',
      'response-content-encoding',
      'response-content-language',
      'response-expires',
    ]) {
      const response = await send(sign({ method: 'GET', path: `/${BUCKET}/${KEPT}`, query: [[name, `x${forged}`]] }));
      assert.equal(response.headers.has('x-forged'), false, name);
      assert.ok(response.status >= 400 || response.body.equals(CONTENT), `${name}: ${response.status}`);
    }
    for (const path of [`/${BUCKET}/none${forged}`, `/none${forged}`]) {
      const response = await send(sign({ method: 'GET', path }));
      assert.ok(response.status >= 400 && !response.headers.has('x-forged'), path);
    }
    // A line end within a header cannot come; what is encoded as one stays text.
    const request = put('meta', [
      ['x-amz-meta-a', '=?UTF-8?B?DQpYLUZvcmdlZDogeWVz?='],
      ['x-amz-tagging', `a=${encode(forged)}`],
      ['Content-Disposition', 'attachment; filename="%0d%0aX-Forged: yes"'],
    ]);
    const stored = await send(request);
    if (stored.status === 200) {
      const got = await send(sign({ method: 'GET', path: `/${BUCKET}/meta` }));
      assert.equal(got.headers.has('x-forged'), false);
      await send(sign({ method: 'DELETE', path: `/${BUCKET}/meta` }));
    }
    for (const [name, value] of [
      ['x-amz-website-redirect-location', `/x\x01`],
      ['x-amz-meta-a', 'a\x00b'],
      ['x-amz-meta-a', 'a\x01b'],
      ['Content-Type', 'text/\x7fplain'],
    ] as const) {
      const { status } = await send(put('meta', [[name, value]]));
      assert.ok(status >= 400 && status < 500, `${name}: ${status}`);
    }
    await isIntact();
  });

  it('with a checksum that is a lie store nothing, whatever the algorithm and wherever it stands', async () => {
    const body = Buffer.from('what was sent');
    const lies: readonly (readonly [string, number])[] = [
      ['crc32', 4],
      ['crc32c', 4],
      ['crc64nvme', 8],
      ['sha1', 20],
      ['sha256', 32],
    ];
    for (const [name, length] of lies) {
      const header = `x-amz-checksum-${name}`;
      const lie = Buffer.alloc(length, 7).toString('base64');
      const inHeader = await send({ ...put('lie', [[header, lie]]), body });
      assert.deepEqual([inHeader.status, errorCodeOf(inHeader)], [400, 'BadDigest'], name);
      const trailing = put(
        'lie',
        [
          ['Content-Encoding', 'aws-chunked'],
          ['x-amz-decoded-content-length', String(body.length)],
          ['x-amz-trailer', header],
        ],
        { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      );
      const chunks = (trailer: string) =>
        Buffer.from(`${body.length.toString(16)}\r\n${body.toString()}\r\n0\r\n${trailer}\r\n\r\n`);
      const inTrailer = await send({ ...trailing, body: chunks(`${header}:${lie}`) });
      assert.deepEqual([inTrailer.status, errorCodeOf(inTrailer)], [400, 'BadDigest'], name);
      // Another trailer than the one that was announced, and none.
      const other = await send({ ...trailing, body: chunks('x-amz-checksum-other:AAAA') });
      assert.equal(other.status, 400, `${name}: ${other.text}`);
      const missing = await send({ ...trailing, body: chunks('') });
      assert.equal(missing.status, 400, `${name}: ${missing.text}`);
      const odd = await send({ ...put('lie', [[header, 'no base64!']]), body });
      assert.deepEqual([odd.status, errorCodeOf(odd)], [400, 'InvalidRequest'], name);
    }
    const md5 = (of: string) => createHash('md5').update(of).digest('base64');
    const wrong = await send({ ...put('lie', [['Content-MD5', md5('else')]]), body });
    assert.deepEqual([wrong.status, errorCodeOf(wrong)], [400, 'BadDigest']);
    const malformed = await send({ ...put('lie', [['Content-MD5', 'AAAA']]), body });
    assert.deepEqual([malformed.status, errorCodeOf(malformed)], [400, 'InvalidDigest']);
    const two = put('lie', [
      ['x-amz-checksum-crc32', 'AAAAAA=='],
      ['x-amz-checksum-sha1', Buffer.alloc(20).toString('base64')],
    ]);
    assert.equal((await send({ ...two, body })).status, 400, 'two checksums');
    await isIntact();
  });

  it('in aws-chunked bodies that say one thing and send another store nothing', async () => {
    const chunked = (decoded: string) =>
      put(
        'lie',
        [
          ['Content-Encoding', 'aws-chunked'],
          ['x-amz-decoded-content-length', decoded],
          ['x-amz-trailer', 'x-amz-checksum-crc32'],
        ],
        { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      );
    // The CRC-32 of `hello`.
    const end = '0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n';
    for (const [decoded, body, why] of [
      ['4', `5\r\nhello\r\n${end}`, 'more than was declared'],
      ['6', `5\r\nhello\r\n${end}`, 'less than was declared'],
      ['5', `5\r\nhello\r\n${end}more`, 'data behind the trailer'],
      ['5', `5\r\nhello\r\n${end}5\r\nhello\r\n${end}`, 'the same again'],
      ['5', `5\r\nhello!\r\n${end}`, 'a chunk longer than it says'],
      ['5', `-5\r\nhello\r\n${end}`, 'a negative chunk'],
      ['5', `0x5\r\nhello\r\n${end}`, 'a prefix'],
      ['5', `5 \r\nhello\r\n${end}`, 'a space'],
      ['5', `fffffffffffffff\r\nhello\r\n${end}`, 'a chunk that overflows'],
      ['5', `5;ext=1\r\nhello\r\n${end}`, 'an extension of no known kind'],
      ['5', `5\r\nhello\r\n0\r\n${'x-amz-a: b\r\n'.repeat(200)}\r\n`, 'endless trailers'],
      ['5', `5\r\nhello\r\n0\r\nContent-Length: 0\r\n\r\n`, 'a trailer that frames'],
      ['5', `5\r\nhello\r\n0\r\nx-amz-meta-a: b\r\n\r\n`, 'a trailer of another kind'],
      ['-5', `5\r\nhello\r\n${end}`, 'a negative length'],
      ['5e0', `5\r\nhello\r\n${end}`, 'a length that is no integer'],
      ['99999999999999999999', `5\r\nhello\r\n${end}`, 'a length that overflows'],
    ] as const) {
      const response = await send({ ...chunked(decoded), body: Buffer.from(body) });
      assert.ok([400, 411].includes(response.status), `${why}: ${response.status} ${response.text}`);
      assert.match(
        errorCodeOf(response),
        /^(IncompleteBody|InvalidRequest|MissingContentLength|MalformedTrailerError)$/,
        why,
      );
    }
    await isIntact();
  });

  it('that were signed for something else, or too long ago, are refused', async () => {
    const target = { method: 'GET', path: `/${BUCKET}/${KEPT}` };
    const good = sign(target);
    assert.equal((await send(good)).status, 200);
    assert.equal((await send(good)).status, 200, 'within its 15 minutes the very same request is the same request');
    const changed = (headers: Signed['headers'], other: Partial<WireRequest> = {}): WireRequest => ({
      ...good,
      ...other,
      headers,
    });
    const otherHost = good.headers.map(([name, value]) => [name, name === 'Host' ? 'other.example' : value] as const);
    const body = Buffer.from('<Delete><Object><Key>kept</Key></Object></Delete>');
    const at = (minutes: number) => sign(target, { date: new Date(Date.now() + minutes * MINUTE) });
    for (const [request, status, code] of [
      [changed(good.headers, { method: 'DELETE' }), 403, 'SignatureDoesNotMatch'],
      [changed(good.headers, { target: `/${BUCKET}/other` }), 403, 'SignatureDoesNotMatch'],
      [changed(good.headers, { target: `${good.target}?acl` }), 403, 'SignatureDoesNotMatch'],
      [changed(otherHost), 403, 'SignatureDoesNotMatch'],
      [changed([...good.headers, ['x-amz-bypass-governance-retention', 'true']]), 403, 'AccessDenied'],
      [sign(target, { region: 'nowhere' }), 400, 'AuthorizationHeaderMalformed'],
      [sign(target, { service: 'kms' }), 400, 'UnknownOperationException'],
      [
        { ...sign({ method: 'POST', path: `/${BUCKET}`, query: [['delete', '']] }), body },
        400,
        'XAmzContentSHA256Mismatch',
      ],
      [at(-16), 403, 'RequestTimeTooSkewed'],
      [at(16), 403, 'RequestTimeTooSkewed'],
    ] as const) {
      const response = await send(request);
      assert.deepEqual([response.status, errorCodeOf(response)], [status, code], response.text);
    }
    const presigned = (minutes: number, expires: number, method = 'GET') =>
      presign(
        { ...target, method },
        {
          credentials,
          service: 's3',
          host,
          expires,
          payloadHash: 'UNSIGNED-PAYLOAD',
          date: new Date(Date.now() + minutes * MINUTE),
        },
      );
    const address = presigned(-5, 600);
    for (let time = 0; time < 3; time++)
      assert.equal((await send(address)).status, 200, 'an address may be used again');
    for (const request of [
      presigned(-11, 600),
      presigned(20, 600),
      { ...address, method: 'DELETE' },
      { ...address, target: address.target.replace(KEPT, 'other') },
      { ...address, target: address.target.replace('X-Amz-Expires=600', 'X-Amz-Expires=86400') },
      { ...address, target: `${address.target}&versionId=null` },
    ]) {
      assert.equal((await send(request)).status, 403, request.target);
    }
    await isIntact();
  });
});
