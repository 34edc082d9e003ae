import type { ReplicationStatusType } from '@aws-sdk/client-secrets-manager';
import { isRegion, type Region } from '#kernel/ids.ts';
import type { Call } from '#kernel/operation.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { StagingLabels } from './domain/staging-labels.ts';
import { invalidParameter } from './errors.ts';
import { isGone, storedKeyId } from './secrets.ts';
import {
  findSecret,
  removeSecret,
  replicasOf,
  type ReplicaRow,
  type SecretRow,
  type SecretsQueries,
  type SecretStore,
  updateSecretRow,
  type VersionHead,
  versionsOf,
} from './store.ts';
import { NO_VALUE, type SealedValue, type SecretValue, type SecretValues } from './values.ts';
import { followPrimary, lockedPrimary, writeVersion } from './versions.ts';

/** One region of AddReplicaRegions. */
export interface WantedReplica {
  readonly region: Region;
  readonly kmsKeyId: string | null;
}

const NAME_TAKEN = 'Secret with this name already exists in this region';

/** Copies secrets to other regions of the installation, where they lie under a key of that region. */
export class Replication {
  readonly #store: SecretStore;
  readonly #values: SecretValues;
  readonly #randomness: Randomness;

  constructor(store: SecretStore, values: SecretValues, randomness: Randomness) {
    this.#store = store;
    this.#values = values;
    this.#randomness = randomness;
  }

  /**
   * Makes replicas. What keeps one from being made is told in its status.
   *
   * @throws ServiceError when the primary's values cannot be read, or a region has a replica already
   */
  async add(primary: SecretRow, wanted: readonly WantedReplica[], isForced: boolean, call: Call): Promise<void> {
    const known = await this.#store.replicas(primary.id);
    for (const { region } of wanted) {
      if (region === primary.region) throw invalidParameter(`${region} is the secret's own Region.`);
      if (known.some((one) => one.region === region && one.status === 'InSync')) {
        throw invalidParameter(`The secret is already replicated to ${region}.`);
      }
    }
    const versions = await this.#store.labelled(primary.id);
    const values = await this.#openAll(primary, versions, call);
    for (const one of wanted) await this.#addOne(primary, one, versions, values, isForced, call);
  }

  /** @throws ServiceError InvalidParameterException when there is no replica in one of the regions */
  async remove(primary: SecretRow, regions: readonly string[], now: number): Promise<void> {
    await this.#store.write(async (transaction) => {
      const row = await lockedPrimary(transaction, primary.id, now);
      const replicas = await replicasOf(transaction, row.id);
      for (const region of regions) {
        const replica = replicas.find((one) => one.region === region);
        if (replica === undefined) throw invalidParameter(`The secret is not replicated to ${region}.`);
        if (replica.secret_id !== null) await removeSecret(transaction, replica.secret_id);
        await forgetReplica(transaction, replica);
      }
      await updateSecretRow(transaction, row.id, {
        changed_at: now,
        ...(replicas.length === new Set(regions).size && { primary_region: null }),
      });
    });
  }

  /** Makes a replica a secret of its own. */
  async promote(replica: SecretRow, now: number): Promise<void> {
    await this.#store.write(async (transaction) => {
      const primaryId = replica.primary_id ?? '';
      for (const one of await replicasOf(transaction, primaryId)) {
        if (one.secret_id === replica.id) await forgetReplica(transaction, one);
      }
      await updateSecretRow(transaction, replica.id, { primary_id: null, primary_region: null, changed_at: now });
      const isLast = (await replicasOf(transaction, primaryId)).length === 0;
      if (isLast) await updateSecretRow(transaction, primaryId, { primary_region: null });
    });
  }

  /** Has the replicas' tags follow, within the transaction that changes the primary's. */
  async copyTags(transaction: SecretsQueries, primary: SecretRow, tags: string): Promise<void> {
    for (const { secret_id } of await replicasOf(transaction, primary.id)) {
      if (secret_id !== null) await updateSecretRow(transaction, secret_id, { tags });
    }
  }

  /** Has the replicas' descriptions follow. */
  async copyDescription(transaction: SecretsQueries, primary: SecretRow, description: string | null): Promise<void> {
    for (const { secret_id } of await replicasOf(transaction, primary.id)) {
      if (secret_id !== null) await updateSecretRow(transaction, secret_id, { description });
    }
  }

  async #openAll(primary: SecretRow, versions: readonly VersionHead[], call: Call): Promise<Map<string, SecretValue>> {
    const values = new Map<string, SecretValue>();
    for (const { version_id, kind } of versions) {
      const version = kind === 'none' ? undefined : await this.#store.version(primary.id, version_id);
      if (version !== undefined) values.set(version_id, await this.#values.open(primary, version, call));
    }
    return values;
  }

  async #addOne(
    primary: SecretRow,
    { region, kmsKeyId }: WantedReplica,
    versions: readonly VersionHead[],
    values: ReadonlyMap<string, SecretValue>,
    isForced: boolean,
    call: Call,
  ): Promise<void> {
    const replica = this.#replicaOf(primary, region, kmsKeyId, call.now);
    const sealed = new Map<string, SealedValue>();
    let failure: string | undefined;
    try {
      for (const [versionId, value] of values) {
        sealed.set(versionId, await this.#values.seal(replica, versionId, value, call));
      }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      failure = error.message;
    }
    await this.#store.write(async (transaction) => {
      const row = await lockedPrimary(transaction, primary.id, call.now);
      const problem = failure ?? (await makeRoom(transaction, row, region, isForced, call.now));
      await transaction
        .deleteFrom('secrets_manager_replica')
        .where('primary_id', '=', row.id)
        .where('region', '=', region)
        .execute();
      const entry = { primary_id: row.id, region, kms_key_id: kmsKeyId } as const;
      await updateSecretRow(transaction, row.id, { primary_region: row.region, changed_at: call.now });
      if (problem !== undefined) {
        const failed = { ...entry, status: 'Failed', message: problem, secret_id: null } as const;
        await transaction.insertInto('secrets_manager_replica').values(failed).execute();
        return;
      }
      await transaction
        .insertInto('secrets_manager_secret')
        .values({ ...replica, tags: row.tags, description: row.description })
        .execute();
      for (const { version_id, kind, created_at } of versions) {
        const copy = kind === 'none' ? NO_VALUE : sealed.get(version_id);
        if (copy === undefined) continue;
        await writeVersion(transaction, replica.id, version_id, copy, created_at, undefined);
      }
      // The primary may have gone on meanwhile.
      const present = await versionsOf(transaction, row.id);
      const message = await followPrimary(transaction, replica.id, present, StagingLabels.of(present), call.now);
      await transaction
        .insertInto('secrets_manager_replica')
        .values({
          ...entry,
          status: message === undefined ? 'InSync' : 'Failed',
          message: message ?? null,
          secret_id: replica.id,
        })
        .execute();
    });
  }

  #replicaOf(primary: SecretRow, region: Region, kmsKeyId: string | null, now: number): SecretRow {
    // Every column by name: a row that was read has its seal too.
    return {
      id: this.#randomness.uuid(),
      account: primary.account,
      region,
      name: primary.name,
      suffix: primary.suffix,
      description: primary.description,
      kms_key_id: kmsKeyId,
      created_at: now,
      changed_at: now,
      accessed_at: null,
      deleted_at: null,
      purge_at: null,
      policy: null,
      tags: primary.tags,
      primary_region: primary.region,
      primary_id: primary.id,
      is_rotation_enabled: null,
      rotation_target: null,
      rotation_rules: null,
      rotated_at: null,
      next_rotation_at: null,
      rotation_version: null,
      rotation_kind: null,
      rotation_attempts: 0,
      rotation_due_at: null,
    };
  }
}

/** Removes what has the replica's name in its region, as far as that may be. @returns why it may not */
async function makeRoom(
  transaction: SecretsQueries,
  primary: SecretRow,
  region: Region,
  isForced: boolean,
  now: number,
): Promise<string | undefined> {
  const taken = await findSecret(transaction, primary.account, region, primary.name);
  if (taken === undefined) return undefined;
  const isOwn = taken.primary_id === primary.id;
  const isFree = isOwn || isGone(taken, now) || (isForced && taken.primary_id === null);
  if (!isFree || (await replicasOf(transaction, taken.id)).length > 0) return NAME_TAKEN;
  await removeSecret(transaction, taken.id);
  return undefined;
}

async function forgetReplica(transaction: SecretsQueries, { primary_id, region }: ReplicaRow): Promise<void> {
  await transaction
    .deleteFrom('secrets_manager_replica')
    .where('primary_id', '=', primary_id)
    .where('region', '=', region)
    .execute();
}

/** @throws ServiceError InvalidParameterException */
export function readReplicas(
  regions: readonly { readonly Region?: string | undefined; readonly KmsKeyId?: string | undefined }[] | undefined,
): WantedReplica[] {
  const seen = new Set<string>();
  return (regions ?? []).map(({ Region: region = '', KmsKeyId }) => {
    if (!isRegion(region)) throw invalidParameter(`'${region}' is not a Region.`);
    if (seen.has(region)) throw invalidParameter(`AddReplicaRegions names ${region} twice.`);
    seen.add(region);
    return { region, kmsKeyId: storedKeyId(KmsKeyId) };
  });
}

export async function replicationStatus(store: SecretStore, row: SecretRow): Promise<ReplicationStatusType[]> {
  const statuses: ReplicationStatusType[] = [];
  for (const { region, kms_key_id, status, message, secret_id } of await store.replicas(row.id)) {
    const accessedAt = secret_id === null ? null : ((await store.findById(secret_id))?.accessed_at ?? null);
    statuses.push({
      Region: region,
      KmsKeyId: kms_key_id ?? 'alias/aws/secretsmanager',
      Status: status,
      StatusMessage: message ?? 'Replication succeeded',
      ...(accessedAt !== null && { LastAccessedDate: new Date(accessedAt) }),
    });
  }
  return statuses;
}
