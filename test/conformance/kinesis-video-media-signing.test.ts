import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { cluster, endOfFragment, header } from '../harness/matroska-builder.ts';
import { EMPTY_HASH, MediaProducer } from '../harness/media-producer.ts';
import { headOf, sendRaw } from '../harness/raw-connection.ts';
import {
  sha256,
  signHeader,
  type SigningOptions,
  type UnsignedRequest,
  type WireRequest,
} from '../harness/sigv4-signer.ts';
import { VideoPlatform } from '../harness/video-platform.ts';

const MEDIA = Buffer.concat([header(), cluster(1000), endOfFragment()]);

describe('signatures of PutMedia', () => {
  let video: VideoPlatform;
  let stream: string;
  let count = 0;

  before(async () => {
    video = await VideoPlatform.start();
  });
  after(() => video.stop());

  const NAMES = (): readonly (readonly [string, string])[] => [
    ['x-amzn-stream-name', stream],
    ['x-amzn-fragment-timecode-type', 'ABSOLUTE'],
    ['x-amzn-producer-start-timestamp', '1795260000.53'],
  ];
  const CHUNKED = ['Transfer-Encoding', 'chunked'] as const;

  function signed(request: Partial<UnsignedRequest>, options: Partial<SigningOptions> = {}): WireRequest {
    const { host } = new URL(video.platform.endpoint);
    return signHeader(
      { method: 'POST', path: '/putMedia', ...request },
      { credentials: video.credentials, service: 'kinesisvideo', host, ...options },
    );
  }

  /** Sends media with this head. @returns the status and the last acknowledgement's type */
  async function put(request: WireRequest, media = MEDIA): Promise<string> {
    const producer = await MediaProducer.connect(video.platform.endpoint);
    try {
      producer.socket.write(headOf(request), 'latin1');
      if ((await producer.status()) !== 200) {
        await producer.ended();
        return `${await producer.status()} ${producer.headers.get('x-amzn-errortype')}`;
      }
      producer.send(media);
      producer.end();
      return `200 ${(await producer.ended()).at(-1)?.EventType}`;
    } finally {
      producer.destroy();
    }
  }

  async function camera(): Promise<void> {
    stream = `camera-${++count}`;
    await video.createStream(stream);
  }

  it('takes those of the library for C and C++: the hash of nothing, signed hop-by-hop headers, an unsigned token', async () => {
    await camera();
    const sts = new STSClient(video.platform.clientConfig());
    const { Credentials } = await sts.send(new GetSessionTokenCommand({}));
    sts.destroy();
    const { hostname } = new URL(video.platform.endpoint);
    const request = signed(
      {
        headers: [
          ['Connection', 'keep-alive'],
          CHUNKED,
          ['User-Agent', 'AWS-SDK-KVS/3.4.2'],
          ...NAMES(),
          ['X-Amz-Security-Token', Credentials?.SessionToken ?? ''],
        ],
      },
      {
        credentials: {
          accessKeyId: Credentials?.AccessKeyId ?? '',
          secretAccessKey: Credentials?.SecretAccessKey ?? '',
        },
        // It leaves the port out, of the header and of the signature.
        host: hostname,
        payloadHash: EMPTY_HASH,
        unsigned: ['x-amz-security-token'],
      },
    );
    assert.equal(await put(request), '200 PERSISTED');
  });

  it('takes those of the library for Java: an unsigned payload, and the host without the port that it sends', async () => {
    await camera();
    const { host, hostname } = new URL(video.platform.endpoint);
    const request = signed(
      { headers: [CHUNKED, ...NAMES(), ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD']] },
      {
        host: hostname,
        payloadHash: 'UNSIGNED-PAYLOAD',
        unsigned: ['x-amz-content-sha256', 'transfer-encoding'],
      },
    );
    const headers = request.headers.map(([name, value]) => [name, name === 'Host' ? host : value] as const);
    assert.equal(await put({ ...request, headers }), '200 PERSISTED');
  });

  it('takes those of the library for Go: an expiry in the query beside the header', async () => {
    await camera();
    const request = signed(
      { query: [['X-Amz-Expires', '600']], headers: [CHUNKED, ...NAMES()] },
      { payloadHash: EMPTY_HASH, unsigned: ['transfer-encoding'] },
    );
    assert.equal(await put(request), '200 PERSISTED');
  });

  it('takes a payload’s hash that is signed, and checks it', async () => {
    await camera();
    const hashed = (hash: string): WireRequest =>
      signed(
        { headers: [CHUNKED, ...NAMES(), ['x-amz-content-sha256', hash]] },
        { payloadHash: hash, unsigned: ['transfer-encoding'] },
      );
    assert.equal(await put(hashed(sha256(MEDIA))), '200 PERSISTED');
    const producer = await MediaProducer.connect(video.platform.endpoint);
    producer.socket.write(headOf(hashed(sha256('other media'))), 'latin1');
    producer.send(MEDIA);
    producer.end();
    assert.equal((await producer.ended()).at(-1)?.ErrorCode, 'STREAM_READ_ERROR');
    producer.destroy();
  });

  const WRONG: Readonly<Record<string, () => WireRequest>> = {
    'another secret': () =>
      signed(
        { headers: [CHUNKED, ...NAMES()] },
        { payloadHash: EMPTY_HASH, credentials: { ...video.credentials, secretAccessKey: 'x'.repeat(40) } },
      ),
    'a hash that is neither declared nor nothing’s': () =>
      signed({ headers: [CHUNKED, ...NAMES()] }, { payloadHash: sha256('something') }),
    'a stream’s name that was changed after signing': () => {
      const request = signed({ headers: [CHUNKED, ...NAMES()] }, { payloadHash: EMPTY_HASH });
      const headers = request.headers.map(
        ([name, value]) => [name, name === 'x-amzn-stream-name' ? 'another' : value] as const,
      );
      return { ...request, headers };
    },
    'a signature of yesterday': () =>
      signed({ headers: [CHUNKED, ...NAMES()] }, { payloadHash: EMPTY_HASH, date: new Date(Date.now() - 86_400_000) }),
    'another host': () => signed({ headers: [CHUNKED, ...NAMES()] }, { payloadHash: EMPTY_HASH, host: 'example.com' }),
  };
  for (const [what, make] of Object.entries(WRONG)) {
    it(`refuses ${what}`, async () => {
      await camera();
      const request = make();
      const { host } = new URL(video.platform.endpoint);
      const headers = request.headers.map(([name, value]) => [name, name === 'Host' ? host : value] as const);
      assert.match(await put({ ...request, headers }), /^403 InvalidSignatureException$/);
    });
  }

  it('refuses who does not sign at all', async () => {
    await camera();
    const { host } = new URL(video.platform.endpoint);
    const request = { method: 'POST', target: '/putMedia', body: Buffer.alloc(0) };
    const headers = [['Host', host] as const, CHUNKED, ...NAMES()];
    assert.equal(await put({ ...request, headers }), '403 MissingAuthenticationTokenException');
  });

  it('takes none of this from GetMedia, whose body counts', async () => {
    await camera();
    const body = Buffer.from(JSON.stringify({ StreamName: stream, StartSelector: { StartSelectorType: 'NOW' } }));
    for (const payloadHash of [EMPTY_HASH, 'UNSIGNED-PAYLOAD']) {
      const request = signed({ path: '/getMedia', body }, { payloadHash });
      const { status } = await sendRaw(video.platform.endpoint, request);
      assert.equal(status, 403, payloadHash);
    }
  });
});
