import {
  DescribeSecret$,
  type DescribeSecretRequest,
  type DescribeSecretResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { secretDetails } from '../domain/secret-view.ts';
import { StagingLabels } from '../domain/staging-labels.ts';
import { replicationStatus } from '../replication.ts';

export const describeSecret = operation<SecretsManagerContext, DescribeSecretRequest, DescribeSecretResponse>(
  DescribeSecret$,
  {
    authorize: ({ SecretId }, call, { secrets }) => secrets.access('DescribeSecret', SecretId, call),
    async handle({ SecretId }, call, { secrets, store }) {
      const row = await secrets.find(SecretId, call);
      const versions = StagingLabels.of(await store.labelled(row.id)).byVersion();
      const status = await replicationStatus(store, row);
      return {
        ...secretDetails(row),
        ...(Object.keys(versions).length > 0 && { VersionIdsToStages: versions }),
        ...(status.length > 0 && { ReplicationStatus: status }),
      };
    },
  },
);
