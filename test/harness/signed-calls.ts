import assert from 'node:assert/strict';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startTestPlatform, type TestPlatform } from './platform.ts';
import { errorCodeOf, type RawResponse, sendRaw } from './raw-connection.ts';
import {
  type Signed,
  type SigningCredentials,
  type SigningOptions,
  signHeader,
  type UnsignedRequest,
  type WireRequest,
} from './sigv4-signer.ts';

/** One harmless request to a service of each family, and its family's words. */
export const FAMILIES = {
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

export type Family = keyof typeof FAMILIES;
export const ALL = Object.keys(FAMILIES) as Family[];

type Expected = Readonly<Record<Family, readonly [status: number, code: string]>>;

export const BAD_SIGNATURE: Expected = {
  json: [400, 'InvalidSignatureException'],
  query: [403, 'SignatureDoesNotMatch'],
  rest: [403, 'InvalidSignatureException'],
  s3: [403, 'SignatureDoesNotMatch'],
};
export const INCOMPLETE: Expected = {
  json: [400, 'IncompleteSignatureException'],
  query: [400, 'IncompleteSignature'],
  rest: [403, 'IncompleteSignatureException'],
  s3: [400, 'AuthorizationHeaderMalformed'],
};
/** Where the service can not be read either, what has neither a target nor a form is S3's. */
export const NAMELESS: Expected = { ...INCOMPLETE, rest: INCOMPLETE.s3 };
export const UNKNOWN_KEY: Expected = {
  json: [400, 'UnrecognizedClientException'],
  query: [403, 'InvalidClientTokenId'],
  rest: [403, 'UnrecognizedClientException'],
  s3: [403, 'InvalidAccessKeyId'],
};
export const BAD_TOKEN: Expected = { ...UNKNOWN_KEY, s3: [400, 'InvalidToken'] };
export const TOO_SKEWED: Expected = { ...BAD_SIGNATURE, s3: [403, 'RequestTimeTooSkewed'] };
export const NO_TOKEN: Expected = {
  json: [400, 'MissingAuthenticationTokenException'],
  query: [403, 'MissingAuthenticationToken'],
  // Nothing tells it from a request to a bucket of that name.
  rest: [404, 'NoSuchBucket'],
  s3: [403, 'AccessDenied'],
};

/** A platform, and requests to a service of each family, signed by a signer of the tests' own. */
export class SignedCalls {
  readonly platform: TestPlatform;
  readonly host: string;
  readonly root: SigningCredentials;

  private constructor(platform: TestPlatform) {
    this.platform = platform;
    this.host = new URL(platform.endpoint).host;
    this.root = platform.clientConfig().credentials;
  }

  /** With the bucket `signed-requests`. */
  static async start(): Promise<SignedCalls> {
    const platform = await startTestPlatform();
    const s3 = new S3Client(platform.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: 'signed-requests' }));
    s3.destroy();
    return new SignedCalls(platform);
  }

  send(request: WireRequest): Promise<RawResponse> {
    return sendRaw(this.platform.endpoint, request);
  }

  optionsFor(family: Family, extra: Partial<SigningOptions> = {}): SigningOptions {
    return { credentials: this.root, service: FAMILIES[family].service, host: this.host, ...extra };
  }

  signed(family: Family, extra: Partial<SigningOptions> = {}, more: Partial<UnsignedRequest> = {}): Signed {
    return signHeader({ ...FAMILIES[family].request, ...more }, this.optionsFor(family, extra));
  }

  async refuses(expected: Expected, make: (family: Family) => WireRequest, what = ''): Promise<void> {
    for (const family of ALL) isRefused(family, await this.send(make(family)), expected, what);
  }

  async accepts(request: WireRequest, what = ''): Promise<RawResponse> {
    const response = await this.send(request);
    assert.equal(response.status, 200, `${what}: ${response.text}`);
    return response;
  }
}

export function isRefused(family: Family, response: RawResponse, expected: Expected, what = ''): void {
  const [status, code] = expected[family];
  assert.deepEqual([response.status, errorCodeOf(response)], [status, code], `${family} ${what}: ${response.text}`);
}

/** The headers of a family's request, for more to be put behind them. */
export function headersOf(family: Family): NonNullable<UnsignedRequest['headers']> {
  const request: UnsignedRequest = FAMILIES[family].request;
  return request.headers ?? [];
}
