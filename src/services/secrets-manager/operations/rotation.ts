import {
  CancelRotateSecret$,
  type CancelRotateSecretRequest,
  type CancelRotateSecretResponse,
  RotateSecret$,
  type RotateSecretRequest,
  type RotateSecretResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { checkRotationRules, nextRotation, parseRules } from '../domain/rotation-rules.ts';
import { CURRENT, PENDING, StagingLabels } from '../domain/staging-labels.ts';
import { invalidParameter, invalidRequest } from '../errors.ts';
import { NOTHING_UNDER_WAY } from '../rotation/rotation-runner.ts';
import { arnOf } from '../secrets.ts';
import { type SecretRow, type SecretsQueries, updateSecretRow, labelledOf } from '../store.ts';
import { lockedPrimary } from '../versions.ts';

/** The endpoint's https:// address stands where AWS has the ARN of a Lambda function. */
export const rotateSecret = operation<SecretsManagerContext, RotateSecretRequest, RotateSecretResponse>(RotateSecret$, {
  authorize: ({ SecretId, RotationLambdaARN, RotationRules, RotateImmediately }, call, { secrets }) =>
    secrets.access('RotateSecret', SecretId, call, {
      context: {
        'secretsmanager:RotationLambdaARN': RotationLambdaARN,
        'secretsmanager:ModifyRotationRules': String(RotationRules !== undefined),
        'secretsmanager:RotateImmediately': String(RotateImmediately ?? true),
      },
    }),
  async handle(input, call, { secrets, store, endpoints, rotations }) {
    if (input.ExternalSecretRotationMetadata !== undefined || input.ExternalSecretRotationRoleArn !== undefined) {
      throw invalidParameter(
        'ExternalSecretRotationMetadata and ExternalSecretRotationRoleArn: Coffer does not hold managed external ' +
          'secrets of partners.',
      );
    }
    const found = await secrets.findPrimary(input.SecretId, call);
    const given = input.RotationLambdaARN === undefined ? undefined : endpoints.check(input.RotationLambdaARN);
    const rules = input.RotationRules === undefined ? undefined : checkRotationRules(input.RotationRules);
    const isNow = input.RotateImmediately ?? true;
    const outcome = await store.write(async (transaction) => {
      const row = await lockedPrimary(transaction, found.id, call.now);
      const rotation_target = given ?? row.rotation_target;
      if (rotation_target === null) {
        throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
      }
      endpoints.check(rotation_target);
      if (await isPendingLeft(transaction, row)) {
        // The same request once more.
        if (isNow && row.rotation_version !== null && row.rotation_version === input.ClientRequestToken) {
          return row.rotation_version;
        }
        if (row.rotation_version === null) await rotations.begin(transaction, row, 'rotate', call.now);
        return undefined;
      }
      const kept = rules ?? parseRules(row);
      await updateSecretRow(transaction, row.id, {
        rotation_target,
        rotation_rules: kept === undefined ? null : JSON.stringify(kept),
        is_rotation_enabled: 1,
        next_rotation_at: nextRotation(kept, call.now),
        changed_at: call.now,
      });
      return rotations.begin(transaction, row, isNow ? 'rotate' : 'test', call.now, input.ClientRequestToken);
    });
    rotations.wake();
    if (outcome === undefined) {
      throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");
    }
    return { ARN: arnOf(found), Name: found.name, ...(isNow && { VersionId: outcome }) };
  },
});

async function isPendingLeft(transaction: SecretsQueries, row: SecretRow): Promise<boolean> {
  const labels = StagingLabels.of(await labelledOf(transaction, row.id));
  const pending = labels.holderOf(PENDING);
  return pending !== undefined && pending !== labels.holderOf(CURRENT);
}

/** Ends a rotation under way too: what it made so far stays as it is. */
export const cancelRotateSecret = operation<
  SecretsManagerContext,
  CancelRotateSecretRequest,
  CancelRotateSecretResponse
>(CancelRotateSecret$, {
  authorize: ({ SecretId }, call, { secrets }) => secrets.access('CancelRotateSecret', SecretId, call),
  async handle({ SecretId }, call, { secrets, store }) {
    const found = await secrets.findPrimary(SecretId, call);
    const version = await store.write(async (transaction) => {
      const row = await lockedPrimary(transaction, found.id, call.now);
      if (row.is_rotation_enabled !== 1) {
        throw invalidRequest("You tried to cancel rotation on a secret that doesn't have rotation turned on.");
      }
      await updateSecretRow(transaction, row.id, {
        ...NOTHING_UNDER_WAY,
        is_rotation_enabled: 0,
        next_rotation_at: null,
        changed_at: call.now,
      });
      return row.rotation_version;
    });
    return { ARN: arnOf(found), Name: found.name, ...(version !== null && { VersionId: version }) };
  },
});
