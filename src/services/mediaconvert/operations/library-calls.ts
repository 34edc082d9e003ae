import { type AccessRequest, type Call } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { nextTokenOf, pageLimit, pageOf } from '../domain/list-page.ts';
import { type ArnType, arnOf, checkNewName, nameOf, SYSTEM_PREFIX } from '../domain/names.ts';
import { decodePageToken } from '../domain/page-token.ts';
import { newResource, openDocument, sealDocument } from '../domain/resource-document.ts';
import { scopeOf, tagsOf } from '../domain/scope.ts';
import { type TagMap, withTags } from '../domain/tags.ts';
import { badRequest, conflict, notFound, quotaExceeded } from '../errors.ts';
import type { ResourceRecord } from '../resource-store.ts';
import type { JobScope } from '../store.ts';

/** What job templates and presets have in common. */

export interface Shelf {
  readonly kind: 'template' | 'preset';
  readonly type: ArnType;
  /** As messages call one: `job template`. */
  readonly title: string;
}

/** So that what an account keeps is bounded. */
const MOST = 1000;

export async function shelfAccess(
  shelf: Shelf,
  action: string,
  given: string | undefined,
  call: Call,
  { store }: MediaconvertContext,
): Promise<readonly AccessRequest[]> {
  const scope = scopeOf(call);
  const name = nameOf(given ?? '', shelf.type, scope) ?? given ?? '';
  const record = await store.resources.find(scope, shelf.kind, name);
  return [{ action, resource: arnOf(scope, shelf.type, name), resourceTags: tagsOf(record) }];
}

export async function addTo(
  shelf: Shelf,
  input: {
    readonly Name: string | undefined;
    readonly Category: string | undefined;
    readonly Tags: TagMap | undefined;
  },
  document: object,
  call: Call,
  { store, rootKey, clock }: MediaconvertContext,
): Promise<ResourceRecord> {
  const name = checkNewName(input.Name ?? '');
  const record = newResource(rootKey, scopeOf(call), {
    kind: shelf.kind,
    name,
    document,
    now: clock.now(),
    category: input.Category,
    tags: withTags({}, input.Tags),
  });
  const obstacle = await store.resources.add(record, MOST);
  if (obstacle === 'exists') throw conflict(`The ${shelf.title} ${name} exists already.`);
  if (obstacle === 'full') throw quotaExceeded(`An account has at most ${MOST} ${shelf.title}s in a Region.`);
  return record;
}

/** @param changes members that replace the ones that were there */
export async function changeOn(
  shelf: Shelf,
  input: { readonly Name: string | undefined; readonly Category: string | undefined },
  changes: object,
  call: Call,
  { store, rootKey, clock }: MediaconvertContext,
): Promise<ResourceRecord> {
  const scope = scopeOf(call);
  const name = customName(shelf, input.Name, scope);
  const record = await store.resources.change({ ...scope, kind: shelf.kind, name }, (before) => ({
    document: sealDocument(rootKey, before, { ...openDocument<object>(rootKey, before), ...changes }),
    updated_at: clock.now(),
    ...(input.Category !== undefined && { category: input.Category }),
  }));
  if (record === undefined) throw absent(shelf, input.Name);
  return record;
}

export async function removeFrom(
  shelf: Shelf,
  given: string | undefined,
  call: Call,
  { store }: MediaconvertContext,
): Promise<void> {
  const scope = scopeOf(call);
  const isRemoved = await store.resources.remove(scope, shelf.kind, customName(shelf, given, scope));
  if (!isRemoved) throw absent(shelf, given);
}

interface ListRequest {
  readonly Category?: string | undefined;
  readonly ListBy?: 'NAME' | 'CREATION_DATE' | 'SYSTEM' | undefined;
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
  readonly Order?: 'ASCENDING' | 'DESCENDING' | undefined;
}

/** @param system the system's, all of them */
export async function listShelf<
  Item extends { readonly Name?: string | undefined; readonly Category?: string | undefined },
>(
  shelf: Shelf,
  input: ListRequest,
  call: Call,
  { store }: MediaconvertContext,
  system: () => readonly Item[],
  viewOf: (record: ResourceRecord) => Item,
): Promise<{ readonly items: Item[]; readonly NextToken?: string }> {
  const by = input.ListBy === 'CREATION_DATE' ? 'created_at' : 'name';
  const isAscending = input.Order === undefined ? by === 'name' : input.Order === 'ASCENDING';
  const { Category: category, MaxResults: limit, NextToken: token } = input;
  if (input.ListBy === 'SYSTEM') {
    const all = system().filter((item) => category === undefined || item.Category === category);
    const placeOf = (item: Item) => ({ createdAt: 0, id: item.Name ?? '' });
    const { items, nextToken } = pageOf(all, { placeOf, by, isAscending, limit, token });
    return { items, ...(nextToken !== undefined && { NextToken: nextToken }) };
  }
  const after = token === undefined ? undefined : decodePageToken(token);
  const records = await store.resources.list(scopeOf(call), shelf.kind, {
    by,
    isAscending,
    ...(category !== undefined && { category }),
    ...(after !== undefined && { after: { createdAt: after.createdAt, name: after.id } }),
    limit: pageLimit(limit) + 1,
  });
  const next = nextTokenOf(records, limit, ({ created_at, name }) => ({ createdAt: created_at, id: name }));
  return {
    items: records.slice(0, pageLimit(limit)).map(viewOf),
    ...(next !== undefined && { NextToken: next }),
  };
}

/** The name of one that may be changed. */
function customName(shelf: Shelf, given: string | undefined, scope: JobScope): string {
  const name = nameOf(given ?? '', shelf.type, scope);
  if (name === undefined) throw absent(shelf, given);
  if (name.startsWith(SYSTEM_PREFIX))
    throw badRequest(`The ${shelf.title} ${name} is the service's own; it stays as it is.`);
  return name;
}

export function absent(shelf: Shelf, name: string | undefined) {
  return notFound(`The ${shelf.title} ${name ?? ''} does not exist.`);
}
