import { createHash, createHmac } from 'node:crypto';

// A signer of its own, after the public description of SigV4: it shares nothing with the server's side.

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request in the signer's terms: everything decoded; the wire's form is made from it. */
export interface UnsignedRequest {
  readonly method: string;
  /** Decoded, with its slashes: `/bucket/a key`. Encoded once for the wire. */
  readonly path: string;
  /** Decoded. */
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** As they go onto the wire; one character a byte. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer;
}

export interface SigningOptions {
  readonly credentials: SigningCredentials;
  readonly service: string;
  readonly region?: string;
  readonly date?: Date;
  readonly host: string;
  /** What stands in the canonical request's last line; the body's hash when absent. */
  readonly payloadHash?: string;
  /** Overrides parts of the credential scope, for wrong ones. */
  readonly scope?: string;
  /** Names of headers (lower case) that are sent but not signed. */
  readonly unsigned?: readonly string[];
}

/** A request as it goes onto the wire. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, encoded. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** What a signature was made with, for the chunks that follow it. */
export interface Signed extends WireRequest {
  readonly signature: string;
  readonly signingKey: Buffer;
  readonly timestamp: string;
  readonly scope: string;
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data, 'utf8').digest();
}

export function encode(text: string): string {
  let result = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    result += /[A-Za-z0-9_.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return result;
}

export function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

function timestampOf(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}

function canonicalPath(wirePath: string, service: string): string {
  if (service === 's3') return wirePath;
  const segments: string[] = [];
  for (const segment of wirePath.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(segment));
  }
  return `/${segments.join('/')}${segments.length > 0 && wirePath.endsWith('/') ? '/' : ''}`;
}

function canonicalQuery(query: readonly (readonly [string, string])[]): string {
  return query
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : x > y ? 1 : 0) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function canonicalHeaders(headers: readonly (readonly [string, string])[]): { text: string; names: string } {
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const canonical = value.split(' ').filter(Boolean).join(' ');
    values.set(key, [...(values.get(key) ?? []), canonical]);
  }
  const names = [...values.keys()].sort();
  return { text: names.map((name) => `${name}:${values.get(name)?.join(',')}\n`).join(''), names: names.join(';') };
}

function signatureOf(
  request: UnsignedRequest,
  wirePath: string,
  query: readonly (readonly [string, string])[],
  headers: readonly (readonly [string, string])[],
  payloadHash: string,
  timestamp: string,
  options: SigningOptions,
) {
  const { credentials, service, region = 'us-east-1' } = options;
  const scope = options.scope ?? `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const { text, names } = canonicalHeaders(headers);
  const canonical = Buffer.from(
    [request.method, canonicalPath(wirePath, service), canonicalQuery(query), text, names, payloadHash].join('\n'),
    'latin1',
  );
  const [day = '', scopeRegion = '', scopeService = ''] = scope.split('/');
  const dayKey = hmac(`AWS4${credentials.secretAccessKey}`, day);
  const signingKey = hmac(hmac(hmac(dayKey, scopeRegion), scopeService), 'aws4_request');
  const toSign = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(canonical)}`;
  return { signature: hmac(signingKey, toSign).toString('hex'), signingKey, scope, names };
}

/** Signs in the `Authorization` header. */
export function signHeader(request: UnsignedRequest, options: SigningOptions): Signed {
  const { credentials, unsigned = [] } = options;
  const body = request.body ?? Buffer.alloc(0);
  const timestamp = timestampOf(options.date ?? new Date());
  const payloadHash = options.payloadHash ?? sha256(body);
  const headers: (readonly [string, string])[] = [
    ['Host', options.host],
    ['X-Amz-Date', timestamp],
    ...(options.service === 's3' ? [['x-amz-content-sha256', payloadHash] as const] : []),
    ...(credentials.sessionToken === undefined ? [] : [['X-Amz-Security-Token', credentials.sessionToken] as const]),
    ...(request.headers ?? []),
  ];
  const query = request.query ?? [];
  const wirePath = encodePath(request.path);
  const signed = headers.filter(([name]) => !unsigned.includes(name.toLowerCase()));
  const made = signatureOf(request, wirePath, query, signed, payloadHash, timestamp, options);
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${made.scope}, SignedHeaders=${made.names}, Signature=${made.signature}`;
  return {
    method: request.method,
    target: targetOf(wirePath, query),
    headers: [...headers, ['Authorization', authorization]],
    body,
    ...made,
    timestamp,
  };
}

/** Signs in the query: a presigned address. */
export function presign(request: UnsignedRequest, options: SigningOptions & { readonly expires?: number }): Signed {
  const { credentials, unsigned = [] } = options;
  const body = request.body ?? Buffer.alloc(0);
  const timestamp = timestampOf(options.date ?? new Date());
  const region = options.region ?? 'us-east-1';
  const scope = options.scope ?? `${timestamp.slice(0, 8)}/${region}/${options.service}/aws4_request`;
  const headers: (readonly [string, string])[] = [['Host', options.host], ...(request.headers ?? [])];
  const signed = headers.filter(([name]) => !unsigned.includes(name.toLowerCase()));
  const query: (readonly [string, string])[] = [
    ...(request.query ?? []),
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope}`],
    ['X-Amz-Date', timestamp],
    ...(options.expires === undefined ? [] : [['X-Amz-Expires', String(options.expires)] as const]),
    ['X-Amz-SignedHeaders', canonicalHeaders(signed).names],
    ...(credentials.sessionToken === undefined ? [] : [['X-Amz-Security-Token', credentials.sessionToken] as const]),
  ];
  const wirePath = encodePath(request.path);
  const payloadHash = options.payloadHash ?? (options.service === 's3' ? 'UNSIGNED-PAYLOAD' : sha256(body));
  const made = signatureOf(request, wirePath, query, signed, payloadHash, timestamp, { ...options, scope });
  const target = targetOf(wirePath, [...query, ['X-Amz-Signature', made.signature]]);
  return { method: request.method, target, headers, body, ...made, timestamp };
}

function targetOf(wirePath: string, query: readonly (readonly [string, string])[]): string {
  const text = query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  return text === '' ? wirePath : `${wirePath}?${text}`;
}

/** Makes an `aws-chunked` body; with `signed`, each chunk and the trailer carry their signatures. */
export function chunkedBody(
  chunks: readonly Buffer[],
  options: { readonly signed?: Signed; readonly trailer?: readonly (readonly [string, string])[] },
): Buffer {
  const { signed, trailer } = options;
  const parts: Buffer[] = [];
  let previous = signed?.signature ?? '';
  for (const chunk of [...chunks, Buffer.alloc(0)]) {
    let extension = '';
    if (signed !== undefined) {
      const text = `AWS4-HMAC-SHA256-PAYLOAD\n${signed.timestamp}\n${signed.scope}\n${previous}\n${sha256('')}\n${sha256(chunk)}`;
      previous = hmac(signed.signingKey, text).toString('hex');
      extension = `;chunk-signature=${previous}`;
    }
    parts.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk);
    if (chunk.length > 0) parts.push(Buffer.from('\r\n'));
  }
  if (trailer !== undefined) {
    for (const [name, value] of trailer) parts.push(Buffer.from(`${name}:${value}\r\n`));
    if (signed !== undefined) {
      const canonical = trailer.map(([name, value]) => `${name}:${value}\n`).join('');
      const text = `AWS4-HMAC-SHA256-TRAILER\n${signed.timestamp}\n${signed.scope}\n${previous}\n${sha256(canonical)}`;
      parts.push(Buffer.from(`x-amz-trailer-signature:${hmac(signed.signingKey, text).toString('hex')}\r\n`));
    }
  }
  parts.push(Buffer.from('\r\n'));
  return Buffer.concat(parts);
}
