import { randomInt } from 'node:crypto';
import type { TestPlatform } from './platform.ts';
import { sendRaw } from './raw-connection.ts';
import { type SigningCredentials, signHeader } from './sigv4-signer.ts';

export interface FlowAnswer {
  readonly status: number;
  /** Of a refusal, such as `BadRequestException`. */
  readonly code: string;
  readonly body: unknown;
}

/**
 * Calls MediaConnect with bodies as they stand on the wire: the SDK at hand does not know all members.
 *
 * @param path without the version, such as `/flows`
 */
export async function callFlows(
  platform: TestPlatform,
  method: string,
  path: string,
  body?: object,
  credentials: SigningCredentials = platform.clientConfig().credentials,
): Promise<FlowAnswer> {
  const request = signHeader(
    {
      method,
      path: path.startsWith('/tags/') ? path : `/v1${path}`,
      headers: body === undefined ? [] : [['Content-Type', 'application/json']],
      ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
    },
    { credentials, service: 'mediaconnect', host: new URL(platform.endpoint).host },
  );
  const response = await sendRaw(platform.endpoint, request);
  return {
    status: response.status,
    code: (response.headers.get('x-amzn-errortype') ?? '').replace(/:.*$/, ''),
    body: response.text === '' ? undefined : (JSON.parse(response.text) as unknown),
  };
}

/** An address of this machine that tests which run at the same time most likely do not share. */
export function flowAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
}
