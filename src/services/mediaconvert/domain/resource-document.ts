import type { RootKey } from '#crypto/root-key.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import type { ResourceKind, ResourceRecord } from '../resource-store.ts';
import type { JobScope } from '../store.ts';
import type { TagMap } from './tags.ts';

type Place = Pick<ResourceRecord, 'account' | 'region' | 'kind' | 'name'>;

/** INVARIANT: templates and presets may hold content keys, so no document lies in the records in the clear. */
export function sealDocument(rootKey: RootKey, place: Place, document: object): Buffer {
  return rootKey.seal(Buffer.from(JSON.stringify(document)), contextOf(place));
}

/** @throws DecryptionError when the record was tampered with */
export function openDocument<Document>(rootKey: RootKey, record: ResourceRecord): Document {
  return JSON.parse(rootKey.open(record.document, contextOf(record)).toString('utf8')) as Document;
}

export function newResource(
  rootKey: RootKey,
  scope: JobScope,
  facts: {
    readonly kind: ResourceKind;
    readonly name: string;
    readonly document: object;
    readonly now: number;
    readonly category?: string | undefined;
    readonly tags?: TagMap;
  },
): ResourceRecord {
  const { kind, name, document, now, category, tags = {} } = facts;
  const { account, region } = scope;
  return {
    account,
    region,
    kind,
    name,
    category: category ?? null,
    tags: JSON.stringify(tags),
    document: sealDocument(rootKey, { account, region, kind, name }, document),
    created_at: now,
    updated_at: now,
  };
}

function contextOf({ account, region, kind, name }: Place): string {
  return `mediaconvert/${kind}/${account}/${region}/${name}`;
}

export const resourceDocumentColumn: RootSealedColumn = {
  table: 'mediaconvert_resource',
  column: 'document',
  // The row has all that says its place.
  contextOf: (row) => contextOf(row as unknown as Place),
};
