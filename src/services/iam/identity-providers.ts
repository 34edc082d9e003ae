import type { AccountId } from '#kernel/ids.ts';
import { readSamlMetadata, type SamlMetadata } from './domain/saml-metadata.ts';
import type { IamStore } from './store.ts';

const MAX_METADATA = 32;

/** An OpenID Connect provider that an account trusts. */
export interface OidcProvider {
  readonly arn: string;
  /** As tokens name it in `iss`. */
  readonly issuer: string;
  /** The audiences whose tokens are taken. */
  readonly clientIds: readonly string[];
}

/** A SAML identity provider that an account trusts. */
export interface SamlProvider {
  readonly arn: string;
  /** As its assertions name their issuer. */
  readonly entityId: string;
  /** Public keys in PEM. */
  readonly signingKeys: readonly string[];
}

/** The identity providers of accounts, for STS. */
export class IdentityProviders {
  readonly #store: IamStore;
  /** What was read of metadata, by their text: they are long, and asked for by anybody. */
  readonly #metadata = new Map<string, SamlMetadata>();

  constructor(store: IamStore) {
    this.#store = store;
  }

  /** @param issuer as a token names it */
  async findOidc(account: AccountId, issuer: string): Promise<OidcProvider | undefined> {
    const rows = await this.#store.read
      .selectFrom('iam_oidc_provider')
      .selectAll()
      .where('account', '=', account)
      .execute();
    const found = rows.find((row) => row.issuer === issuer || `${row.issuer}/` === issuer);
    return found && { arn: found.arn, issuer: found.issuer, clientIds: JSON.parse(found.client_ids) as string[] };
  }

  /** @param now milliseconds since the epoch: metadata whose time has ended speak for nobody */
  async findSaml(account: AccountId, arn: string, now: number): Promise<SamlProvider | undefined> {
    const found = await this.#store.read
      .selectFrom('iam_saml_provider')
      .selectAll()
      .where('arn', '=', arn)
      .where('account', '=', account)
      .executeTakeFirst();
    if (found === undefined || now >= found.valid_until) return undefined;
    const metadata = this.#read(found.metadata);
    return metadata && { arn, entityId: metadata.entityId, signingKeys: metadata.signingKeys };
  }

  #read(document: string): SamlMetadata | undefined {
    const known = this.#metadata.get(document);
    if (known !== undefined) return known;
    const metadata = readSamlMetadata(document);
    if (metadata === undefined) return undefined;
    if (this.#metadata.size >= MAX_METADATA) this.#metadata.clear();
    this.#metadata.set(document, metadata);
    return metadata;
  }
}
