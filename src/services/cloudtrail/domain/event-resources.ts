import type { EventResourceRow, EventRow } from '../store.ts';
import { resourceTypeOf } from './resource-type.ts';

/** What the index holds of an event: one row for each resource, by its ARN. */
export function indexRowsOf({ id, account, time }: EventRow, arns: readonly string[]): EventResourceRow[] {
  return [...new Set(arns)].map((name) => ({ event_id: id, account, time, name, type: resourceTypeOf(name) ?? '' }));
}

/** The resources that a stored event names; none where it cannot be read. */
export function resourcesOfEvent(event: EventRow): string[] {
  try {
    const { resources = [] } = JSON.parse(event.event) as { readonly resources?: readonly { readonly ARN: string }[] };
    return resources.map(({ ARN }) => ARN);
  } catch {
    return [];
  }
}

/** Whether the index says of an event what the event, whose row is sealed, says itself. */
export function isIndexedAs(event: EventRow, index: Partial<Pick<EventResourceRow, 'name' | 'type'>>): boolean {
  return indexRowsOf(event, resourcesOfEvent(event)).some(
    ({ name, type }) => (index.name ?? name) === name && (index.type ?? type) === type,
  );
}
