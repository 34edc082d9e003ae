import {
  ListTagsForResource$,
  type ListTagsForResourceRequest,
  type ListTagsForResourceResponse,
  TagResource$,
  type TagResourceRequest,
  type TagResourceResponse,
  UntagResource$,
  type UntagResourceRequest,
  type UntagResourceResponse,
} from '@aws-sdk/client-mediaconvert';
import { parseArn } from '#kernel/arn.ts';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { type ArnType, arnOf, DEFAULT_QUEUE } from '../domain/names.ts';
import { newResource } from '../domain/resource-document.ts';
import { scopeOf, tagsOf } from '../domain/scope.ts';
import { type TagMap, withoutTags, withTags } from '../domain/tags.ts';
import { notFound } from '../errors.ts';
import type { ResourceKind } from '../resource-store.ts';
import type { JobScope } from '../store.ts';

/** Of jobs, queues, job templates and presets. */
export const tagResource = operation<MediaconvertContext, TagResourceRequest, TagResourceResponse>(TagResource$, {
  authorize: ({ Arn, Tags = {} }, call, context) =>
    tagAccess('mediaconvert:TagResource', Arn, call, context, { requestTags: Tags }),
  async handle({ Arn, Tags = {} }, call, context) {
    await changeTags(Arn, call, context, (before) => withTags(before, Tags));
    return {};
  },
});

export const untagResource = operation<MediaconvertContext, UntagResourceRequest, UntagResourceResponse>(
  UntagResource$,
  {
    authorize: ({ Arn, TagKeys = [] }, call, context) =>
      tagAccess('mediaconvert:UntagResource', Arn, call, context, { context: { 'aws:TagKeys': TagKeys } }),
    async handle({ Arn, TagKeys = [] }, call, context) {
      await changeTags(Arn, call, context, (before) => withoutTags(before, TagKeys));
      return {};
    },
  },
);

export const listTagsForResource = operation<
  MediaconvertContext,
  ListTagsForResourceRequest,
  ListTagsForResourceResponse
>(ListTagsForResource$, {
  authorize: ({ Arn }, call, context) => tagAccess('mediaconvert:ListTagsForResource', Arn, call, context),
  async handle({ Arn }, call, context) {
    const scope = scopeOf(call);
    const place = placeOf(Arn, scope);
    const tags = place && (await readTags(place, scope, context));
    if (tags === undefined) throw absent(Arn);
    return { ResourceTags: { Arn, Tags: { ...tags } } };
  },
});

interface Place {
  readonly type: ArnType;
  /** Absent for jobs. */
  readonly kind?: ResourceKind;
  readonly name: string;
}

const KINDS: Readonly<Record<string, Omit<Place, 'name'>>> = {
  jobs: { type: 'jobs' },
  queues: { type: 'queues', kind: 'queue' },
  jobTemplates: { type: 'jobTemplates', kind: 'template' },
  presets: { type: 'presets', kind: 'preset' },
};

function placeOf(given: string | undefined, scope: JobScope): Place | undefined {
  const arn = parseArn(given ?? '');
  const isOwn = arn?.service === 'mediaconvert' && arn.account === scope.account && arn.region === scope.region;
  if (arn === undefined || !isOwn) return undefined;
  const slash = arn.resource.indexOf('/');
  const kind = KINDS[arn.resource.slice(0, Math.max(0, slash))];
  return kind && { ...kind, name: arn.resource.slice(slash + 1) };
}

async function readTags(
  { kind, name }: Place,
  scope: JobScope,
  { store }: MediaconvertContext,
): Promise<TagMap | undefined> {
  const record = kind === undefined ? await store.find(scope, name) : await store.resources.find(scope, kind, name);
  if (record !== undefined) return tagsOf(record);
  return kind === 'queue' && name === DEFAULT_QUEUE ? {} : undefined;
}

async function tagAccess(
  action: string,
  given: string | undefined,
  call: Call,
  context: MediaconvertContext,
  more: Partial<AccessRequest> = {},
): Promise<readonly AccessRequest[]> {
  const scope = scopeOf(call);
  const place = placeOf(given, scope);
  if (place === undefined) return [{ action, resource: given ?? '', ...more }];
  const resourceTags = (await readTags(place, scope, context)) ?? {};
  return [{ action, resource: arnOf(scope, place.type, place.name), resourceTags, ...more }];
}

async function changeTags(
  given: string | undefined,
  call: Call,
  context: MediaconvertContext,
  change: (before: TagMap) => TagMap,
): Promise<void> {
  const scope = scopeOf(call);
  const { store, rootKey, clock } = context;
  const place = placeOf(given, scope);
  if (place === undefined || (await readTags(place, scope, context)) === undefined) throw absent(given);
  const { kind, name } = place;
  if (kind === undefined) {
    await store.changeTags(scope, name, change);
    return;
  }
  const missing =
    kind === 'queue' && name === DEFAULT_QUEUE
      ? newResource(rootKey, scope, { kind, name, document: { isPaused: false }, now: clock.now() })
      : undefined;
  const changed = await store.resources.change(
    { ...scope, kind, name },
    (before) => ({ tags: JSON.stringify(change(tagsOf(before))) }),
    missing,
  );
  if (changed === undefined) throw absent(given);
}

function absent(arn: string | undefined) {
  return notFound(`The resource ${arn ?? ''} does not exist.`);
}
