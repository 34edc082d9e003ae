import {
  GetSecretValue$,
  type GetSecretValueRequest,
  type GetSecretValueResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { CURRENT } from '../domain/staging-labels.ts';
import { invalidRequest, valueNotFound } from '../errors.ts';
import { arnOf } from '../secrets.ts';
import { type SecretRow, type SecretStore, updateSecretRow, type VersionHead, type VersionRow } from '../store.ts';
import { valueMembers } from '../values.ts';

const DAY_MS = 86_400_000;

export const getSecretValue = operation<SecretsManagerContext, GetSecretValueRequest, GetSecretValueResponse>(
  GetSecretValue$,
  {
    authorize: ({ SecretId, VersionId, VersionStage }, call, { secrets }) =>
      secrets.access('GetSecretValue', SecretId, call, {
        context: {
          'secretsmanager:VersionId': VersionId,
          'secretsmanager:VersionStage': VersionStage ?? (VersionId === undefined ? CURRENT : undefined),
        },
      }),
    async handle(input, call, { secrets, store, values }) {
      const row = await secrets.findActive(input.SecretId, call);
      const version = await chooseVersion(store, row.id, input);
      const value = await values.open(row, version, call);
      await noteAccess(store, row, version, call.now);
      return {
        ARN: arnOf(row),
        Name: row.name,
        VersionId: version.version_id,
        VersionStages: JSON.parse(version.labels) as string[],
        CreatedDate: new Date(version.created_at),
        ...valueMembers(value),
      };
    },
  },
);

/** @throws ServiceError ResourceNotFoundException, InvalidRequestException */
async function chooseVersion(
  store: SecretStore,
  secretId: string,
  { VersionId, VersionStage }: Pick<GetSecretValueRequest, 'VersionId' | 'VersionStage'>,
): Promise<VersionRow> {
  const stage = VersionStage ?? (VersionId === undefined ? CURRENT : undefined);
  const hasStage = ({ labels }: VersionHead) => stage === undefined || (JSON.parse(labels) as string[]).includes(stage);
  const id = VersionId ?? (await store.labelled(secretId)).find(hasStage)?.version_id;
  const version = id === undefined ? undefined : await store.version(secretId, id);
  if (VersionId !== undefined && version !== undefined && !hasStage(version)) {
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
  }
  // A rotation that has just begun has a version without a value.
  if (version === undefined || version.kind === 'none') {
    throw valueNotFound(VersionId === undefined ? `staging label: ${stage ?? ''}` : `VersionId: ${VersionId}`);
  }
  return version;
}

/** The day of the last access is kept, as in AWS: one write a day. */
async function noteAccess(store: SecretStore, row: SecretRow, version: VersionRow, now: number): Promise<void> {
  const day = Math.floor(now / DAY_MS) * DAY_MS;
  if (row.accessed_at === day && version.accessed_at === day) return;
  await store.write(async (transaction) => {
    await updateSecretRow(transaction, row.id, { accessed_at: day });
    await transaction
      .updateTable('secrets_manager_version')
      .set({ accessed_at: day })
      .where('secret_id', '=', row.id)
      .where('version_id', '=', version.version_id)
      .execute();
  });
}
