import type { Call } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { nextRotationAfterChange } from './domain/rotation-rules.ts';
import { StagingLabels, CURRENT } from './domain/staging-labels.ts';
import { limitExceeded, secretNotFound, tokenInUse } from './errors.ts';
import { arnOf, isGone, requireActive, requirePrimary } from './secrets.ts';
import {
  findSecretById,
  findVersion,
  labelledOf,
  replicasOf,
  type SecretRow,
  type SecretsQueries,
  type SecretStore,
  updateSecretRow,
  type VersionHead,
  type VersionRow,
  versionsOf,
} from './store.ts';
import { NO_VALUE, type SealedValue, type SecretValue, type SecretValues } from './values.ts';

const DAY_MS = 86_400_000;
/** So many of the newest versions are kept, whether or not they have labels. */
const KEPT_VERSIONS = 100;
/** As many as a secret can gather within a day, in which none is removed. */
const MAX_VERSIONS = 1000;

/** A version that a request asks for. */
export interface WantedVersion {
  readonly versionId: string;
  readonly value: SecretValue;
  readonly labels: readonly string[];
  /** What else changes with it. */
  readonly change?: Partial<SecretRow>;
  /** UpdateSecret's tokens must be new; the others' may come again with the same value. */
  readonly isRepeatAllowed: boolean;
}

/** A replica's copy of a new version, or why there is none. */
type ReplicaCopy = { readonly sealed: SealedValue } | { readonly failure: string };
type Copies = ReadonlyMap<string, ReplicaCopy>;

const NO_COPIES: Copies = new Map();

/** Writes versions and their labels, to a secret and to its replicas. */
export class Versions {
  readonly #store: SecretStore;
  readonly #values: SecretValues;

  constructor(store: SecretStore, values: SecretValues) {
    this.#store = store;
    this.#values = values;
  }

  /**
   * Adds a version, or gives a version that a rotation began its value.
   *
   * @returns the labels that the version has then
   * @throws ServiceError ResourceExistsException when the token stands for another value, and as KMS answers
   */
  async put(secret: SecretRow, wanted: WantedVersion, call: Call): Promise<readonly string[]> {
    const { versionId, value } = wanted;
    const known = await this.#store.version(secret.id, versionId);
    const answer = this.#repeated(secret, known, wanted);
    if (answer !== undefined) return answer;
    const sealed = await this.#values.seal(
      { ...secret, kms_key_id: wanted.change?.kms_key_id === undefined ? secret.kms_key_id : wanted.change.kms_key_id },
      versionId,
      value,
      call,
    );
    const copies = await this.#copiesFor(secret, versionId, value, call);
    return this.#store.write(async (transaction) => {
      const row = await lockedPrimary(transaction, secret.id, call.now);
      const existing = await findVersion(transaction, row.id, versionId);
      const repeated = this.#repeated(row, existing, wanted);
      if (repeated !== undefined) return repeated;
      const labels = StagingLabels.of(await labelledOf(transaction, row.id)).withNewVersion(versionId, wanted.labels);
      await writeVersion(transaction, row.id, versionId, sealed, call.now, existing);
      await this.#settle(transaction, row, labels, call.now, copies, versionId);
      const isCurrent = labels.holderOf(CURRENT) === versionId;
      await updateSecretRow(transaction, row.id, {
        ...wanted.change,
        changed_at: call.now,
        ...(isCurrent && nextRotationAfterChange(row, call.now)),
      });
      return labels.of(versionId);
    });
  }

  /**
   * Changes labels.
   *
   * @param changeOf the labels as they are to be, of those that are
   * @param change what else changes with them
   */
  async relabel(
    secretId: string,
    now: number,
    changeOf: (labels: StagingLabels, versions: readonly VersionHead[], row: SecretRow) => StagingLabels,
    change: Partial<SecretRow> = {},
  ): Promise<void> {
    await this.#store.write(async (transaction) => {
      const row = await lockedPrimary(transaction, secretId, now);
      const versions = await versionsOf(transaction, row.id);
      const labels = changeOf(StagingLabels.of(versions), versions, row);
      await this.#settle(transaction, row, labels, now);
      await updateSecretRow(transaction, row.id, { changed_at: now, ...change });
    });
  }

  /** Adds a version without a value, within a transaction. */
  async addEmpty(
    transaction: SecretsQueries,
    row: SecretRow,
    versionId: string,
    label: string,
    now: number,
  ): Promise<void> {
    if ((await findVersion(transaction, row.id, versionId)) !== undefined) throw tokenInUse(versionId, arnOf(row));
    await writeVersion(transaction, row.id, versionId, NO_VALUE, now, undefined);
    const labels = StagingLabels.of(await labelledOf(transaction, row.id)).withLabel(label, versionId);
    await this.#settle(transaction, row, labels, now, NO_COPIES, versionId);
  }

  /** Takes a label away, within a transaction. */
  async drop(transaction: SecretsQueries, row: SecretRow, label: string, now: number): Promise<void> {
    const labels = StagingLabels.of(await labelledOf(transaction, row.id));
    await this.#settle(transaction, row, labels.without(label), now);
  }

  /** Takes a version away, within a transaction. */
  async remove(transaction: SecretsQueries, row: SecretRow, versionId: string, now: number): Promise<void> {
    await deleteVersion(transaction, row.id, versionId);
    const labels = StagingLabels.of(await labelledOf(transaction, row.id));
    await this.#settle(transaction, row, labels, now);
  }

  /** Stores the labels, lets go of what is too old, and has the replicas follow. */
  async #settle(
    transaction: SecretsQueries,
    row: SecretRow,
    labels: StagingLabels,
    now: number,
    copies: Copies = NO_COPIES,
    newVersion?: string,
  ): Promise<void> {
    await writeLabels(transaction, row.id, labels);
    await prune(transaction, row.id, now);
    const replicas = await replicasOf(transaction, row.id);
    if (replicas.length === 0) return;
    const primary = await versionsOf(transaction, row.id);
    for (const replica of replicas) {
      if (replica.secret_id === null) continue;
      const copy = copies.get(replica.secret_id);
      const fresh = newVersion === undefined ? undefined : primary.find((one) => one.version_id === newVersion);
      if (fresh !== undefined && (fresh.kind === 'none' || (copy !== undefined && 'sealed' in copy))) {
        const sealed = copy !== undefined && 'sealed' in copy ? copy.sealed : NO_VALUE;
        const before = await findVersion(transaction, replica.secret_id, fresh.version_id);
        await writeVersion(transaction, replica.secret_id, fresh.version_id, sealed, now, before);
      }
      const problem = await followPrimary(transaction, replica.secret_id, primary, labels, now);
      const failure = copy !== undefined && 'failure' in copy ? copy.failure : problem;
      await transaction
        .updateTable('secrets_manager_replica')
        .set({
          status: problem === undefined ? 'InSync' : 'Failed',
          message: problem === undefined ? null : (failure ?? null),
        })
        .where('primary_id', '=', row.id)
        .where('region', '=', replica.region)
        .execute();
    }
  }

  #repeated(
    secret: SecretRow,
    existing: VersionRow | undefined,
    { versionId, value, isRepeatAllowed }: WantedVersion,
  ): readonly string[] | undefined {
    if (existing === undefined || existing.kind === 'none') return undefined;
    if (isRepeatAllowed && this.#values.isSame(existing, value)) return JSON.parse(existing.labels) as string[];
    throw tokenInUse(versionId, arnOf(secret));
  }

  async #copiesFor(secret: SecretRow, versionId: string, value: SecretValue, call: Call): Promise<Copies> {
    const copies = new Map<string, ReplicaCopy>();
    for (const { secret_id } of await this.#store.replicas(secret.id)) {
      const replica = secret_id === null ? undefined : await this.#store.findById(secret_id);
      if (replica === undefined) continue;
      copies.set(replica.id, await this.#copyFor(replica, versionId, value, call));
    }
    return copies;
  }

  async #copyFor(replica: SecretRow, versionId: string, value: SecretValue, call: Call): Promise<ReplicaCopy> {
    try {
      return { sealed: await this.#values.seal(replica, versionId, value, call) };
    } catch (error) {
      if (error instanceof ServiceError) return { failure: error.message };
      throw error;
    }
  }
}

/** The secret as the transaction sees it. @throws ServiceError when it cannot be changed */
export async function lockedPrimary(transaction: SecretsQueries, id: string, now: number): Promise<SecretRow> {
  const row = await findSecretById(transaction, id);
  if (row === undefined || isGone(row, now)) throw secretNotFound();
  return requirePrimary(requireActive(row));
}

export async function writeVersion(
  transaction: SecretsQueries,
  secretId: string,
  versionId: string,
  sealed: SealedValue,
  now: number,
  existing: VersionRow | undefined,
): Promise<void> {
  if (existing !== undefined) {
    await transaction
      .updateTable('secrets_manager_version')
      .set(sealed)
      .where('secret_id', '=', secretId)
      .where('version_id', '=', versionId)
      .execute();
    return;
  }
  await transaction
    .insertInto('secrets_manager_version')
    .values({ ...sealed, secret_id: secretId, version_id: versionId, created_at: now, accessed_at: null, labels: '[]' })
    .execute();
}

async function writeLabels(transaction: SecretsQueries, secretId: string, labels: StagingLabels): Promise<void> {
  const before = new Map((await labelledOf(transaction, secretId)).map((one) => [one.version_id, one.labels]));
  for (const versionId of new Set([...before.keys(), ...Object.keys(labels.byVersion())])) {
    const wanted = JSON.stringify(labels.of(versionId));
    if (wanted === (before.get(versionId) ?? '[]')) continue;
    await transaction
      .updateTable('secrets_manager_version')
      .set({ labels: wanted })
      .where('secret_id', '=', secretId)
      .where('version_id', '=', versionId)
      .execute();
  }
}

/** Removes versions without labels that are older than a day and not among the newest. */
async function prune(transaction: SecretsQueries, secretId: string, now: number): Promise<void> {
  const versions = await versionsOf(transaction, secretId);
  const tooMany = versions.length - KEPT_VERSIONS;
  if (tooMany <= 0) return;
  let left = versions.length;
  for (const { version_id, labels, created_at } of versions.slice(0, tooMany)) {
    if (labels !== '[]' || created_at > now - DAY_MS) continue;
    await deleteVersion(transaction, secretId, version_id);
    left--;
  }
  if (left > MAX_VERSIONS) throw limitExceeded(`A secret has at most ${MAX_VERSIONS} versions within a day.`);
}

/** @returns what keeps the replica from being as its primary; it is left as it was then */
export async function followPrimary(
  transaction: SecretsQueries,
  replicaId: string,
  primary: readonly VersionHead[],
  labels: StagingLabels,
  now: number,
): Promise<string | undefined> {
  const copies = await versionsOf(transaction, replicaId);
  const labelled = primary.filter(({ version_id }) => labels.of(version_id).length > 0);
  for (const { version_id, kind } of labelled) {
    const copy = copies.find((one) => one.version_id === version_id);
    if (copy === undefined || copy.kind !== kind) return `The version ${version_id} could not be replicated.`;
  }
  for (const { version_id } of copies) {
    if (primary.every((one) => one.version_id !== version_id)) await deleteVersion(transaction, replicaId, version_id);
  }
  await writeLabels(transaction, replicaId, labels);
  await updateSecretRow(transaction, replicaId, { changed_at: now });
  return undefined;
}

async function deleteVersion(transaction: SecretsQueries, secretId: string, versionId: string): Promise<void> {
  await transaction
    .deleteFrom('secrets_manager_version')
    .where('secret_id', '=', secretId)
    .where('version_id', '=', versionId)
    .execute();
}
