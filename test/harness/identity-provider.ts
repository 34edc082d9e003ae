import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { exportJWK, generateKeyPair, type GenerateKeyPairResult, type JWK, SignJWT } from 'jose';

interface Pair {
  readonly algorithm: string;
  readonly keys: GenerateKeyPairResult;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An OpenID Connect provider on loopback: discovery, keys, and tokens that it signs. */
export class IdentityProvider {
  readonly #server: Server;
  readonly #pairs = new Map<string, Pair>();
  /** Public keys that it tells, by id. */
  readonly told = new Map<string, JWK>();
  /** Answers in the place of its documents, by path. */
  readonly answers = new Map<string, Answer>();
  /** How often each path was asked for. */
  readonly asked = new Map<string, number>();
  issuer = '';

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(algorithms: readonly string[] = ['RS256']): Promise<IdentityProvider> {
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      provider.asked.set(path, (provider.asked.get(path) ?? 0) + 1);
      const { status, headers = {}, body } = provider.answers.get(path) ?? provider.#documentAt(path);
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    });
    const provider = new IdentityProvider(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    provider.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realm`;
    for (const algorithm of algorithms) await provider.addKey(algorithm.toLowerCase(), algorithm);
    return provider;
  }

  /** As ARNs and condition keys have it. */
  get name(): string {
    return this.issuer.replace('http://', '');
  }

  get origin(): string {
    return new URL(this.issuer).origin;
  }

  async addKey(kid: string, algorithm: string): Promise<void> {
    const keys = await generateKeyPair(algorithm, { extractable: true });
    this.#pairs.set(kid, { algorithm, keys });
    this.told.set(kid, { ...(await exportJWK(keys.publicKey)), kid, alg: algorithm, use: 'sig' });
  }

  /** The claims of an ordinary token, with these in their place; `undefined` leaves one out. */
  claims(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    return { iss: this.issuer, sub: 'person-1', aud: 'films', iat: now, exp: now + 300, ...changes };
  }

  async token(changes: Readonly<Record<string, unknown>> = {}, kid = 'rs256', header: object = {}): Promise<string> {
    const pair = this.#pairs.get(kid);
    if (pair === undefined) throw new Error(`There is no key ${kid}.`);
    const claims = Object.fromEntries(Object.entries(this.claims(changes)).filter(([, value]) => value !== undefined));
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: pair.algorithm, kid, ...header })
      .sign(pair.keys.privateKey);
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #documentAt(path: string): Answer {
    if (path === '/realm/.well-known/openid-configuration') {
      return { status: 200, body: JSON.stringify({ issuer: this.issuer, jwks_uri: `${this.issuer}/keys` }) };
    }
    if (path === '/realm/keys') return { status: 200, body: JSON.stringify({ keys: [...this.told.values()] }) };
    return { status: 404, body: '{}' };
  }
}
