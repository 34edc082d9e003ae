import { UpdateSecret$, type UpdateSecretRequest, type UpdateSecretResponse } from '@aws-sdk/client-secrets-manager';
import { type Call, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { SecretsManagerContext } from '../context.ts';
import { readSecretId } from '../domain/secret-identifier.ts';
import { CURRENT, PENDING, PREVIOUS } from '../domain/staging-labels.ts';
import { invalidParameter } from '../errors.ts';
import { accountOfCaller, arnOf, kmsKeyConditions, storedKeyId } from '../secrets.ts';
import { type SecretRow, updateSecretRow } from '../store.ts';
import { readValue, type SealedValue } from '../values.ts';
import { lockedPrimary } from '../versions.ts';

export const updateSecret = operation<SecretsManagerContext, UpdateSecretRequest, UpdateSecretResponse>(UpdateSecret$, {
  authorize(input, call, { secrets }) {
    const account = accountOfCaller(call.caller);
    const owner = readSecretId(input.SecretId ?? '', account, call.region) ?? { account, region: call.region };
    return secrets.access('UpdateSecret', input.SecretId, call, {
      context: {
        'secretsmanager:Description': input.Description,
        'secretsmanager:Type': input.Type,
        ...kmsKeyConditions(owner, input.KmsKeyId),
      },
    });
  },
  async handle(input, call, context) {
    const row = await context.secrets.findPrimary(input.SecretId, call);
    if (input.Type !== undefined) {
      throw invalidParameter('Type: Coffer does not hold managed external secrets of partners.');
    }
    const value = readValue(input);
    const change: Partial<SecretRow> = {
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.KmsKeyId !== undefined && { kms_key_id: storedKeyId(input.KmsKeyId) }),
    };
    const isNewKey = change.kms_key_id !== undefined && change.kms_key_id !== row.kms_key_id;
    const resealed = isNewKey ? await reseal(context, row, change.kms_key_id ?? null, call) : [];
    const versionId = input.ClientRequestToken ?? context.randomness.uuid();
    if (value !== undefined) {
      const wanted = { versionId, value, labels: [CURRENT], isRepeatAllowed: false };
      await context.versions.put(row, { ...wanted, change }, call);
    }
    await context.store.write(async (transaction) => {
      const present = await lockedPrimary(transaction, row.id, call.now);
      await updateSecretRow(transaction, row.id, { ...change, changed_at: call.now });
      if (change.description !== undefined) {
        await context.replication.copyDescription(transaction, present, change.description);
      }
      for (const { versionId: id, sealed } of resealed) {
        // A version's value never changes, so that what was sealed anew is still what it holds.
        await transaction
          .updateTable('secrets_manager_version')
          .set(sealed)
          .where('secret_id', '=', row.id)
          .where('version_id', '=', id)
          .execute();
      }
    });
    return { ARN: arnOf(row), Name: row.name, ...(value !== undefined && { VersionId: versionId }) };
  },
});

/**
 * Seals the versions that are in use under the new key. Where KMS does not let the caller use it, they stay under the
 * old one (API reference, UpdateSecret).
 *
 * @throws ServiceError when the old versions cannot be opened, or there is no such key
 */
async function reseal(
  { store, values }: SecretsManagerContext,
  row: SecretRow,
  kmsKeyId: string | null,
  call: Call,
): Promise<{ readonly versionId: string; readonly sealed: SealedValue }[]> {
  const resealed: { readonly versionId: string; readonly sealed: SealedValue }[] = [];
  for (const head of await store.labelled(row.id)) {
    const labels = JSON.parse(head.labels) as string[];
    if (head.kind === 'none' || !labels.some((label) => [CURRENT, PREVIOUS, PENDING].includes(label))) continue;
    const version = await store.version(row.id, head.version_id);
    if (version === undefined) continue;
    const value = await values.open(row, version, call);
    try {
      resealed.push({
        versionId: version.version_id,
        sealed: await values.seal({ ...row, kms_key_id: kmsKeyId }, version.version_id, value, call),
      });
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'AccessDeniedException') return [];
      throw error;
    }
  }
  return resealed;
}
