/** What a grant on a KMS key asks of requests, beyond who makes them and for what. */
export interface GrantConstraints {
  /** The request's encryption context is exactly this. */
  readonly encryptionContextEquals?: Readonly<Record<string, string>>;
  /** The request's encryption context has at least these pairs. */
  readonly encryptionContextSubset?: Readonly<Record<string, string>>;
  /** A service makes the request on behalf of this resource: `aws:SourceArn`. */
  readonly sourceArn?: string;
}

/** What a grant allows, whoever it is for. */
export interface GrantTerms {
  /** As the API names them: `Decrypt`, `ReEncryptFrom`, `CreateGrant`. */
  readonly operations: readonly string[];
  readonly constraints: GrantConstraints;
}

/** A grant as authorisation sees it: it allows its operations on one key to one principal, and denies nothing. */
export interface KeyGrant extends GrantTerms {
  readonly id: string;
  /** The ARN of the key. */
  readonly key: string;
  /** The ARN of a user, a role, a session or an account's root, or the name of a service. */
  readonly grantee: string;
  /** The unique id that the grantee had when the grant was made: another user or role of the same name is not meant. */
  readonly granteeId?: string;
}

/** Asks for the grants that may allow an access; the gateway does so where the policies neither allow nor deny it. */
export interface GrantQuestion {
  /** The grants on the resource whose grantee is called by one of these names. */
  readonly find: (grantees: readonly string[]) => Promise<readonly KeyGrant[]>;
  /** The request's encryption context, as it came: condition keys do not tell its keys' case. */
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
  /** The grant that the request would make: who may do so by a grant alone passes on no more than that has. */
  readonly child?: GrantTerms | undefined;
}
