import type { RootKey } from '#crypto/root-key.ts';
import type { AuditSink } from '#kernel/audit.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { PolicyPrincipals } from '#services/iam/api.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { Records } from '#storage/records.ts';
import type { SecretsManagerApi } from './api.ts';
import { RotationEndpoints } from './domain/rotation-endpoint.ts';
import { Janitor } from './maintenance/janitor.ts';
import { Replication } from './replication.ts';
import { RotationRunner } from './rotation/rotation-runner.ts';
import { Secrets } from './secrets.ts';
import { SecretStore, type SecretsTables } from './store.ts';
import { SecretValues } from './values.ts';
import { Versions } from './versions.ts';

/** What Secrets Manager needs of the rest of the platform. */
export interface SecretsManagerDependencies {
  readonly records: Records<SecretsTables>;
  readonly rootKey: RootKey;
  readonly kms: KmsApi;
  readonly policyPrincipals: PolicyPrincipals;
  /** The service itself, for BatchGetSecretValue, each of whose items is a call of its own. */
  readonly self: SecretsManagerApi;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  /** Addresses to which rotations may be sent. */
  readonly rotationEndpoints: readonly string[];
}

/** What every operation works with. */
export interface SecretsManagerContext {
  readonly store: SecretStore;
  readonly secrets: Secrets;
  readonly values: SecretValues;
  readonly versions: Versions;
  readonly replication: Replication;
  readonly endpoints: RotationEndpoints;
  /** The composition root starts and stops it. */
  readonly rotations: RotationRunner;
  /** The composition root starts and stops it. */
  readonly janitor: Janitor;
  readonly self: SecretsManagerApi;
  readonly randomness: Randomness;
  readonly policyPrincipals: PolicyPrincipals;
}

export function createSecretsManagerContext(dependencies: SecretsManagerDependencies): SecretsManagerContext {
  const { records, rootKey, kms, self, audit, clock, randomness, logger } = dependencies;
  const store = new SecretStore(records);
  const values = new SecretValues(kms, rootKey);
  const versions = new Versions(store, values);
  const endpoints = new RotationEndpoints(dependencies.rotationEndpoints);
  return {
    store,
    secrets: new Secrets(store),
    values,
    versions,
    replication: new Replication(store, values, randomness),
    endpoints,
    rotations: new RotationRunner({ store, versions, endpoints, audit, clock, randomness, logger }),
    janitor: new Janitor({ store, clock, logger }),
    self,
    randomness,
    policyPrincipals: dependencies.policyPrincipals,
  };
}
