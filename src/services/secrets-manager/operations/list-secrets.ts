import {
  ListSecrets$,
  type ListSecretsRequest,
  type ListSecretsResponse,
  type SecretListEntry,
} from '@aws-sdk/client-secrets-manager';
import { type Call, operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { secretFilter } from '../domain/list-filter.ts';
import { encodePosition } from '../domain/page-token.ts';
import { secretDetails } from '../domain/secret-view.ts';
import { StagingLabels } from '../domain/staging-labels.ts';
import { listPage, type ListQuery, readListQuery } from '../list-page.ts';
import { accountOfCaller } from '../secrets.ts';
import type { SecretRow, SecretStore } from '../store.ts';

const DEFAULT_PAGE = 100;

export const listSecrets = operation<SecretsManagerContext, ListSecretsRequest, ListSecretsResponse>(ListSecrets$, {
  authorize: () => [{ action: 'secretsmanager:ListSecrets', resource: '*' }],
  async handle(input, call, { store }) {
    const query = queryOf(input, call);
    const { rows, next } = await listPage(store, query, input.MaxResults ?? DEFAULT_PAGE);
    const entries: SecretListEntry[] = [];
    for (const row of rows) entries.push(await entryOf(store, row));
    return { SecretList: entries, ...(next !== undefined && { NextToken: encodePosition(next) }) };
  },
});

function queryOf(input: ListSecretsRequest, call: Call): ListQuery {
  return readListQuery({
    account: accountOfCaller(call.caller),
    region: call.region,
    now: call.now,
    isDeletedWanted: input.IncludePlannedDeletion === true,
    fits: secretFilter(input.Filters),
    sortBy: input.SortBy ?? 'created-date',
    sortOrder: input.SortOrder ?? 'desc',
    token: input.NextToken,
  });
}

async function entryOf(store: SecretStore, row: SecretRow): Promise<SecretListEntry> {
  const versions = StagingLabels.of(await store.labelled(row.id)).byVersion();
  return { ...secretDetails(row), ...(Object.keys(versions).length > 0 && { SecretVersionsToStages: versions }) };
}
