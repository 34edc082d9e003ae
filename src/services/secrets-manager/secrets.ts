import { accountOf, type Caller } from '#kernel/caller.ts';
import { formatArn } from '#kernel/arn.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { AccessRequest, ConditionContext } from '#kernel/operation.ts';
import { readSecretId, secretArn, UNKNOWN_SUFFIX } from './domain/secret-identifier.ts';
import { parseTags, type TagMap } from './domain/tags.ts';
import { accessDenied, markedForDeletion, replicaRefused, secretNotFound } from './errors.ts';
import type { SecretRow, SecretStore } from './store.ts';

/** Who asks, where and when: every `Call` is one. */
export interface SecretScope {
  readonly caller: Caller;
  readonly region: Region;
  readonly now: number;
}

/** What a request adds to the question. */
export interface AccessDetails extends Pick<AccessRequest, 'requestTags'> {
  readonly context?: ConditionContext;
}

/** Finds the secrets that requests name, and says what has to be allowed on them. */
export class Secrets {
  readonly #store: SecretStore;
  /** Call → the id of the secret about which it was asked whether it is allowed. */
  readonly #asked = new WeakMap<SecretScope, string | undefined>();

  constructor(store: SecretStore) {
    this.#store = store;
  }

  /**
   * A secret, also one that is scheduled for deletion.
   *
   * INVARIANT: it is the one that was authorised: one that was made meanwhile under the same name is not.
   *
   * @throws ServiceError ResourceNotFoundException
   */
  async find(secretId: string | undefined, scope: SecretScope): Promise<SecretRow> {
    const row = await this.#locate(secretId ?? '', scope);
    if (row === undefined || (this.#asked.has(scope) && this.#asked.get(scope) !== row.id)) throw secretNotFound();
    return row;
  }

  /** A secret that is in use. @throws ServiceError ResourceNotFoundException, InvalidRequestException */
  async findActive(secretId: string | undefined, scope: SecretScope): Promise<SecretRow> {
    return requireActive(await this.find(secretId, scope));
  }

  /** As `findActive`, and not a replica, which follows its primary. */
  async findPrimary(secretId: string | undefined, scope: SecretScope): Promise<SecretRow> {
    return requirePrimary(await this.findActive(secretId, scope));
  }

  /**
   * What `authorize` of an operation on a secret returns.
   *
   * Of a secret that is not there the question is asked about its name with any six characters: who may use such a
   * secret learns that there is none, and nobody else does.
   *
   * @param action without the service's prefix
   */
  async access(
    action: string,
    secretId: string | undefined,
    scope: SecretScope,
    details: AccessDetails = {},
  ): Promise<readonly AccessRequest[]> {
    const row = await this.#locate(secretId ?? '', scope);
    this.#asked.set(scope, row?.id);
    if (row !== undefined) return [accessTo(action, row, details)];
    const account = accountOfCaller(scope.caller);
    const address = readSecretId(secretId ?? '', account, scope.region) ?? {
      account,
      region: scope.region,
      name: '*',
      suffix: undefined,
    };
    return [
      {
        action: `secretsmanager:${action}`,
        resource: secretArn({ ...address, suffix: address.suffix ?? UNKNOWN_SUFFIX }),
        resourceAccount: address.account,
        ...(details.requestTags !== undefined && { requestTags: details.requestTags }),
        context: { ...details.context },
      },
    ];
  }

  /** Names are of the caller's own account; ARNs of another region name nothing here. */
  async #locate(secretId: string, { caller, region, now }: SecretScope): Promise<SecretRow | undefined> {
    const address = readSecretId(secretId, accountOfCaller(caller), region);
    if (address === undefined || address.region !== region) return undefined;
    const row = await this.#store.find(address.account, address.region, address.name);
    if (row === undefined || isGone(row, now)) return undefined;
    return address.suffix === undefined || address.suffix === row.suffix ? row : undefined;
  }
}

/** The question about a secret that is there. @param action without the service's prefix */
export function accessTo(
  action: string,
  row: SecretRow,
  { context, requestTags }: AccessDetails = {},
  tags: TagMap = parseTags(row.tags),
): AccessRequest {
  const arn = arnOf(row);
  const ownTags = Object.entries(tags).map(([key, value]) => [`secretsmanager:ResourceTag/${key}`, value] as const);
  return {
    action: `secretsmanager:${action}`,
    resource: arn,
    resourceAccount: row.account,
    resourcePolicy: { document: row.policy ?? undefined, isRequired: false, kind: 'resource-based' },
    resourceTags: tags,
    ...(requestTags !== undefined && { requestTags }),
    context: {
      ...Object.fromEntries(ownTags),
      'secretsmanager:SecretId': arn,
      'secretsmanager:SecretPrimaryRegion': row.primary_region ?? row.region,
      'secretsmanager:resource/AllowRotationLambdaArn': row.rotation_target ?? undefined,
      ...context,
    },
  };
}

export function arnOf(row: SecretRow): string {
  return secretArn(row);
}

/** True once the recovery window is over, whether or not the secret was swept yet. */
export function isGone(row: SecretRow, now: number): boolean {
  return row.purge_at !== null && row.purge_at <= now;
}

export function requireActive(row: SecretRow): SecretRow {
  if (row.purge_at !== null) throw markedForDeletion();
  return row;
}

export function requirePrimary(row: SecretRow): SecretRow {
  if (row.primary_id !== null) throw replicaRefused();
  return row;
}

/** @throws ServiceError AccessDeniedException for anonymous callers, of whom there are none */
export function accountOfCaller(caller: Caller): AccountId {
  const account = accountOf(caller);
  if (account === undefined) throw accessDenied('Missing Authentication Token');
  return account;
}

const MANAGED_ALIAS = 'alias/aws/secretsmanager';

/** What is kept of a key that a request names: nothing for the AWS managed key. */
export function storedKeyId(keyId: string | undefined): string | null {
  return keyId === undefined || keyId === '' || keyId.endsWith(`:${MANAGED_ALIAS}`) || keyId === MANAGED_ALIAS
    ? null
    : keyId;
}

/**
 * INVARIANT: an id or alias is of the account that owns the secret, whoever asks: otherwise a caller of another account
 * could make it lie under a key of their own.
 */
export function kmsKeyArn(
  owner: { readonly account: AccountId; readonly region: Region },
  keyId: string | null,
): string {
  if (keyId?.startsWith('arn:')) return keyId;
  const name = keyId ?? MANAGED_ALIAS;
  const resource = name.startsWith('alias/') ? name : `key/${name}`;
  return formatArn({ service: 'kms', region: owner.region, account: owner.account, resource });
}

/** The condition keys about the key that a request names. */
export function kmsKeyConditions(
  owner: { readonly account: AccountId; readonly region: Region },
  keyId: string | undefined,
): ConditionContext {
  if (keyId === undefined) return {};
  return { 'secretsmanager:KmsKeyId': keyId, 'secretsmanager:KmsKeyArn': kmsKeyArn(owner, keyId) };
}
