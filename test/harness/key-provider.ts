import { request } from 'node:http';
import { type SigningCredentials, signHeader } from './sigv4-signer.ts';
import type { TestPlatform } from './platform.ts';

/** What came back, whole. */
export interface ProviderAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
}

interface ProviderCall {
  readonly method: string;
  /** Beneath the stage: `copyProtection`. */
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
  /** Root's where absent; `undefined` signs nothing. */
  readonly credentials?: SigningCredentials | undefined;
  readonly region?: string;
  /** The address whose host names the API, in the place of the path. */
  readonly host?: string;
}

const STAGE = '/_aws/execute-api/coffer/speke';

/** Calls the key provider over the socket, signed for `execute-api`. */
export function callKeyProvider(
  platform: Pick<TestPlatform, 'endpoint' | 'clientConfig'>,
  call: ProviderCall,
): Promise<ProviderAnswer> {
  const { hostname, port, host: own } = new URL(platform.endpoint);
  const credentials = 'credentials' in call ? call.credentials : platform.clientConfig().credentials;
  const body = Buffer.from(call.body ?? '');
  const path = `${call.host === undefined ? STAGE : '/speke'}/${call.path}`;
  const unsigned = {
    method: call.method,
    path,
    ...(call.query && { query: call.query }),
    ...(call.headers && { headers: call.headers }),
    body,
  };
  const host = call.host ?? own;
  const wire =
    credentials === undefined
      ? undefined
      : signHeader(unsigned, {
          credentials,
          service: 'execute-api',
          host,
          ...(call.region !== undefined && { region: call.region }),
        });
  const query = new URLSearchParams(call.query?.map(([name, value]) => [name, value])).toString();
  const target = wire?.target ?? `${path}${query === '' ? '' : `?${query}`}`;
  const headers = wire?.headers ?? [['Host', host] as const, ...(call.headers ?? [])];
  const length = body.length === 0 ? [] : ['Content-Length', String(body.length)];
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method: call.method, path: target, headers: [...headers.flat(), ...length] },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          const { statusCode: status = 0, headers: answered } = response;
          resolve({ status, headers: answered, body: whole, text: whole.toString('utf8') });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
