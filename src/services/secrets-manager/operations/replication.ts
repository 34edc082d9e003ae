import {
  RemoveRegionsFromReplication$,
  type RemoveRegionsFromReplicationRequest,
  type RemoveRegionsFromReplicationResponse,
  ReplicateSecretToRegions$,
  type ReplicateSecretToRegionsRequest,
  type ReplicateSecretToRegionsResponse,
  StopReplicationToReplica$,
  type StopReplicationToReplicaRequest,
  type StopReplicationToReplicaResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { invalidRequest } from '../errors.ts';
import { readReplicas, replicationStatus } from '../replication.ts';
import { arnOf } from '../secrets.ts';

export const replicateSecretToRegions = operation<
  SecretsManagerContext,
  ReplicateSecretToRegionsRequest,
  ReplicateSecretToRegionsResponse
>(ReplicateSecretToRegions$, {
  authorize: ({ SecretId, AddReplicaRegions = [], ForceOverwriteReplicaSecret }, call, { secrets }) =>
    secrets.access('ReplicateSecretToRegions', SecretId, call, {
      context: {
        'secretsmanager:AddReplicaRegions': AddReplicaRegions.map(({ Region = '' }) => Region),
        'secretsmanager:ForceOverwriteReplicaSecret': String(ForceOverwriteReplicaSecret ?? false),
      },
    }),
  async handle(input, call, { secrets, replication, store }) {
    const row = await secrets.findPrimary(input.SecretId, call);
    const wanted = readReplicas(input.AddReplicaRegions);
    await replication.add(row, wanted, input.ForceOverwriteReplicaSecret ?? false, call);
    return { ARN: arnOf(row), ReplicationStatus: await replicationStatus(store, row) };
  },
});

export const removeRegionsFromReplication = operation<
  SecretsManagerContext,
  RemoveRegionsFromReplicationRequest,
  RemoveRegionsFromReplicationResponse
>(RemoveRegionsFromReplication$, {
  authorize: ({ SecretId }, call, { secrets }) => secrets.access('RemoveRegionsFromReplication', SecretId, call),
  async handle({ SecretId, RemoveReplicaRegions = [] }, call, { secrets, replication, store }) {
    const row = await secrets.findPrimary(SecretId, call);
    await replication.remove(row, RemoveReplicaRegions, call.now);
    return { ARN: arnOf(row), ReplicationStatus: await replicationStatus(store, row) };
  },
});

/** Called in the replica's Region. */
export const stopReplicationToReplica = operation<
  SecretsManagerContext,
  StopReplicationToReplicaRequest,
  StopReplicationToReplicaResponse
>(StopReplicationToReplica$, {
  authorize: ({ SecretId }, call, { secrets }) => secrets.access('StopReplicationToReplica', SecretId, call),
  async handle({ SecretId }, call, { secrets, replication }) {
    const row = await secrets.findActive(SecretId, call);
    if (row.primary_id === null) throw invalidRequest('This secret is not a replica.');
    await replication.promote(row, call.now);
    return { ARN: arnOf(row) };
  },
});
