import type { KeyState } from '@aws-sdk/client-kms';
import type { Caller } from '#kernel/caller.ts';
import { accountOf, nameOf } from '#kernel/caller.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { GrantQuestion } from '#kernel/key-grant.ts';
import type { Call } from '#kernel/operation.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { accessDenied, aliasNotFound, disabled, invalidState, keyNotFound } from '../errors.ts';
import { expireMaterials } from '../materials/imports.ts';
import type { KeyEvents } from '../maintenance/key-events.ts';
import type { DescribedKey, KmsStore } from '../store.ts';
import type { AliasRecord, KeyRecord, KeyRef } from '../tables.ts';
import { aliasArn, keyArn, type KeyIdentifier, readKeyIdentifier } from './key-identifier.ts';
import { type ManagedKeyService, managedKeyDescription, managedKeyPolicy, managedKeyService } from './key-policies.ts';
import { nextRotation, YEAR_IN_DAYS } from './rotation-schedule.ts';
import type { KeyMaterials } from './key-materials.ts';
import { XksFailure } from '../xks/proxy-failure.ts';

/** A key that a request named, with the alias by which it did. */
export interface LocatedKey {
  readonly key: DescribedKey;
  readonly arn: string;
  /** As the request named it; undefined for the key of a ciphertext or of a grant. */
  readonly requestName: string | undefined;
  /** `alias/…` when the request named the key by it: `kms:RequestAlias`. */
  readonly requestAlias: string | undefined;
  readonly findGrants: GrantQuestion['find'];
}

/** Finds the keys that requests name, and makes AWS managed keys when they are first asked for. */
export class KeyLocator {
  readonly #store: KmsStore;
  readonly #materials: KeyMaterials;
  readonly #randomness: Randomness;
  readonly #events: KeyEvents;
  readonly #aliases = new WeakMap<Call, Map<string, AliasRecord>>();

  constructor(parts: {
    readonly store: KmsStore;
    readonly materials: KeyMaterials;
    readonly randomness: Randomness;
    readonly events: KeyEvents;
  }) {
    this.#store = parts.store;
    this.#materials = parts.materials;
    this.#randomness = parts.randomness;
    this.#events = parts.events;
  }

  /**
   * @param action for the refusal where the key is in another account: whether it exists is not told
   * @throws ServiceError NotFoundException, InvalidArnException, AccessDeniedException
   */
  async locate(keyId: string, call: Call, action: string): Promise<LocatedKey> {
    const account = callerAccount(call.caller, action);
    const identifier = readKeyIdentifier(keyId, account, call.region);
    const key =
      identifier.kind === 'alias'
        ? await this.#findByAlias(identifier, call)
        : await this.#findById(identifier, call.now);
    if (key === undefined) {
      if (identifier.account !== account) throw foreignKeyDenied(call.caller, action, keyId);
      throw identifier.kind === 'alias'
        ? aliasNotFound(aliasArn(identifier.account, identifier.region, identifier.name))
        : keyNotFound(keyArn({ account: identifier.account, region: identifier.region, id: identifier.name }));
    }
    return this.#located(key, keyId, identifier.kind === 'alias' ? identifier.name : undefined);
  }

  /** The key of a ciphertext, which names its id alone. */
  async locateById(id: string, call: Call): Promise<LocatedKey | undefined> {
    const key = await this.#find({ region: call.region, id }, call.now);
    if (key === undefined || isGone(key, call.now) || key.region !== call.region) return undefined;
    return this.#located(key, undefined, undefined);
  }

  #located(key: DescribedKey, requestName: string | undefined, requestAlias: string | undefined): LocatedKey {
    const findGrants: GrantQuestion['find'] = (grantees) => this.#store.grants.findFor(key, grantees);
    return { key, arn: keyArn(key), requestName, requestAlias, findGrants };
  }

  /**
   * INVARIANT: an alias leads to one key throughout a request, so that the key that is used is the one that was authorised.
   */
  async findAlias(account: AccountId, name: string, call: Call): Promise<AliasRecord | undefined> {
    const known = this.#aliases.get(call) ?? new Map<string, AliasRecord>();
    const place = `${account} ${name}`;
    const alias = known.get(place) ?? (await this.#store.findAlias(account, call.region, name));
    if (alias !== undefined) this.#aliases.set(call, known.set(place, alias));
    return alias;
  }

  /** INVARIANT: imported material ends at its moment, whether or not it was swept yet. */
  async #find(ref: KeyRef, now: number): Promise<DescribedKey | undefined> {
    const key = await this.#store.findKey(ref);
    if (key?.expiration === undefined || (key.expiration.validTo ?? now + 1) > now) return key;
    this.#events.expired(await expireMaterials(this.#store, now, ref), now);
    this.#materials.forget(ref);
    return await this.#store.findKey(ref);
  }

  async #findById(identifier: KeyIdentifier, now: number): Promise<DescribedKey | undefined> {
    const key = await this.#find({ region: identifier.region, id: identifier.name }, now);
    const isRight = key !== undefined && key.account === identifier.account && key.region === identifier.region;
    return isRight && !isGone(key, now) ? key : undefined;
  }

  async #findByAlias(identifier: KeyIdentifier, call: Call): Promise<DescribedKey | undefined> {
    const alias = await this.findAlias(identifier.account, identifier.name, call);
    if (alias !== undefined) {
      const key = await this.#find({ region: alias.region, id: alias.key_id }, call.now);
      return key !== undefined && !isGone(key, call.now) ? key : undefined;
    }
    const service = managedKeyService(identifier.name);
    const isOwn = identifier.account === accountOf(call.caller);
    return service !== undefined && isOwn
      ? this.#createManagedKey(service, identifier.account, identifier.region, call.now)
      : undefined;
  }

  /** Two requests may want the key at once: the alias that was written first counts. */
  async #createManagedKey(
    service: ManagedKeyService,
    account: AccountId,
    region: Region,
    now: number,
  ): Promise<DescribedKey | undefined> {
    const id = this.#randomness.uuid();
    const material = this.#materials.create({ region, id }, now);
    const name = `alias/aws/${service}`;
    const winner = await this.#store.write(async (transaction) => {
      const existing = await transaction
        .selectFrom('kms_alias')
        .select('key_id')
        .where('account', '=', account)
        .where('region', '=', region)
        .where('name', '=', name)
        .executeTakeFirst();
      if (existing !== undefined) return existing.key_id;
      await transaction
        .insertInto('kms_key')
        .values({
          id,
          account,
          region,
          state: 'Enabled',
          manager: 'AWS',
          description: managedKeyDescription(service),
          policy: managedKeyPolicy(service, account, region),
          created_at: now,
          deletion_at: null,
          material_id: material.id,
          spec: 'SYMMETRIC_DEFAULT',
          usage: 'ENCRYPT_DECRYPT',
          origin: 'AWS_KMS',
          multi_region: null,
          primary_region: null,
        })
        .execute();
      await transaction.insertInto('kms_material').values(material).execute();
      await transaction
        .insertInto('kms_rotation_schedule')
        .values({ region, key_id: id, period_days: YEAR_IN_DAYS, next_at: nextRotation(now, YEAR_IN_DAYS) })
        .execute();
      await transaction
        .insertInto('kms_alias')
        .values({ account, region, name, key_id: id, created_at: now, updated_at: now })
        .execute();
      return id;
    });
    return this.#store.findKey({ region, id: winner });
  }
}

/** True once the waiting period is over: the key is as good as destroyed, whether or not it was swept yet. */
function isGone(key: KeyRecord, now: number): boolean {
  return key.deletion_at !== null && key.deletion_at <= now;
}

/** @throws ServiceError DisabledException or KMSInvalidStateException when the key cannot be used for cryptography */
export function requireEnabled(located: LocatedKey): void {
  const problem = stateProblem(located.key.state);
  if (located.key.state === 'Unavailable') throw new XksFailure('notConnected').useError;
  if (located.key.state === 'Disabled') throw disabled(located.arn);
  if (problem !== undefined) throw invalidState(located.arn, problem);
}

const PROBLEMS: Partial<Record<KeyState, string>> = {
  PendingDeletion: 'is pending deletion',
  PendingReplicaDeletion: 'is pending replica deletion',
  PendingImport: 'is pending import',
  Unavailable: 'is unavailable',
  Creating: 'is creating',
  Updating: 'is updating',
};

/** The same, for operations that take a key in every state but on its way out. */
export function deletionProblem(state: KeyState): string | undefined {
  return state === 'PendingImport' || state === 'Unavailable' ? undefined : stateProblem(state);
}

/** How KMS words a state that forbids an operation. */
export function stateProblem(state: KeyState): string | undefined {
  return PROBLEMS[state];
}

export function callerAccount(caller: Caller, action: string): AccountId {
  const account = accountOf(caller);
  if (account === undefined) throw accessDenied(`User: anonymous is not authorized to perform: ${action}`);
  return account;
}

/**
 * Of what is another account's nothing is told, not even whether it is there.
 *
 * @param name as the request named the key; undefined where a ciphertext or a grant did
 */
export function foreignKeyDenied(caller: Caller, action: string, name: string | undefined): Error {
  const resource = name === undefined ? 'this resource' : `resource: ${name}`;
  return accessDenied(
    `User: ${nameOf(caller)} is not authorized to perform: ${action} on ${resource} because the resource does ` +
      'not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly ' +
      'denies access',
  );
}
