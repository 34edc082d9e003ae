import {
  ListSecretVersionIds$,
  type ListSecretVersionIdsRequest,
  type ListSecretVersionIdsResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { decodePosition, encodePosition } from '../domain/page-token.ts';
import { arnOf } from '../secrets.ts';
import type { VersionHead } from '../store.ts';

const DEFAULT_PAGE = 100;

export const listSecretVersionIds = operation<
  SecretsManagerContext,
  ListSecretVersionIdsRequest,
  ListSecretVersionIdsResponse
>(ListSecretVersionIds$, {
  authorize: ({ SecretId }, call, { secrets }) => secrets.access('ListSecretVersionIds', SecretId, call),
  async handle(input, call, { secrets, store }) {
    const row = await secrets.find(input.SecretId, call);
    const limit = input.MaxResults ?? DEFAULT_PAGE;
    const order = `versions ${row.id}`;
    const after = decodePosition(input.NextToken, order);
    const all = (await (input.IncludeDeprecated === true ? store.versions(row.id) : store.labelled(row.id))).filter(
      (version) => after === undefined || isBehind(version, Number(after.value), after.id),
    );
    const page = all.slice(0, limit);
    const last = page.at(-1);
    return {
      ARN: arnOf(row),
      Name: row.name,
      Versions: page.map((version) => ({
        VersionId: version.version_id,
        VersionStages: JSON.parse(version.labels) as string[],
        ...(version.accessed_at !== null && { LastAccessedDate: new Date(version.accessed_at) }),
        CreatedDate: new Date(version.created_at),
        // As AWS writes the AWS managed key here.
        ...(version.kind !== 'none' && { KmsKeyIds: [version.kms_key_id ?? 'DefaultEncryptionKey'] }),
      })),
      ...(all.length > limit &&
        last !== undefined && {
          NextToken: encodePosition({ order, value: last.created_at, id: last.version_id }),
        }),
    };
  },
});

function isBehind({ created_at, version_id }: VersionHead, value: number, id: string): boolean {
  return created_at > value || (created_at === value && version_id > id);
}
