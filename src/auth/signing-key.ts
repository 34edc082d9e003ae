import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalHash } from './canonical-request.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** `AKID/20260131/eu-west-1/s3/aws4_request`, taken apart. */
export interface CredentialScope {
  readonly accessKeyId: string;
  /** `YYYYMMDD` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export function parseCredential(text: string): CredentialScope | undefined {
  const parts = text.split('/');
  if (parts.length !== 5 || parts[4] !== 'aws4_request') return undefined;
  const [accessKeyId = '', date = '', region = '', service = ''] = parts;
  if (accessKeyId === '' || !/^\d{8}$/.test(date) || service === '') return undefined;
  return { accessKeyId, date, region, service };
}

export function scopeText(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

export function deriveSigningKey(secretAccessKey: string, scope: CredentialScope): Buffer {
  const dateKey = hmac(`AWS4${secretAccessKey}`, scope.date);
  return hmac(hmac(hmac(dateKey, scope.region), scope.service), 'aws4_request');
}

/** The signature (hex) over a canonical request. */
export function sign(signingKey: Buffer, timestamp: string, scope: CredentialScope, canonical: string): string {
  return signText(signingKey, `${ALGORITHM}\n${timestamp}\n${scopeText(scope)}\n${canonicalHash(canonical)}`);
}

export function signText(signingKey: Buffer, stringToSign: string): string {
  return createHmac('sha256', signingKey).update(stringToSign).digest('hex');
}

/** Compares two signatures in a time that does not depend on where they differ. */
export function isSameSignature(expected: string, given: string): boolean {
  const left = Buffer.from(expected);
  const right = Buffer.from(given);
  return left.length === right.length && timingSafeEqual(left, right);
}
