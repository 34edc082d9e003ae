import type { EventRequestRow, EventRow } from '../store.ts';

interface RequestFacts {
  readonly requestID?: string;
  readonly errorCode?: string;
  readonly additionalEventData?: { readonly parentRequestID?: string };
}

/**
 * By which request ids an event is found: its own, and that of the request which led to it. Only what failed is indexed:
 * that is what somebody asks about.
 */
export function requestRowsOf(event: EventRow): EventRequestRow[] {
  // Most events are of what went well: no need to read them.
  if (!event.event.includes('"errorCode":')) return [];
  const { requestID, errorCode, additionalEventData } = factsOf(event);
  if (errorCode === undefined) return [];
  const ids = [requestID, additionalEventData?.parentRequestID].filter((id) => id !== undefined);
  return ids.map((id) => ({ request_id: id, account: event.account, time: event.time, event_id: event.id }));
}

function factsOf(event: EventRow): RequestFacts {
  try {
    return JSON.parse(event.event) as RequestFacts;
  } catch {
    return {};
  }
}
