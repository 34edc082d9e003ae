import type { Call, AccessRequest, ConditionContext } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { entityArn, type EntityKind } from '../domain/identifiers.ts';
import { callerAccount, tagContext } from './targets.ts';

/** What has a name and a path in an account, and tags, but no policies: instance profiles and server certificates. */
interface NamedEntity {
  readonly id: string;
  readonly account: string;
  readonly path: string;
  readonly name: string;
}

interface AccessFacts {
  readonly context?: ConditionContext;
  readonly requestTags?: Readonly<Record<string, string>>;
}

/**
 * The question whether the caller may do `action` on such an entity. One that does not exist is asked for under the path
 * `/`, so that who may not know learns nothing.
 *
 * @param found what has the name `name`, if anything
 */
export async function accessToEntity(
  action: string,
  kind: EntityKind,
  found: NamedEntity | undefined,
  name: string,
  call: Call,
  iam: IamContext,
  facts: AccessFacts = {},
): Promise<AccessRequest[]> {
  const resource = entityArn(kind, found ?? { account: callerAccount(call), path: '/', name });
  if (found === undefined) return [{ action, resource, ...facts }];
  const tags = await iam.store.tagsOf(found.id);
  return [{ action, resource, ...facts, context: { ...tagContext(tags), ...facts.context }, resourceTags: tags }];
}

/** The question whether the caller may list what lies under a path. */
export function accessToList(action: string, kind: EntityKind, pathPrefix: string | undefined, call: Call) {
  return [{ action, resource: entityArn(kind, { account: callerAccount(call), path: pathPrefix ?? '/', name: '' }) }];
}
