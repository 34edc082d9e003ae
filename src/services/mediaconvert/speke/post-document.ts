import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { SignatureV4 } from '@smithy/signature-v4';
import { SignerHash } from '#crypto/signer-hash.ts';
import type { Region } from '#kernel/ids.ts';
import type { SpekeVersion } from '#media/cpix/document.ts';
import { isPrivate, PrivateAddressError, publicLookup } from '#media/http/private-addresses.ts';
import type { WorkerCredentials } from '#media/worker/messages.ts';
import { spekeError } from './speke-error.ts';

/** Where a document is sent. */
export interface SpekeTarget {
  readonly url: string;
  /** For which the request is signed. */
  readonly region: Region;
}

/** How this server reaches key providers. */
export interface SpekeAccess {
  readonly credentials: WorkerCredentials;
  /** Hosts, with a port or for all ports, that may be asked although their addresses are private. */
  readonly privateHosts: readonly string[];
  readonly signal: AbortSignal;
}

const MAX_ANSWER = 1024 * 1024;
const PATIENCE_MS = 30_000;
/** What is told of a refusal's text. */
const MAX_TEXT = 300;

/**
 * Posts a CPIX document, signed with the session of a job's role for API Gateway (`execute-api`).
 *
 * A name is resolved once, and an address that is not public is not connected to, as with inputs: whoever may submit jobs
 * is not let into the operator's network. Redirects are not followed, as the signature is for one address.
 *
 * @returns the body of an answer with status 200; the caller overwrites it
 * @throws TranscodeError 1091
 */
export async function postDocument(
  target: SpekeTarget,
  version: SpekeVersion,
  document: string,
  access: SpekeAccess,
): Promise<Buffer> {
  const { url } = target;
  const address = new URL(url);
  const isTrusted = access.privateHosts.some((host) => host === address.host || host === address.hostname);
  const host = address.hostname.replace(/^\[|\]$/g, '');
  if (!isTrusted && isIP(host) !== 0 && isPrivate(host)) throw privateAddress(url, host);
  const headers = await signedHeaders(address, target.region, version, document, access.credentials);
  const deadline = AbortSignal.any([access.signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = {
        method: 'POST',
        headers,
        signal: deadline,
        agent: false,
        ...(!isTrusted && { lookup: publicLookup }),
      };
      httpsRequest(address, options, resolve).on('error', reject).end(document);
    });
    const body = await readAll(answer, url);
    const { statusCode: status = 0, headers: told } = answer;
    if (status !== 200) throw spekeError(url, refusalOf(status, body));
    const spoken = told['x-speke-version'];
    if (version === '2.0' && spoken !== undefined && spoken !== version) {
      throw spekeError(url, 'it does not answer in SPEKE v2.0');
    }
    return body;
  } catch (error) {
    if (error instanceof PrivateAddressError) throw privateAddress(url, host);
    if (!(error instanceof Error) || error.name === 'TranscodeError') throw error;
    if (access.signal.aborted) throw error;
    if (deadline.aborted) throw spekeError(url, `it did not answer within ${PATIENCE_MS / 1000} seconds`);
    const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
    throw spekeError(url, `it cannot be reached, or broke off${code}`);
  }
}

async function readAll(answer: IncomingMessage, url: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_ANSWER) {
      answer.destroy();
      throw spekeError(url, `its answer is longer than ${MAX_ANSWER} bytes`);
    }
    pieces.push(piece);
  }
  const body = Buffer.concat(pieces);
  for (const piece of pieces) piece.fill(0);
  return body;
}

function refusalOf(status: number, body: Buffer): string {
  if (status >= 300 && status < 400) return `it redirects (status ${status}), which is not followed`;
  // Other answers than errors may hold keys.
  if (status < 400) return `it answers with status ${status}, not 200`;
  const text = body
    .toString('utf8', 0, MAX_TEXT)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
  const hint = status === 403 ? '; the role may lack execute-api:Invoke, check that it may invoke the API' : '';
  return `it answers with status ${status}${text === '' ? '' : ` (${text})`}${hint}`;
}

function privateAddress(url: string, host: string): Error {
  const cause = `${host} is at a private address, which the operator has not allowed by COFFER_KEY_PROVIDER_HOSTS`;
  return spekeError(url, cause);
}

async function signedHeaders(
  address: URL,
  region: Region,
  version: SpekeVersion,
  document: string,
  credentials: WorkerCredentials,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: SignerHash });
  const query = Object.fromEntries(
    [...address.searchParams.keys()].map((name) => [name, address.searchParams.getAll(name)]),
  );
  const signed = await signer.sign({
    method: 'POST',
    protocol: address.protocol,
    hostname: address.hostname,
    path: address.pathname,
    query,
    headers: {
      host: address.host,
      'content-type': 'application/xml',
      ...(version === '2.0' && { 'x-speke-version': version }),
    },
    body: document,
  });
  return { ...signed.headers, 'content-length': String(Buffer.byteLength(document)) };
}
