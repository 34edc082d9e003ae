import {
  type APIErrorType,
  BatchGetSecretValue$,
  type BatchGetSecretValueRequest,
  type BatchGetSecretValueResponse,
  type SecretValueEntry,
} from '@aws-sdk/client-secrets-manager';
import type { Authority } from '#kernel/door.ts';
import { type Call, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { SecretsManagerContext } from '../context.ts';
import { secretFilter } from '../domain/list-filter.ts';
import { encodePosition, type Position } from '../domain/page-token.ts';
import { invalidParameter } from '../errors.ts';
import { listPage, readListQuery } from '../list-page.ts';
import { accountOfCaller, arnOf } from '../secrets.ts';

const MAX_PAGE = 20;

/** Each secret is read by a GetSecretValue of its own: authorised and audited as one. */
export const batchGetSecretValue = operation<
  SecretsManagerContext,
  BatchGetSecretValueRequest,
  BatchGetSecretValueResponse
>(BatchGetSecretValue$, {
  authorize: ({ Filters }) => [
    { action: 'secretsmanager:BatchGetSecretValue', resource: '*' },
    ...(Filters === undefined ? [] : [{ action: 'secretsmanager:ListSecrets', resource: '*' }]),
  ],
  async handle(input, call, context) {
    const { ids, next } = await chosen(input, call, context);
    const SecretValues: SecretValueEntry[] = [];
    const Errors: APIErrorType[] = [];
    for (const SecretId of ids) {
      try {
        SecretValues.push(await context.self.getSecretValue({ SecretId }, authorityOf(call)));
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        Errors.push({ SecretId, ErrorCode: error.code, Message: error.message });
      }
    }
    return { SecretValues, Errors, ...(next !== undefined && { NextToken: encodePosition(next) }) };
  },
});

async function chosen(
  input: BatchGetSecretValueRequest,
  call: Call,
  { store }: SecretsManagerContext,
): Promise<{ readonly ids: readonly string[]; readonly next: Position | undefined }> {
  const { SecretIdList, Filters, MaxResults, NextToken } = input;
  if ((SecretIdList === undefined) === (Filters === undefined)) {
    throw invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.");
  }
  if (SecretIdList !== undefined) {
    if (MaxResults !== undefined || NextToken !== undefined) {
      throw invalidParameter("'MaxResults' and 'NextToken' go with 'Filters'.");
    }
    return { ids: SecretIdList, next: undefined };
  }
  const query = readListQuery({
    account: accountOfCaller(call.caller),
    region: call.region,
    now: call.now,
    isDeletedWanted: false,
    fits: secretFilter(Filters),
    sortBy: 'created-date',
    sortOrder: 'desc',
    token: NextToken,
  });
  const { rows, next } = await listPage(store, query, MaxResults ?? MAX_PAGE);
  return { ids: rows.map(arnOf), next };
}

/** The caller's own, through nobody: the items are what the caller asks for, not what the service needs. */
function authorityOf({ caller, region, via, requestId, source }: Call): Authority {
  const { sourceIp, userAgent, isSecure } = source;
  return { caller, region, via, requestId, sourceIp, userAgent, isSecure };
}
