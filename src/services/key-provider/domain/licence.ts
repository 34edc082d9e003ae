import { badRequest } from '../errors.ts';
import { readKeyId } from './content-id.ts';

// The forms are those of ClearKey in the W3C's "Encrypted Media Extensions", section 9.1.

const MAX_KIDS = 64;
const KID = /^[A-Za-z0-9_-]{22}$/;

/** What a browser's ClearKey asks for. */
export interface LicenceWish {
  /** UUIDs in lower case; at least one, each once. */
  readonly kids: readonly string[];
  readonly type: 'temporary';
}

/** @throws ServiceError BadRequestException */
export function readLicenceWish(body: Uint8Array | undefined): LicenceWish {
  const { kids, type = 'temporary' } = readObject(body);
  if (type !== 'temporary') throw badRequest('Only temporary licences are given.');
  if (!Array.isArray(kids) || kids.length === 0) throw badRequest('The licence request names no kids.');
  if (kids.length > MAX_KIDS) throw badRequest(`A licence request names at most ${MAX_KIDS} kids.`);
  return { kids: [...new Set(kids.map(kidOf))], type };
}

/** An object in JSON; none where there is no body. @throws ServiceError BadRequestException */
export function readObject(body: Uint8Array | undefined): Readonly<Record<string, unknown>> {
  if (body === undefined || body.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw badRequest('The body is not an object in JSON.');
  }
  return parsed as Readonly<Record<string, unknown>>;
}

/** base64url without padding, as browsers write it, or a UUID. */
function kidOf(given: unknown): string {
  if (typeof given !== 'string') throw badRequest('A kid is not text.');
  if (!KID.test(given)) return readKeyId(given);
  const hex = Buffer.from(given, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The licence: keys in the clear, for who may have them. */
export function writeLicence(keys: ReadonlyMap<string, Buffer>): Buffer {
  const entries = [...keys].map(([kid, key]) => ({
    kty: 'oct',
    k: key.toString('base64url'),
    kid: Buffer.from(kid.replaceAll('-', ''), 'hex').toString('base64url'),
  }));
  return Buffer.from(JSON.stringify({ keys: entries, type: 'temporary' }));
}
