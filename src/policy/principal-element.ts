/** The principals that a statement of a resource or trust policy names. */
export interface PrincipalElement {
  /** `"*"` or `{"AWS": "*"}`. */
  readonly isEveryone: boolean;
  /** Account ids, from `arn:aws:iam::A:root` or the bare id. */
  readonly accounts: ReadonlySet<string>;
  /** ARNs of users, roles, role sessions and federated sessions, and unique ids (AIDA…, AROA…). */
  readonly identities: ReadonlySet<string>;
  /** Such as `mediaconvert.amazonaws.com`. */
  readonly services: ReadonlySet<string>;
  /** S3's canonical user ids, each of which stands for an account. */
  readonly canonicalUsers: ReadonlySet<string>;
  /** Identity providers: the ARN of an OIDC or SAML provider. */
  readonly federated: ReadonlySet<string>;
}

const ACCOUNT = /^(?:(\d{12})|arn:aws:iam::(\d{12}):root)$/;
const IDENTITY_ARN =
  /^arn:aws:(?:iam::\d{12}:(?:user|role)\/[\u0021-\u0029\u002b-\u003e\u0040-\u007e]+|sts::\d{12}:(?:assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+|federated-user\/[\w+=,.@-]+))$/;
const UNIQUE_ID = /^A(?:IDA|ROA)[A-Z0-9]{12,124}$/;
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$/;
const CANONICAL_USER = /^[0-9a-f]{64}$/;

/** Collects the values of a Principal element. */
export class PrincipalElementBuilder {
  #isEveryone = false;
  readonly #accounts = new Set<string>();
  readonly #identities = new Set<string>();
  readonly #services = new Set<string>();
  readonly #canonicalUsers = new Set<string>();
  readonly #federated = new Set<string>();

  addEveryone(): void {
    this.#isEveryone = true;
  }

  /**
   * @param type `AWS`, `Service`, `CanonicalUser` or `Federated`
   * @returns false when there is no such type, or the value is not one of its form
   */
  add(type: string, value: string): boolean {
    switch (type) {
      case 'AWS':
        return this.#addAws(value);
      case 'Service':
        return addIf(SERVICE.test(value), this.#services, value);
      case 'CanonicalUser':
        return addIf(CANONICAL_USER.test(value), this.#canonicalUsers, value);
      case 'Federated':
        return addIf(value !== '' && value !== '*', this.#federated, value);
      default:
        return false;
    }
  }

  build(): PrincipalElement {
    return {
      isEveryone: this.#isEveryone,
      accounts: this.#accounts,
      identities: this.#identities,
      services: this.#services,
      canonicalUsers: this.#canonicalUsers,
      federated: this.#federated,
    };
  }

  #addAws(value: string): boolean {
    if (value === '*') {
      this.#isEveryone = true;
      return true;
    }
    const [, id, idOfArn] = ACCOUNT.exec(value) ?? [];
    const account = id ?? idOfArn;
    if (account !== undefined) return addIf(true, this.#accounts, account);
    return addIf(IDENTITY_ARN.test(value) || UNIQUE_ID.test(value), this.#identities, value);
  }
}

function addIf(isValid: boolean, set: Set<string>, value: string): boolean {
  if (isValid) set.add(value);
  return isValid;
}
