import { createHash, createHmac } from 'node:crypto';

const SERVICE = 'kms-xks-proxy';
const SIGNED_HEADERS = 'host;x-amz-date';

/** What is signed of a request to an external key store proxy: a POST without a query. */
export interface SignedParts {
  readonly host: string;
  /** Of unreserved characters and slashes alone. */
  readonly path: string;
  readonly body: Uint8Array;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly accessKeyId: string;
  /** The text of the secret access key, which the caller overwrites. */
  readonly secret: Uint8Array;
}

/** AWS Signature Version 4, by which a proxy knows KMS. The secret never becomes a string. */
export function proxyAuthorization(parts: SignedParts): { readonly authorization: string; readonly date: string } {
  const date = new Date(parts.now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const day = date.slice(0, 8);
  const scope = `${day}/${parts.region}/${SERVICE}/aws4_request`;
  const canonical = [
    'POST',
    parts.path,
    '',
    `host:${parts.host}`,
    `x-amz-date:${date}`,
    '',
    SIGNED_HEADERS,
    sha256(parts.body),
  ].join('\n');
  let key = Buffer.concat([Buffer.from('AWS4'), parts.secret]);
  for (const text of [day, parts.region, SERVICE, 'aws4_request']) {
    const next = hmac(key, text);
    key.fill(0);
    key = next;
  }
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`).toString('hex');
  key.fill(0);
  const credential = `${parts.accessKeyId}/${scope}`;
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`,
    date,
  };
}

function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Uint8Array, text: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHmac('sha256', key).update(text).digest());
}
