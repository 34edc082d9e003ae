import type { ReadEvent } from './audit-event.ts';
import { resourceTypeOf } from './resource-type.ts';

/** By what events are looked up: the index has, for each block of events, each term that is true of one in it. */
export type TermKind = 'resource' | 'type' | 'name' | 'source' | 'user' | 'key' | 'request';

export interface Term {
  readonly kind: TermKind;
  readonly value: string;
}

/** Everything by which this event is found. */
function termsOf({ userName, facts }: ReadEvent): Term[] {
  const arns = (facts.resources ?? []).map(({ ARN }) => ARN);
  const types = arns.map(resourceTypeOf).filter((type) => type !== undefined);
  return [
    ...arns.map((value) => ({ kind: 'resource', value }) as const),
    ...types.map((value) => ({ kind: 'type', value }) as const),
    { kind: 'name', value: facts.eventName },
    { kind: 'source', value: facts.eventSource },
    { kind: 'user', value: userName },
    { kind: 'key', value: facts.userIdentity.accessKeyId ?? '' },
    ...requestIdsOf(facts).map((value) => ({ kind: 'request', value }) as const),
  ];
}

/**
 * By which request ids an event is found: its own, and that of the request which led to it. Only what failed is indexed:
 * that is what somebody asks about.
 */
function requestIdsOf({ errorCode, requestID, additionalEventData }: ReadEvent['facts']): string[] {
  if (errorCode === undefined) return [];
  return [requestID, additionalEventData?.parentRequestID].filter((id) => id !== undefined);
}

export function isTermOf(event: ReadEvent, { kind, value }: Term): boolean {
  return termsOf(event).some((term) => term.kind === kind && term.value === value);
}

/** The terms of several events, each once. */
export function termsOfAll(events: Iterable<ReadEvent>): Term[] {
  const terms = new Map<string, Term>();
  for (const event of events) {
    for (const term of termsOf(event)) terms.set(`${term.kind} ${term.value}`, term);
  }
  return [...terms.values()];
}
