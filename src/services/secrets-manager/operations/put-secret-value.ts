import {
  PutSecretValue$,
  type PutSecretValueRequest,
  type PutSecretValueResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { CURRENT } from '../domain/staging-labels.ts';
import { invalidParameter } from '../errors.ts';
import { arnOf } from '../secrets.ts';
import { readValue } from '../values.ts';

export const putSecretValue = operation<SecretsManagerContext, PutSecretValueRequest, PutSecretValueResponse>(
  PutSecretValue$,
  {
    authorize: ({ SecretId }, call, { secrets }) => secrets.access('PutSecretValue', SecretId, call),
    secretMembers: ['RotationToken'],
    async handle(input, call, { secrets, versions, randomness }) {
      const row = await secrets.findPrimary(input.SecretId, call);
      const value = readValue(input);
      if (value === undefined) throw invalidParameter('You must provide either SecretString or SecretBinary.');
      if (input.RotationToken !== undefined) {
        throw invalidParameter(
          'RotationToken: Coffer gives rotations none; the endpoint signs with its own credentials.',
        );
      }
      const versionId = input.ClientRequestToken ?? randomness.uuid();
      const labels = input.VersionStages ?? [CURRENT];
      const wanted = { versionId, value, labels, isRepeatAllowed: true };
      const given = await versions.put(row, wanted, call);
      return { ARN: arnOf(row), Name: row.name, VersionId: versionId, VersionStages: [...given] };
    },
  },
);
