import {
  UpdateSecretVersionStage$,
  type UpdateSecretVersionStageRequest,
  type UpdateSecretVersionStageResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { CURRENT, type StagingLabels } from '../domain/staging-labels.ts';
import { invalidParameter, valueNotFound } from '../errors.ts';
import { arnOf } from '../secrets.ts';
import type { VersionHead } from '../store.ts';

export const updateSecretVersionStage = operation<
  SecretsManagerContext,
  UpdateSecretVersionStageRequest,
  UpdateSecretVersionStageResponse
>(UpdateSecretVersionStage$, {
  authorize: ({ SecretId, VersionStage }, call, { secrets }) =>
    secrets.access('UpdateSecretVersionStage', SecretId, call, {
      context: { 'secretsmanager:VersionStage': VersionStage },
    }),
  async handle(input, call, { secrets, versions }) {
    const row = await secrets.findPrimary(input.SecretId, call);
    await versions.relabel(row.id, call.now, (labels, all) => relabelled(labels, all, input));
    return { ARN: arnOf(row), Name: row.name };
  },
});

/** @throws ServiceError InvalidParameterException, ResourceNotFoundException */
function relabelled(
  labels: StagingLabels,
  versions: readonly VersionHead[],
  { VersionStage: label = '', RemoveFromVersionId: from, MoveToVersionId: to }: UpdateSecretVersionStageRequest,
): StagingLabels {
  if (from === undefined && to === undefined) {
    throw invalidParameter('You must provide MoveToVersionId, RemoveFromVersionId or both.');
  }
  for (const id of [from, to]) {
    const isKnown = id === undefined || versions.some(({ version_id }) => version_id === id);
    if (!isKnown) throw valueNotFound(`VersionId: ${id}`);
  }
  const holder = labels.holderOf(label);
  if (holder !== undefined && holder !== to && from === undefined) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ` +
        `${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (from !== undefined && from !== holder) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId must reference the version to which the staging label ${label} is attached.`,
    );
  }
  if (to !== undefined) return labels.withLabel(label, to);
  if (label === CURRENT) {
    throw invalidParameter(
      `You can't remove the staging label ${CURRENT}: move it to another version with MoveToVersionId.`,
    );
  }
  return labels.without(label);
}
