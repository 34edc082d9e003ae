import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity } from '@smithy/types';
import { SignerHash } from '#crypto/signer-hash.ts';
import type { StreamName } from './kvs-target.ts';
import { PutMediaError } from './put-media-error.ts';

/** One line of what the service answers. */
export interface Acknowledgement {
  readonly EventType: string;
  readonly FragmentTimecode?: number;
  readonly FragmentNumber?: string;
  readonly ErrorId?: number;
  readonly ErrorCode?: string;
}

export interface PutMediaFacts {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: AwsCredentialIdentity;
  readonly stream: StreamName;
  /** Milliseconds since 1970: what the timecodes count from. */
  readonly startedAt: number;
  readonly onAcknowledgement: (line: string, acknowledgement: Acknowledgement) => void;
}

const PATH = '/putMedia';
const SERVICE = 'kinesisvideo';
/** Nobody writes a longer line, or a longer refusal. */
const LONGEST_ANSWER = 64 * 1024;

/** One PutMedia request: its body is written as it is made, while the acknowledgements come back. */
export class PutMediaConnection {
  readonly #request: ClientRequest;
  readonly #ended: Promise<void>;
  #failure: Error | undefined;
  #isEnding = false;
  #isOver = false;
  /** Wakes what waits for the other side. */
  #wake: () => void = () => {};

  private constructor(request: ClientRequest, onAcknowledgement: PutMediaFacts['onAcknowledgement']) {
    this.#request = request;
    this.#ended = new Promise<void>((resolve, reject) => {
      request.once('response', (response) => {
        if (response.statusCode === 200) this.#wake();
        this.#read(response, onAcknowledgement).then(resolve, reject);
      });
      request.once('error', (error) => reject(new PutMediaError(`PutMedia broke off: ${error.message}`)));
    });
    request.on('continue', () => this.#wake());
    request.on('drain', () => this.#wake());
    const finish = (): void => {
      this.#isOver = true;
      this.#wake();
    };
    this.#ended.then(finish, (error: Error) => {
      this.#failure ??= error;
      request.destroy();
      finish();
    });
  }

  /** @throws PutMediaError when the service refuses the request */
  static async open(facts: PutMediaFacts): Promise<PutMediaConnection> {
    const url = new URL(PATH, facts.endpoint);
    const headers = await signedHeaders(url, facts);
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method: 'POST', headers });
    const connection = new PutMediaConnection(request, facts.onAcknowledgement);
    request.flushHeaders();
    await connection.#wait();
    return connection;
  }

  /** Resolves when there is room for more. @throws PutMediaError when the service has refused the stream */
  async send(bytes: readonly Buffer[]): Promise<void> {
    this.#throwIfFailed();
    if (this.#request.write(Buffer.concat(bytes))) return;
    await this.#wait();
  }

  /** Ends the body, and resolves when the service has answered to all of it. @throws PutMediaError */
  async end(): Promise<void> {
    this.#throwIfFailed();
    this.#isEnding = true;
    this.#request.end();
    await this.#ended;
  }

  async #wait(): Promise<void> {
    if (!this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#throwIfFailed();
  }

  destroy(): void {
    this.#failure ??= new PutMediaError('The connection was closed.');
    this.#request.destroy();
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #read(response: IncomingMessage, onAcknowledgement: PutMediaFacts['onAcknowledgement']): Promise<void> {
    if (response.statusCode !== 200) throw await refusalOf(response);
    let rest = '';
    for await (const text of response.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_ANSWER) throw new PutMediaError('PutMedia answered with a line without end.');
      for (const line of lines) {
        if (line.trim() !== '') this.#take(line.trim(), onAcknowledgement);
      }
    }
    this.#throwIfFailed();
    if (!response.complete || !this.#isEnding)
      throw new PutMediaError('PutMedia broke off before everything was acknowledged.');
  }

  #take(line: string, onAcknowledgement: PutMediaFacts['onAcknowledgement']): void {
    const acknowledgement = JSON.parse(line) as Acknowledgement;
    onAcknowledgement(line, acknowledgement);
    if (acknowledgement.EventType !== 'ERROR') return;
    const { ErrorId: id, ErrorCode: code } = acknowledgement;
    this.#failure ??= new PutMediaError(`PutMedia refused the stream: error ${id}, ${code}.`);
  }
}

async function refusalOf(response: IncomingMessage): Promise<PutMediaError> {
  let body = '';
  for await (const text of response.setEncoding('utf8') as AsyncIterable<string>) {
    body += text;
    if (body.length > LONGEST_ANSWER) break;
  }
  const type = response.headers['x-amzn-errortype'];
  const name = typeof type === 'string' ? type.split(':')[0] : `status ${response.statusCode}`;
  return new PutMediaError(`PutMedia was refused: ${name}: ${messageOf(body)}`);
}

function messageOf(body: string): string {
  try {
    const { Message, message } = JSON.parse(body) as { readonly Message?: string; readonly message?: string };
    return Message ?? message ?? body;
  } catch {
    return body.slice(0, 1000);
  }
}

/** SigV4 in the header, with a body that is not signed: it does not exist yet. */
async function signedHeaders(url: URL, facts: PutMediaFacts): Promise<Record<string, string>> {
  const { region, credentials } = facts;
  const signer = new SignatureV4({ service: SERVICE, region, credentials, sha256: SignerHash });
  const signed = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    path: PATH,
    query: {},
    headers: {
      host: url.host,
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      ...('StreamARN' in facts.stream
        ? { 'x-amzn-stream-arn': facts.stream.StreamARN }
        : { 'x-amzn-stream-name': facts.stream.StreamName }),
      'x-amzn-fragment-timecode-type': 'RELATIVE',
      'x-amzn-producer-start-timestamp': (facts.startedAt / 1000).toFixed(3),
    },
  });
  return { ...signed.headers, 'transfer-encoding': 'chunked', expect: '100-continue' };
}
