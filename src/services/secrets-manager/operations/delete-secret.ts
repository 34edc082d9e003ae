import {
  DeleteSecret$,
  type DeleteSecretRequest,
  type DeleteSecretResponse,
  RestoreSecret$,
  type RestoreSecretRequest,
  type RestoreSecretResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { readSecretId, secretArn, UNKNOWN_SUFFIX } from '../domain/secret-identifier.ts';
import { invalidParameter, invalidRequest, markedForDeletion, secretNotFound } from '../errors.ts';
import { accountOfCaller, arnOf, isGone, requirePrimary, type SecretScope } from '../secrets.ts';
import { findSecretById, removeSecret, replicasOf, updateSecretRow } from '../store.ts';
import { NOTHING_UNDER_WAY } from '../rotation/rotation-runner.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

export const deleteSecret = operation<SecretsManagerContext, DeleteSecretRequest, DeleteSecretResponse>(DeleteSecret$, {
  authorize: ({ SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery }, call, { secrets }) =>
    secrets.access('DeleteSecret', SecretId, call, {
      context: {
        'secretsmanager:RecoveryWindowInDays':
          RecoveryWindowInDays === undefined ? undefined : String(RecoveryWindowInDays),
        'secretsmanager:ForceDeleteWithoutRecovery': String(ForceDeleteWithoutRecovery ?? false),
      },
    }),
  async handle(input, call, { secrets, store }) {
    const { RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: isForced = false, SecretId = '' } = input;
    if (isForced && days !== undefined) {
      throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
    }
    if (days !== undefined && (days < 7 || days > 30)) {
      throw invalidParameter('The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).');
    }
    const found = await secrets.find(SecretId, call).catch((error: unknown) => {
      if (isForced) return undefined;
      throw error;
    });
    if (found === undefined) return deletedBefore(SecretId, call);
    const purgeAt = isForced ? call.now : call.now + (days ?? DEFAULT_DAYS) * DAY_MS;
    await store.write(async (transaction) => {
      const row = await findSecretById(transaction, found.id);
      if (row === undefined || isGone(row, call.now)) {
        if (isForced) return;
        throw secretNotFound();
      }
      requirePrimary(row);
      if ((await replicasOf(transaction, row.id)).length > 0) {
        throw invalidRequest(
          "You can't delete secret that is replicated. First remove its replicas with RemoveRegionsFromReplication.",
        );
      }
      if (isForced) return removeSecret(transaction, row.id);
      if (row.purge_at !== null) throw markedForDeletion();
      await updateSecretRow(transaction, row.id, {
        ...NOTHING_UNDER_WAY,
        deleted_at: call.now,
        purge_at: purgeAt,
        changed_at: call.now,
      });
    });
    return { ARN: arnOf(found), Name: found.name, DeletionDate: new Date(purgeAt) };
  },
});

/** Whoever forces the deletion of what is not there is answered as if it had been. */
function deletedBefore(secretId: string, call: SecretScope): DeleteSecretResponse {
  const address = readSecretId(secretId, accountOfCaller(call.caller), call.region);
  if (address === undefined) throw secretNotFound();
  const ARN = secretArn({ ...address, suffix: address.suffix ?? UNKNOWN_SUFFIX });
  return { ARN, Name: address.name, DeletionDate: new Date(call.now) };
}

export const restoreSecret = operation<SecretsManagerContext, RestoreSecretRequest, RestoreSecretResponse>(
  RestoreSecret$,
  {
    authorize: ({ SecretId }, call, { secrets }) => secrets.access('RestoreSecret', SecretId, call),
    async handle({ SecretId }, call, { secrets, store }) {
      const found = requirePrimary(await secrets.find(SecretId, call));
      await store.write(async (transaction) => {
        const row = await findSecretById(transaction, found.id);
        if (row === undefined || isGone(row, call.now)) throw secretNotFound();
        await updateSecretRow(transaction, row.id, { deleted_at: null, purge_at: null, changed_at: call.now });
      });
      return { ARN: arnOf(found), Name: found.name };
    },
  },
);
