import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isPrivate, publicLookup } from '#media/http/private-addresses.ts';
import { isTrustedIssuer } from '#services/iam/api.ts';

const PATIENCE_MS = 5000;
const MAX_ANSWER = 256 * 1024;

/** An identity provider could not be asked, or answered nothing of use. The message is for the operator. */
export class ProviderUnreachableError extends Error {}

/**
 * Reads a JSON document of an identity provider: over https at public addresses, by names that are resolved once and
 * connected to as they were checked; or where the operator says. Redirects are not followed.
 *
 * @param trustedIssuers origins that may be asked by http or at private addresses
 * @throws ProviderUnreachableError
 */
export async function fetchJson(address: string, trustedIssuers: readonly string[]): Promise<unknown> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isTrusted = isTrustedIssuer(address, trustedIssuers);
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isTrusted))) {
    throw new ProviderUnreachableError(`${address} is no address by https`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!isTrusted && isIP(host) !== 0 && isPrivate(host)) {
    throw new ProviderUnreachableError(`${host} is at a private address`);
  }
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const options = {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(PATIENCE_MS),
    agent: false as const,
    ...(!isTrusted && { lookup: publicLookup }),
  };
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      send(url, options, resolve).on('error', reject).end();
    });
    const { statusCode } = answer;
    if (statusCode !== 200) {
      answer.destroy();
      throw new ProviderUnreachableError(`${address} answers with status ${statusCode}`);
    }
    return JSON.parse((await readAll(answer)).toString('utf8'));
  } catch (error) {
    if (error instanceof ProviderUnreachableError) throw error;
    const why = error instanceof Error ? error.message : 'unknown';
    throw new ProviderUnreachableError(`${address} cannot be read: ${why}`);
  }
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_ANSWER) {
      answer.destroy();
      throw new ProviderUnreachableError(`the answer is longer than ${MAX_ANSWER} bytes`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
