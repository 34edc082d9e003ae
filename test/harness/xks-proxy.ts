import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { SignatureV4 } from '@smithy/signature-v4';
import { SignerHash } from '#crypto/signer-hash.ts';
import { issueCertificate } from './certificates.ts';

export interface ProxyCredential {
  readonly AccessKeyId: string;
  readonly RawSecretAccessKey: string;
}

type Json = Readonly<Record<string, unknown>>;

/** What a proxy was asked. */
export interface ProxyCall {
  readonly operation: string;
  readonly keyId: string | undefined;
  readonly body: Json;
  readonly metadata: Json;
}

/** What it answers in place of the truth; `silent` says nothing. */
export type OddAnswer =
  | 'silent'
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }
  | { readonly change: (answer: Json) => Json };

const PREFIX = '/team/kms/xks/v1';

/**
 * An external key store proxy of somebody else's, written from the public specification: its keys are its own, it checks
 * signatures with the SDK's signer, and binds its own metadata to what it encrypts.
 */
export class XksProxy {
  readonly calls: ProxyCall[] = [];
  readonly keys = new Map<string, Buffer>();
  /** By operation: `health`, `metadata`, `encrypt`, `decrypt`. */
  readonly odd = new Map<string, OddAnswer>();
  readonly metadata = { keySpec: 'AES_256', keyUsage: ['ENCRYPT', 'DECRYPT'], keyStatus: 'ENABLED' };
  health = 'ACTIVE';
  /** How many requests it answers by closing their connections, as proxies do that end while they are asked. */
  breaks = 0;
  /** Answers under every path. */
  isAnyPath = false;
  credential: ProxyCredential;
  /** How often a connection was made. */
  connections = 0;
  readonly name: string;
  readonly path = PREFIX;
  readonly #server: Server;
  readonly #trusted = getCACertificates('default');
  readonly #isTls: boolean;

  private constructor(name: string, isTls: boolean, certified: string) {
    this.name = name;
    this.#isTls = isTls;
    this.credential = newCredential();
    const { certificate: cert, key } = issueCertificate(certified);
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response);
    this.#server = isTls ? createHttpsServer({ key, cert }, answer) : createHttpServer(answer);
    if (isTls) setDefaultCACertificates([...this.#trusted, cert]);
    this.#server.on('connection', () => (this.connections += 1));
  }

  /** @param certified the name in its certificate, which is trusted while the process runs */
  static async start(name: string, isTls = true, certified = name): Promise<XksProxy> {
    const proxy = new XksProxy(name, isTls, certified);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `https://${this.name}`;
  }

  /** As it stands in `COFFER_XKS_PROXIES`. */
  get route(): string {
    return `${this.name}=${this.#isTls ? 'https' : 'http'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  makeKey(id: string): void {
    this.keys.set(id, randomBytes(32));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    if (this.#isTls) setDefaultCACertificates(this.#trusted);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    const path = request.url ?? '';
    if (this.breaks > 0) {
      this.breaks -= 1;
      request.socket.destroy();
      return;
    }
    const [, keyId, operation = 'health'] = /\/keys\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    const odd = this.odd.get(operation);
    if (odd === 'silent') return;
    const { status, body } =
      (await this.#isSigned(request, bytes)) && request.method === 'POST'
        ? this.#serve(path, keyId, operation, JSON.parse(bytes.toString()) as Json)
        : failure(401, 'AuthenticationFailedException');
    const headers = { 'content-type': 'application/json' };
    if (odd === undefined || status !== 200) response.writeHead(status, headers).end(JSON.stringify(body));
    else if ('change' in odd) response.writeHead(200, headers).end(JSON.stringify(odd.change(body)));
    else response.writeHead(odd.status ?? 200, { ...headers, ...odd.headers }).end(odd.body);
  }

  async #isSigned({ headers, url: path = '' }: IncomingMessage, body: Buffer): Promise<boolean> {
    const { AccessKeyId, RawSecretAccessKey } = this.credential;
    const date = String(headers['x-amz-date']);
    const region = /Credential=[^/]+\/\d{8}\/([^/]+)\/kms-xks-proxy\/aws4_request/.exec(
      headers.authorization ?? '',
    )?.[1];
    const signer = new SignatureV4({
      service: 'kms-xks-proxy',
      region: region ?? '',
      credentials: { accessKeyId: AccessKeyId, secretAccessKey: RawSecretAccessKey },
      sha256: SignerHash,
      applyChecksum: false,
    });
    const moment = new Date(date.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'));
    const toSign = {
      method: 'POST',
      protocol: 'https:',
      hostname: this.name,
      path,
      headers: { host: this.name, 'x-amz-date': date },
      query: {},
      body,
    };
    const signableHeaders = new Set(['host', 'x-amz-date']);
    const signed = await signer.sign(toSign, { signingDate: moment, signableHeaders });
    const isFresh = Math.abs(Date.now() - moment.getTime()) < 300_000;
    return isFresh && headers.host === this.name && signed.headers['authorization'] === headers.authorization;
  }

  #serve(path: string, keyId: string | undefined, operation: string, body: Json): { status: number; body: Json } {
    const tail = keyId === undefined ? 'health' : `keys/${keyId}/${operation}`;
    if (path !== `${PREFIX}/${tail}` && !this.isAnyPath) return failure(404, 'InvalidUriPathException');
    this.calls.push({ operation, keyId, body, metadata: body['requestMetadata'] as Json });
    if (operation === 'health') return { status: 200, body: this.#healthStatus() };
    const key = this.keys.get(keyId ?? '');
    if (key === undefined) return failure(404, 'KeyNotFoundException');
    if (operation === 'metadata') return { status: 200, body: this.metadata };
    if (this.metadata.keyStatus !== 'ENABLED') return failure(400, 'InvalidStateException');
    return operation === 'encrypt' ? encrypt(key, body) : decrypt(key, body);
  }

  #healthStatus(): Json {
    return {
      xksProxyFleetSize: 1,
      xksProxyVendor: 'Test',
      xksProxyModel: 'Test proxy 1.0',
      ekmVendor: 'Test',
      ekmFleetDetails: [{ id: 'hsm-1', model: 'HSM 1', healthStatus: this.health }],
    };
  }
}

export function newCredential(): ProxyCredential {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return {
    AccessKeyId: Array.from(randomBytes(24), (byte) => letters[byte % 32]).join(''),
    RawSecretAccessKey: randomBytes(32).toString('base64'),
  };
}

function failure(status: number, errorName: string): { status: number; body: Json } {
  return { status, body: { errorName, errorMessage: 'not to be told to callers' } };
}

function encrypt(key: Buffer, request: Json) {
  const iv = randomBytes(12);
  const metadata = Buffer.from('v=1');
  const aad = bytesOf(request['additionalAuthenticatedData']);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(boundData(aad, metadata));
  const ciphertext = Buffer.concat([cipher.update(bytesOf(request['plaintext'])), cipher.final()]);
  const parts = [aad, metadata, iv, ciphertext, cipher.getAuthTag()];
  const integrity = createHash('sha256').update(Buffer.concat(parts)).digest();
  const body = {
    ciphertext: ciphertext.toString('base64'),
    ciphertextMetadata: metadata.toString('base64'),
    initializationVector: iv.toString('base64'),
    authenticationTag: cipher.getAuthTag().toString('base64'),
    ciphertextDataIntegrityValue: integrity.toString('base64'),
  };
  return { status: 200, body };
}

function decrypt(key: Buffer, request: Json) {
  const aad = boundData(bytesOf(request['additionalAuthenticatedData']), bytesOf(request['ciphertextMetadata']));
  const iv = bytesOf(request['initializationVector']);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(aad);
    decipher.setAuthTag(bytesOf(request['authenticationTag']));
    const plaintext = Buffer.concat([decipher.update(bytesOf(request['ciphertext'])), decipher.final()]);
    return { status: 200, body: { plaintext: plaintext.toString('base64') } };
  } catch {
    return failure(400, 'InvalidCiphertextException');
  }
}

function boundData(aad: Buffer, metadata: Buffer): Buffer {
  return Buffer.concat([Buffer.of(aad.length >> 8, aad.length & 0xff), aad, Buffer.of(metadata.length), metadata]);
}

function bytesOf(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : '', 'base64');
}
