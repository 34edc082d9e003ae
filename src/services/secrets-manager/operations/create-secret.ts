import { CreateSecret$, type CreateSecretRequest, type CreateSecretResponse } from '@aws-sdk/client-secrets-manager';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { SUFFIX_ALPHABET, SUFFIX_LENGTH, secretArn, UNKNOWN_SUFFIX } from '../domain/secret-identifier.ts';
import { CURRENT } from '../domain/staging-labels.ts';
import { readTags } from '../domain/tags.ts';
import { invalidParameter, invalidRequest, resourceExists, validation } from '../errors.ts';
import { readReplicas, replicationStatus } from '../replication.ts';
import { accountOfCaller, arnOf, isGone, kmsKeyConditions, storedKeyId } from '../secrets.ts';
import { findSecret, findVersion, removeSecret, type SecretRow } from '../store.ts';
import { readValue, type SecretValue } from '../values.ts';
import { writeVersion } from '../versions.ts';

const NAME = /^[A-Za-z0-9/_+=.@-]+$/;

export const createSecret = operation<SecretsManagerContext, CreateSecretRequest, CreateSecretResponse>(CreateSecret$, {
  authorize(input, call) {
    const owner = { account: accountOfCaller(call.caller), region: call.region };
    const regions = (input.AddReplicaRegions ?? []).map(({ Region = '' }) => Region);
    const access: AccessRequest = {
      action: 'secretsmanager:CreateSecret',
      // Its six characters are not known yet: policies give them as -?????? or -*.
      resource: secretArn({ ...owner, name: input.Name ?? '', suffix: UNKNOWN_SUFFIX }),
      requestTags: readTags(input.Tags),
      context: {
        'secretsmanager:Name': input.Name,
        'secretsmanager:Description': input.Description,
        'secretsmanager:Type': input.Type,
        'secretsmanager:AddReplicaRegions': regions.length > 0 ? regions : undefined,
        'secretsmanager:ForceOverwriteReplicaSecret': String(input.ForceOverwriteReplicaSecret ?? false),
        ...kmsKeyConditions(owner, input.KmsKeyId),
      },
    };
    return [
      access,
      ...((input.Tags ?? []).length > 0 ? [{ ...access, action: 'secretsmanager:TagResource' }] : []),
      ...(regions.length > 0 ? [{ ...access, action: 'secretsmanager:ReplicateSecretToRegions' }] : []),
    ];
  },
  async handle(input, call, context) {
    const { Name: name = '' } = input;
    if (!NAME.test(name)) {
      throw validation(
        'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
      );
    }
    if (input.Type !== undefined) {
      throw invalidParameter('Type: Coffer does not hold managed external secrets of partners.');
    }
    const value = readValue(input);
    const replicas = readReplicas(input.AddReplicaRegions);
    const versionId = input.ClientRequestToken ?? context.randomness.uuid();
    const repeated = await repeatedSecret(context, name, versionId, value, call);
    const row = repeated ?? (await insertSecret(context, newRow(context, input, call), versionId, value, call));
    if (repeated === undefined && replicas.length > 0) {
      await context.replication.add(row, replicas, input.ForceOverwriteReplicaSecret ?? false, call);
    }
    const status = await replicationStatus(context.store, row);
    return {
      ARN: arnOf(row),
      Name: name,
      ...(value !== undefined && { VersionId: versionId }),
      ...(status.length > 0 && { ReplicationStatus: status }),
    };
  },
});

/**
 * The secret, when this very request made it before.
 *
 * @throws ServiceError when another secret has the name
 */
async function repeatedSecret(
  { store, values }: SecretsManagerContext,
  name: string,
  versionId: string,
  value: SecretValue | undefined,
  call: Call,
): Promise<SecretRow | undefined> {
  const existing = await store.find(accountOfCaller(call.caller), call.region, name);
  if (existing === undefined || isGone(existing, call.now)) return undefined;
  if (existing.purge_at !== null) {
    throw invalidRequest(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
  const version = await store.version(existing.id, versionId);
  if (version !== undefined && value !== undefined && values.isSame(version, value)) return existing;
  throw alreadyExists(name);
}

function alreadyExists(name: string): Error {
  return resourceExists(`The operation failed because the secret ${name} already exists.`);
}

function newRow({ randomness }: SecretsManagerContext, input: CreateSecretRequest, call: Call): SecretRow {
  return {
    id: randomness.uuid(),
    account: accountOfCaller(call.caller),
    region: call.region,
    name: input.Name ?? '',
    suffix: randomness.text(SUFFIX_LENGTH, SUFFIX_ALPHABET),
    description: input.Description ?? null,
    kms_key_id: storedKeyId(input.KmsKeyId),
    created_at: call.now,
    changed_at: call.now,
    accessed_at: null,
    deleted_at: null,
    purge_at: null,
    policy: null,
    tags: JSON.stringify(readTags(input.Tags)),
    primary_region: null,
    primary_id: null,
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

/** @returns the secret that is there then: of two same requests at once, both get the one that was written first */
async function insertSecret(
  { store, values }: SecretsManagerContext,
  row: SecretRow,
  versionId: string,
  value: SecretValue | undefined,
  call: Call,
): Promise<SecretRow> {
  const sealed = value === undefined ? undefined : await values.seal(row, versionId, value, call);
  return store.write(async (transaction) => {
    const existing = await findSecret(transaction, row.account, row.region, row.name);
    if (existing !== undefined && !isGone(existing, call.now)) {
      const version = await findVersion(transaction, existing.id, versionId);
      if (version !== undefined && value !== undefined && values.isSame(version, value)) return existing;
      throw alreadyExists(row.name);
    }
    if (existing !== undefined) await removeSecret(transaction, existing.id);
    await transaction.insertInto('secrets_manager_secret').values(row).execute();
    if (sealed !== undefined) {
      await writeVersion(transaction, row.id, versionId, sealed, call.now, undefined);
      await transaction
        .updateTable('secrets_manager_version')
        .set({ labels: JSON.stringify([CURRENT]) })
        .where('secret_id', '=', row.id)
        .execute();
    }
    return row;
  });
}
