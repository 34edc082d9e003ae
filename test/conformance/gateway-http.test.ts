import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import {
  errorCodeOf,
  errorMessageOf,
  headOf,
  RawConnection,
  type RawResponse,
  sendRaw,
} from '../harness/raw-connection.ts';
import {
  type Signed,
  type SigningCredentials,
  type SigningOptions,
  signHeader,
  type UnsignedRequest,
  type WireRequest,
} from '../harness/sigv4-signer.ts';

const MIB = 1024 * 1024;
const LIMIT = 8 * MIB;

describe('the gateway and HTTP', () => {
  let platform: TestPlatform;
  let credentials: SigningCredentials;
  let host: string;

  before(async () => {
    platform = await startTestPlatform({ COFFER_DOMAIN: 'media.example' });
    credentials = platform.clientConfig().credentials;
    host = new URL(platform.endpoint).host;
    const s3 = new S3Client(platform.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'gateway' }));
    await s3.send(new CreateBucketCommand({ Bucket: 'dotted.gateway' }));
    s3.destroy();
  });
  after(() => platform.stop());

  const send = (request: WireRequest): Promise<RawResponse> => sendRaw(platform.endpoint, request);
  const open = (): Promise<RawConnection> => RawConnection.open(platform.endpoint);

  function sign(request: UnsignedRequest, options: Partial<SigningOptions> = {}): Signed {
    return signHeader(request, { credentials, service: 's3', host, ...options });
  }

  function kms(operation: string, body: Buffer | string = '{}', headers: UnsignedRequest['headers'] = []): Signed {
    return sign(
      {
        method: 'POST',
        path: '/',
        headers: [['X-Amz-Target', `TrentService.${operation}`], ...headers],
        body: Buffer.from(body),
      },
      { service: 'kms' },
    );
  }

  async function sendBytes(bytes: string): Promise<RawResponse> {
    const connection = await open();
    try {
      connection.write(bytes);
      return await connection.read();
    } finally {
      connection.destroy();
    }
  }

  async function isWell(connection?: RawConnection): Promise<void> {
    const request = sign({ method: 'GET', path: '/' });
    if (connection === undefined) {
      assert.equal((await send(request)).status, 200);
      return;
    }
    connection.write(headOf(request));
    assert.equal((await connection.read()).status, 200);
  }

  it('answers what is not HTTP with 400 and stays well', async () => {
    for (const bytes of [
      'nonsense\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET / HTTP/1.1\r\nNo colon\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    ]) {
      const response = await sendBytes(bytes);
      assert.equal(response.status, 400, JSON.stringify(bytes));
      assert.equal(response.headers.get('connection'), 'close');
    }
    assert.equal((await sendBytes('GET / HTTP/1.1\r\n\r\n')).status, 400, 'no Host');
    await isWell();
  });

  it('refuses requests that two readers could cut differently', async () => {
    for (const framing of [
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
      'Transfer-Encoding: chunked\r\nContent-Length: 5',
      'Transfer-Encoding: chunked, identity',
      'Transfer-Encoding: xchunked',
      'Transfer-Encoding : chunked',
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    ]) {
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
      const connection = await open();
      connection.write(`POST / HTTP/1.1\r\nHost: ${host}\r\n${framing}\r\n\r\n0\r\n\r\n${smuggled}`);
      const response = await connection.read();
      assert.equal(response.status, 400, framing);
      await connection.closed();
      // What follows may be called nonsense once more, but it is answered as a request by nobody.
      const more = await connection.read().catch(() => undefined);
      assert.ok(more === undefined || more.status === 400, framing);
      connection.destroy();
    }
    await isWell();
  });

  it('takes heads of up to 64 KiB', async () => {
    const large = sign({ method: 'GET', path: '/', headers: [['X-Large', 'x'.repeat(48 * 1024)]] });
    assert.equal((await send(large)).status, 200);
    const tooLarge = sign({ method: 'GET', path: '/', headers: [['X-Large', 'x'.repeat(70 * 1024)]] });
    assert.equal((await send(tooLarge)).status, 431);
    const many = Array.from({ length: 900 }, (_, index) => [`x-many-${index}`, 'value'] as const);
    assert.equal((await send(sign({ method: 'GET', path: '/', headers: many }))).status, 200);
    const longPath = await send(sign({ method: 'GET', path: `/${'x'.repeat(70 * 1024)}` }));
    assert.equal(longPath.status, 431);
    await isWell();
  });

  it('takes no more than 8 MiB of a body that it must hold', async () => {
    const filler = 'x'.repeat(LIMIT);
    const json = await send(kms('ListKeys', `{"unknown":"${filler}"}`));
    assert.deepEqual([json.status, errorCodeOf(json)], [413, 'RequestEntityTooLargeException']);
    const form = Buffer.from(`Action=ListUsers&Version=2010-05-08&Unknown=${filler}`);
    const type = [['Content-Type', 'application/x-www-form-urlencoded']] as const;
    const query = await send(sign({ method: 'POST', path: '/', headers: type, body: form }, { service: 'iam' }));
    assert.deepEqual([query.status, errorCodeOf(query)], [413, 'RequestEntityTooLargeException']);
    const xml = Buffer.from(`<Delete>${filler}</Delete>`);
    const s3 = await send(sign({ method: 'POST', path: '/gateway', query: [['delete', '']], body: xml }));
    assert.deepEqual([s3.status, errorCodeOf(s3)], [400, 'MaxMessageLengthExceeded']);
    assert.equal((await send(kms('ListKeys', `{"unknown":"${'x'.repeat(LIMIT - 100)}"}`))).status, 200);
    // Without a length it is found out on the way.
    const request = kms('ListKeys', '{}', [['Transfer-Encoding', 'chunked']]);
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MIB, 0x20), Buffer.from('\r\n')]);
    const body = Buffer.concat([...Array.from({ length: 9 }, () => chunk), Buffer.from('0\r\n\r\n')]);
    const chunked = await send({ ...request, body });
    assert.deepEqual([chunked.status, errorCodeOf(chunked)], [413, 'RequestEntityTooLargeException']);
  });

  it('does not hold what many clients send of bodies that are too large', async () => {
    const before = process.memoryUsage().rss;
    const declared = 4 * 1024 * MIB;
    const connections = await Promise.all(Array.from({ length: 16 }, open));
    for (const connection of connections) {
      const request = kms('ListKeys', '', [['Content-Length', String(declared)]]);
      connection.write(headOf(request));
      connection.write(Buffer.alloc(8 * MIB, 0x20));
    }
    const responses = await Promise.all(connections.map((connection) => connection.read()));
    for (const response of responses) assert.equal(response.status, 413);
    for (const connection of connections) connection.destroy();
    const grown = (process.memoryUsage().rss - before) / MIB;
    // The test's own 128 MiB are sent from this process.
    assert.ok(grown < 400, `${grown} MiB`);
    await isWell();
  });

  it('asks for the body of an upload only when it is to be had', async () => {
    const expecting = (path: string, body: Buffer, wrong = false): Signed => {
      const headers = [
        ['Expect', '100-continue'],
        ['Content-Length', String(body.length)],
      ] as const;
      const used = wrong ? { ...credentials, secretAccessKey: 'wrong' } : credentials;
      return sign({ method: 'PUT', path, headers, body }, { credentials: used });
    };
    const body = randomBytes(100_000);
    const accepted = await open();
    accepted.write(headOf(expecting('/gateway/expected', body)));
    assert.equal((await accepted.read()).status, 100);
    accepted.write(body);
    assert.equal((await accepted.read()).status, 200);
    await isWell(accepted);
    accepted.destroy();
    for (const [request, code] of [
      [expecting('/gateway/expected', body, true), 'SignatureDoesNotMatch'],
      [expecting('/no-such-bucket/expected', body), 'NoSuchBucket'],
      [expecting(`/gateway/${'x'.repeat(2000)}`, body), 'KeyTooLongError'],
    ] as const) {
      const refused = await open();
      refused.write(headOf(request));
      const response = await refused.read();
      assert.equal(errorCodeOf(response), code);
      assert.equal(response.headers.get('connection'), 'close', 'what follows can not be told from a body');
      refused.destroy();
    }
    const json = await open();
    json.write(headOf(kms('ListKeys', '{}', [['Expect', '100-continue']])));
    assert.equal((await json.read()).status, 100);
    json.write('{}');
    assert.equal((await json.read()).status, 200);
    json.destroy();
    const odd = await send(sign({ method: 'GET', path: '/', headers: [['Expect', '200-maybe']] }));
    assert.equal(odd.status, 417);
  });

  it('lets a client read the refusal that sends all of a big body first', async () => {
    const size = 96 * MIB;
    const request = sign(
      { method: 'PUT', path: '/gateway/refused', headers: [['Content-Length', String(size)]] },
      { payloadHash: 'UNSIGNED-PAYLOAD', credentials: { ...credentials, secretAccessKey: 'wrong' } },
    );
    const connection = await open();
    connection.write(headOf(request));
    connection.socket.pause();
    const chunk = Buffer.alloc(MIB);
    for (let sent = 0; sent < size; sent += MIB) {
      if (!connection.socket.write(chunk)) await new Promise((resolve) => connection.socket.once('drain', resolve));
    }
    connection.socket.resume();
    const response = await connection.read();
    assert.deepEqual([response.status, errorCodeOf(response)], [403, 'SignatureDoesNotMatch']);
    connection.destroy();
  });

  it('ends a connection whose client goes on sending nothing after a refusal', async () => {
    const request = sign(
      { method: 'PUT', path: '/gateway/idle', headers: [['Content-Length', String(64 * MIB)]] },
      { payloadHash: 'UNSIGNED-PAYLOAD', credentials: { ...credentials, secretAccessKey: 'wrong' } },
    );
    const connection = await open();
    connection.write(headOf(request));
    assert.equal((await connection.read()).status, 403);
    await connection.closed(8000);
    connection.destroy();
  });

  it('keeps a connection after errors whose bodies were small', async () => {
    const connection = await open();
    const wrong = { ...credentials, secretAccessKey: 'wrong' };
    const put = { method: 'PUT', path: '/gateway/key', body: randomBytes(50_000) };
    const requests: readonly (readonly [WireRequest, number])[] = [
      [sign(put, { credentials: wrong }), 403],
      [kms('NoSuchOperation'), 400],
      [sign({ method: 'GET', path: '/' }, { service: 'kms' }), 400],
      [kms('DescribeKey', '{'), 400],
      [kms('DescribeKey', '{"KeyId":"none"}'), 400],
      [sign({ ...put, path: '/no-such-bucket/key' }), 404],
      [{ ...sign(put), body: randomBytes(50_000) }, 400],
      [sign({ method: 'GET', path: '/gateway/none' }), 404],
      [sign({ method: 'GET', path: '/', query: [] }), 200],
    ];
    for (const [request, status] of requests) {
      connection.write(Buffer.concat([Buffer.from(headOf(request), 'latin1'), request.body]));
      const response = await connection.read();
      assert.equal(response.status, status, response.text);
      assert.notEqual(response.headers.get('connection'), 'close', String(status));
    }
    connection.destroy();
  });

  it('answers pipelined requests in their order', async () => {
    const connection = await open();
    const bodies = Array.from({ length: 20 }, (_, index) => randomBytes(index * 1000));
    const puts = bodies.map((body, index) => sign({ method: 'PUT', path: `/gateway/pipelined-${index}`, body }));
    const gets = bodies.map((_, index) => sign({ method: 'GET', path: `/gateway/pipelined-${index}` }));
    for (const put of puts) connection.write(Buffer.concat([Buffer.from(headOf(put), 'latin1'), put.body]));
    for (const _ of puts) assert.equal((await connection.read()).status, 200);
    connection.write(gets.map(headOf).join(''));
    for (const body of bodies) assert.ok((await connection.read()).body.equals(body));
    connection.destroy();
  });

  it('stores nothing of an upload whose client went away or closed its half', async () => {
    const body = randomBytes(300_000);
    const request = sign({ method: 'PUT', path: '/gateway/half', body });
    const gone = await open();
    gone.write(Buffer.concat([Buffer.from(headOf(request), 'latin1'), body.subarray(0, 100_000)]));
    await sleep(50);
    gone.destroy();
    const ended = await open();
    ended.write(Buffer.concat([Buffer.from(headOf(request), 'latin1'), body.subarray(0, 100_000)]));
    ended.socket.end();
    await ended.closed();
    ended.destroy();
    await sleep(50);
    assert.equal((await send(sign({ method: 'GET', path: '/gateway/half' }))).status, 404);
    const whole = await open();
    whole.write(headOf(sign({ method: 'GET', path: '/' })));
    whole.socket.end();
    await whole.closed();
    whole.destroy();
    await isWell();
  });

  it('answers HEAD without a body, its errors too', async () => {
    await send(sign({ method: 'PUT', path: '/gateway/head', body: Buffer.from('12345') }));
    const connection = await open();
    for (const [path, status, length] of [
      ['/gateway/head', 200, '5'],
      ['/gateway/none', 404, undefined],
      ['/gateway', 200, undefined],
    ] as const) {
      connection.write(headOf(sign({ method: 'HEAD', path })));
      const response = await connection.read({ isHead: true });
      assert.equal(response.status, status);
      if (length !== undefined) assert.equal(response.headers.get('content-length'), length);
    }
    connection.write(
      headOf(
        sign({ method: 'HEAD', path: '/gateway/head' }, { credentials: { ...credentials, secretAccessKey: 'x' } }),
      ),
    );
    assert.equal((await connection.read({ isHead: true })).status, 403);
    await isWell(connection);
    connection.destroy();
  });

  it('refuses methods that nothing has', async () => {
    for (const method of ['PATCH', 'TRACE', 'PROPFIND', 'LOCK']) {
      const response = await send(sign({ method, path: '/gateway/key' }));
      assert.deepEqual([response.status, errorCodeOf(response)], [405, 'MethodNotAllowed'], method);
      assert.match(response.headers.get('allow') ?? '', /GET/);
    }
    for (const method of ['BREW', 'get']) {
      assert.equal((await send(sign({ method, path: '/' }))).status, 400, method);
    }
    assert.equal((await send({ ...sign({ method: 'GET', path: '/' }), target: 'ftp://elsewhere/' })).status, 400);
    assert.equal((await send({ ...sign({ method: 'OPTIONS', path: '/' }), target: '*' })).status, 400);
    const absolute = sign({ method: 'GET', path: '/', query: [['max-buckets', '1']] });
    const proxied = await send({ ...absolute, target: `http://${host}${absolute.target}` });
    assert.equal(proxied.status, 200, 'the whole address, as to a proxy');
    const connection = await open();
    connection.write(`CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n`);
    await connection.closed();
    connection.destroy();
    await isWell();
  });

  it('names operations and services that it does not know, in the form of whoever was asked', async () => {
    const json = await send(kms('LaunchRocket'));
    assert.deepEqual([json.status, errorCodeOf(json)], [400, 'UnknownOperationException']);
    const none = sign({ method: 'POST', path: '/', body: Buffer.from('{}') }, { service: 'kms' });
    assert.equal(errorCodeOf(await send(none)), 'UnknownOperationException');
    const form = (text: string, service = 'iam') =>
      sign(
        {
          method: 'POST',
          path: '/',
          headers: [['Content-Type', 'application/x-www-form-urlencoded']],
          body: Buffer.from(text),
        },
        { service },
      );
    const query = await send(form('Action=LaunchRocket&Version=2010-05-08'));
    assert.deepEqual([query.status, errorCodeOf(query)], [400, 'InvalidAction']);
    assert.equal(errorMessageOf(query), 'Could not find operation LaunchRocket for version 2010-05-08');
    assert.equal(errorCodeOf(await send(form('Version=2010-05-08'))), 'MissingAction');
    const rest = await send(sign({ method: 'GET', path: '/2017-08-29/rockets' }, { service: 'mediaconvert' }));
    assert.deepEqual([rest.status, errorCodeOf(rest)], [404, 'UnknownOperationException']);
    const service = await send(sign({ method: 'GET', path: '/' }, { service: 'rockets' }));
    assert.deepEqual([service.status, errorCodeOf(service)], [404, 'UnknownService']);
  });

  it('finds the bucket in the host', async () => {
    await send(sign({ method: 'PUT', path: '/gateway/hosted', body: Buffer.from('hosted') }));
    await send(sign({ method: 'PUT', path: '/dotted.gateway/hosted', body: Buffer.from('dotted') }));
    const port = host.split(':')[1] ?? '';
    for (const name of [
      'gateway.s3.localhost',
      'gateway.s3.us-east-1.localhost',
      'gateway.s3-eu-west-1.localhost',
      'gateway.s3.media.example',
      'GATEWAY.S3.Media.Example',
      'gateway.s3.ap-southeast-4.media.example',
    ]) {
      for (const suffix of ['', `:${port}`]) {
        const response = await send(sign({ method: 'GET', path: '/hosted' }, { host: `${name}${suffix}` }));
        assert.equal(response.text, 'hosted', name);
      }
      const list = await send(sign({ method: 'GET', path: '/', query: [['list-type', '2']] }, { host: name }));
      assert.match(list.text, /<Name>gateway<\/Name>/);
    }
    const dotted = await send(sign({ method: 'GET', path: '/hosted' }, { host: 'dotted.gateway.s3.localhost' }));
    assert.equal(dotted.text, 'dotted');
    for (const name of ['s3.localhost', 's3.us-east-1.localhost', 'localhost', 's3.media.example', 'media.example']) {
      const response = await send(sign({ method: 'GET', path: '/gateway/hosted' }, { host: name }));
      assert.equal(response.text, 'hosted', name);
    }
    // A host under no domain of ours names no bucket.
    const foreign = await send(sign({ method: 'GET', path: '/hosted' }, { host: 'gateway.s3.elsewhere.example' }));
    assert.equal(errorCodeOf(foreign), 'NoSuchBucket');
    const absent = await send(sign({ method: 'GET', path: '/x' }, { host: 'none.s3.localhost' }));
    assert.match(absent.text, /<Code>NoSuchBucket<.*<BucketName>none</);
  });

  it('answers the health checks to anybody', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      const response = await sendBytes(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.deepEqual([response.status, response.text], [200, '{"status":"ok"}']);
    }
  });

  it('gives every answer a request id, the errors too', async () => {
    const answers = [
      await send(kms('ListKeys')),
      await send(kms('None')),
      await send(sign({ method: 'GET', path: '/' })),
    ];
    const ids = answers.map((response) => response.headers.get('x-amzn-requestid'));
    assert.equal(new Set(ids).size, answers.length);
    for (const id of ids) assert.match(id ?? '', /^[0-9a-f-]{36}$/);
  });
});
