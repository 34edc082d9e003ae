import * as sdk from '@aws-sdk/client-secrets-manager';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { SecretsManagerContext } from './context.ts';
import { secretsManagerErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { batchGetSecretValue } from './operations/batch-get-secret-value.ts';
import { createSecret } from './operations/create-secret.ts';
import { deleteSecret, restoreSecret } from './operations/delete-secret.ts';
import { describeSecret } from './operations/describe-secret.ts';
import { getRandomPassword } from './operations/get-random-password.ts';
import { getSecretValue } from './operations/get-secret-value.ts';
import { listSecretVersionIds } from './operations/list-secret-version-ids.ts';
import { listSecrets } from './operations/list-secrets.ts';
import { putSecretValue } from './operations/put-secret-value.ts';
import {
  removeRegionsFromReplication,
  replicateSecretToRegions,
  stopReplicationToReplica,
} from './operations/replication.ts';
import {
  deleteResourcePolicy,
  getResourcePolicy,
  putResourcePolicy,
  validateResourcePolicy,
} from './operations/resource-policy.ts';
import { cancelRotateSecret, rotateSecret } from './operations/rotation.ts';
import { tagResource, untagResource } from './operations/tags.ts';
import { updateSecretVersionStage } from './operations/update-secret-version-stage.ts';
import { updateSecret } from './operations/update-secret.ts';

export function secretsManagerService(context: SecretsManagerContext): Service<SecretsManagerContext> {
  return {
    name: 'secrets-manager',
    eventSource: 'secretsmanager.amazonaws.com',
    signingNames: ['secretsmanager'],
    protocol: 'awsJson1_1',
    targetPrefix: 'secretsmanager',
    schemas: operationSchemasOf(sdk),
    operations: [
      createSecret,
      describeSecret,
      getSecretValue,
      putSecretValue,
      updateSecret,
      updateSecretVersionStage,
      listSecrets,
      listSecretVersionIds,
      batchGetSecretValue,
      deleteSecret,
      restoreSecret,
      tagResource,
      untagResource,
      putResourcePolicy,
      getResourcePolicy,
      deleteResourcePolicy,
      validateResourcePolicy,
      getRandomPassword,
      rotateSecret,
      cancelRotateSecret,
      replicateSecretToRegions,
      removeRegionsFromReplication,
      stopReplicationToReplica,
    ],
    context,
    constraints,
    errors: secretsManagerErrors,
  };
}
