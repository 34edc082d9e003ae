import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  type ServiceInputTypes,
} from '@aws-sdk/client-kms';
import type { RawLoad } from './raw-load.ts';

export interface BenchCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The parts of a request as the SDK has signed it. */
interface SignedHttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export type MeasuredCommand = GenerateDataKeyCommand | EncryptCommand | DecryptCommand;

/** Requests exactly as the SDK for JavaScript makes and signs them, as bytes for a connection. */
export async function signRequests(
  endpoint: string,
  credentials: BenchCredentials,
  commands: readonly MeasuredCommand[],
): Promise<string[]> {
  const requests: string[] = [];
  const requestHandler = {
    handle: async (request: SignedHttpRequest) => {
      requests.push(bytesOf(request).toString('base64'));
      return { response: { statusCode: 200, headers: {}, body: new Uint8Array() } };
    },
    destroy() {},
  };
  const kms = new KMSClient({ endpoint, region: 'us-east-1', credentials, requestHandler: requestHandler as never });
  for (const command of commands)
    await kms.send(command as { readonly input: ServiceInputTypes } as GenerateDataKeyCommand);
  kms.destroy();
  return requests;
}

function bytesOf({ method, path, headers, body = '' }: SignedHttpRequest): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), Buffer.from(body)]);
}

/** The same bytes for the bare server, which answers as many as the path says. */
export function toBareServer(requests: readonly string[], answerLength: number): string[] {
  return requests.map((request) =>
    Buffer.from(
      Buffer.from(request, 'base64').toString('latin1').replace('POST / ', `POST /${answerLength} `),
      'latin1',
    ).toString('base64'),
  );
}

export function targetOf(endpoint: string): Pick<RawLoad, 'host' | 'port'> {
  const { hostname, port } = new URL(endpoint);
  return { host: hostname, port: Number(port) };
}
