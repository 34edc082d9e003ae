import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { Clock } from '#kernel/clock.ts';
import { fetchJson, ProviderUnreachableError } from './fetch-json.ts';

const MAX_KEYS = 100;
const MAX_PROVIDERS = 1000;
/** Milliseconds for which keys are believed without asking again. */
const FRESH_MS = 60 * 60_000;
/** How soon a provider is asked again: for a key that it did not have, or because it did not answer. */
const AGAIN_MS = 30_000;

export type KeySet = ReturnType<typeof createLocalJWKSet>;

interface Cached {
  readonly keys: Promise<KeySet>;
  readonly askedAt: number;
  hasFailed: boolean;
}

/**
 * The signing keys of OpenID Connect providers, as their discovery documents lead to them. Anybody may bring a token, so
 * how often a provider is asked does not depend on how many do.
 */
export class ProviderKeys {
  readonly #clock: Clock;
  readonly #trustedIssuers: readonly string[];
  readonly #cache = new Map<string, Cached>();

  constructor(clock: Clock, trustedIssuers: readonly string[]) {
    this.#clock = clock;
    this.#trustedIssuers = trustedIssuers;
  }

  /**
   * @param issuer as the token has it, of a provider that an account trusts
   * @param isAgain the keys that are known did not have the token's: ask once more, if that is not too soon
   * @throws ProviderUnreachableError
   */
  keysOf(issuer: string, isAgain = false): Promise<KeySet> {
    const now = this.#clock.now();
    const cached = this.#cache.get(issuer);
    if (cached !== undefined) {
      const age = now - cached.askedAt;
      if (age < (isAgain || cached.hasFailed ? AGAIN_MS : FRESH_MS)) return cached.keys;
    }
    if (this.#cache.size >= MAX_PROVIDERS) this.#cache.clear();
    const entry: Cached = { keys: this.#ask(issuer), askedAt: now, hasFailed: false };
    entry.keys.catch(() => (entry.hasFailed = true));
    this.#cache.set(issuer, entry);
    return entry.keys;
  }

  async #ask(issuer: string): Promise<KeySet> {
    const discovery = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const configuration = membersOf(await fetchJson(discovery, this.#trustedIssuers));
    if (configuration['issuer'] !== issuer) throw new ProviderUnreachableError(`${discovery} is of another issuer`);
    const address = configuration['jwks_uri'];
    if (typeof address !== 'string') throw new ProviderUnreachableError(`${discovery} names no keys`);
    const document = membersOf(await fetchJson(address, this.#trustedIssuers));
    const { keys } = document;
    if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new ProviderUnreachableError(`${address} has no keys`);
    // INVARIANT: public keys of pairs only: a secret that both sides know would let who reads it sign.
    const pairs = keys.filter((key) => ['RSA', 'EC'].includes(String(membersOf(key)['kty'])));
    return createLocalJWKSet({ keys: pairs } as JSONWebKeySet);
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
