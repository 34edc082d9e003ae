import type { Tag } from '@aws-sdk/client-sts';
import type { Caller } from '#kernel/caller.ts';
import { invalidParameter, validation } from '../errors.ts';

/** What a session may have, those from the calling session included. */
const MAX_TAGS = 50;

export interface SessionTags {
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
}

/**
 * The tags of a new session: those of the request, and those that the caller's own session passes on.
 * @throws ServiceError InvalidParameterValue for a key that comes twice, or that is the caller's to pass on
 */
export function sessionTags(
  given: readonly Tag[] | undefined,
  transitiveKeys: readonly string[] | undefined,
  caller: Caller,
): SessionTags {
  const inherited = inheritedTags(caller);
  const inheritedKeys = new Set(Object.keys(inherited).map((key) => key.toLowerCase()));
  const own: Record<string, string> = {};
  const ownKeys = new Set<string>();
  for (const { Key = '', Value = '' } of given ?? []) {
    const folded = Key.toLowerCase();
    if (ownKeys.has(folded)) {
      throw invalidParameter('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    }
    if (/^aws:/i.test(Key)) throw invalidParameter('aws: prefixed tag key names are not allowed for external use.');
    if (inheritedKeys.has(folded)) {
      throw invalidParameter(
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the " +
          'calling session.',
      );
    }
    ownKeys.add(folded);
    own[Key] = Value;
  }
  for (const key of transitiveKeys ?? []) {
    if (!ownKeys.has(key.toLowerCase())) {
      throw invalidParameter('The specified transitive tag key must be included in the requested tags.');
    }
  }
  if (Object.keys(inherited).length + ownKeys.size > MAX_TAGS) {
    throw validation(`A session has at most ${MAX_TAGS} tags, those from the calling session included.`);
  }
  return {
    tags: { ...inherited, ...own },
    transitiveTagKeys: [...Object.keys(inherited), ...(transitiveKeys ?? [])],
  };
}

function inheritedTags(caller: Caller): Record<string, string> {
  if (caller.type !== 'assumed-role') return {};
  const { tags, transitiveTagKeys } = caller.session;
  const transitive = new Set(transitiveTagKeys.map((key) => key.toLowerCase()));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => transitive.has(key.toLowerCase())));
}
