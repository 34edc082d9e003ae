import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { CpixRequest, CpixResponse, DrmSignals } from '#media/cpix/document.ts';
import { readRequest } from '#media/cpix/read-document.ts';
import { writeResponse } from '#media/cpix/write-document.ts';

export const withoutOpenssl = spawnSync('openssl', ['version']).error !== undefined && 'openssl is not installed';

/** What a provider was asked. */
export interface SpekeCall {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: Buffer;
  readonly request: CpixRequest;
}

/** What it answers instead of keys. */
export interface OddAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** A key provider of somebody else's, on loopback with TLS, which this process trusts while it runs. */
export class SpekeProvider {
  readonly calls: SpekeCall[] = [];
  /** By path. `never` takes the request and says nothing. */
  readonly odd = new Map<string, OddAnswer | 'never'>();
  /** Changes what would be answered. */
  change: (response: CpixResponse) => CpixResponse = (response) => response;
  readonly #server: Server;
  readonly #trusted = getCACertificates('default');

  private constructor() {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const args = ['req', '-x509', ...curve, ...subject, '-days', '2', '-keyout', '-', '-out', '-'];
    const pem = spawnSync('openssl', args).stdout.toString();
    const [key = ''] = /-----BEGIN PRIVATE KEY[^]*?END PRIVATE KEY-----\n/.exec(pem) ?? [];
    const [cert = ''] = /-----BEGIN CERTIFICATE[^]*?END CERTIFICATE-----\n/.exec(pem) ?? [];
    setDefaultCACertificates([...this.#trusted, cert]);
    this.#server = createServer({ key, cert }, (incoming, response) => {
      void (async () => {
        const pieces: Buffer[] = [];
        for await (const piece of incoming as AsyncIterable<Buffer>) pieces.push(piece);
        const body = Buffer.concat(pieces);
        const { headers, url: path = '' } = incoming;
        const version = headers['x-speke-version'] === '2.0' ? '2.0' : '1.0';
        const request = readRequest(body, version);
        this.calls.push({ headers, path, body, request });
        const odd = this.odd.get(path);
        if (odd === 'never') return;
        const answer = odd ?? { status: 200, body: writeResponse(this.change(answerTo(request))) };
        const own = { 'content-type': 'application/xml', ...(version === '2.0' && { 'x-speke-version': version }) };
        response.writeHead(answer.status, { ...own, ...answer.headers }).end(answer.body);
      })();
    });
  }

  static async start(): Promise<SpekeProvider> {
    const provider = new SpekeProvider();
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  /** Such as `localhost:8443`. */
  get host(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `https://${this.host}/cpix`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    setDefaultCACertificates(this.#trusted);
  }
}

/** The key of an id: every provider has its secret way to it. */
export function keyOf(kid: string): Buffer {
  return createHash('sha256').update(`provider ${kid}`).digest().subarray(0, 16);
}

/** The signals of a system, which tests know again. */
export function signalsOf(kid: string, systemId: string): Required<DrmSignals> {
  const system = Buffer.from(systemId.replaceAll('-', ''), 'hex');
  const data = Buffer.from(`data of ${kid}`);
  const pssh = Buffer.concat([Buffer.alloc(4), Buffer.from('pssh\0\0\0\0'), system, Buffer.alloc(4), data]);
  pssh.writeUInt32BE(pssh.length);
  pssh.writeUInt32BE(data.length, 28);
  const media = `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://${kid}/${systemId}",KEYFORMAT="urn:uuid:${systemId}"`;
  return {
    pssh,
    contentProtection: `<cenc:pssh>${pssh.toString('base64')}</cenc:pssh>`,
    keyUri: `https://licences.example.com/${kid}/${systemId}`,
    keyFormat: 'com.example.drm',
    keyFormatVersions: '1/2',
    hlsMedia: media,
    hlsMaster: media.replace('EXT-X-KEY', 'EXT-X-SESSION-KEY'),
    protectionHeader: Buffer.from(`header of ${kid}`),
  };
}

function answerTo(request: CpixRequest): CpixResponse {
  const { version, contentId, rules, keys, systems } = request;
  return {
    version,
    contentId,
    rules,
    keys: keys.map((key) => ({ ...key, value: keyOf(key.kid) })),
    systems: systems.map(({ kid, systemId, wanted }) => {
      const all = signalsOf(kid, systemId);
      return { kid, systemId, signals: Object.fromEntries(wanted.map((name) => [name, all[name]])) };
    }),
  };
}
