import {
  LookupEvents$,
  type LookupAttribute,
  type LookupEventsRequest,
  type LookupEventsResponse,
} from '@aws-sdk/client-cloudtrail';
import { accountOf } from '#kernel/caller.ts';
import { operation } from '#kernel/operation.ts';
import type { CloudTrailContext } from '../context.ts';
import type { ReadEvent } from '../domain/audit-event.ts';
import { resourceTypeOf } from '../domain/resource-type.ts';
import {
  cloudTrailErrors,
  invalidLookupAttributes,
  invalidNextToken,
  invalidTimeRange,
  unsupported,
} from '../errors.ts';
import { type EventFilter, type EventPosition, lookUpEvents } from '../event-lookup.ts';

const DEFAULT_RESULTS = 50;
const RETENTION_MS = 90 * 86_400_000;

export const lookupEvents = operation<CloudTrailContext, LookupEventsRequest, LookupEventsResponse>(LookupEvents$, {
  authorize: () => [{ action: 'cloudtrail:LookupEvents', resource: '*' }],
  async handle(input, call, { store, buffer }) {
    const account = accountOf(call.caller);
    if (account === undefined) throw cloudTrailErrors.accessDenied('Access denied');
    if (input.EventCategory !== undefined) throw unsupported(`EventCategory ${input.EventCategory} is not supported.`);
    const from = input.StartTime?.getTime() ?? call.now - RETENTION_MS;
    const to = input.EndTime?.getTime() ?? call.now;
    if (from > to) throw invalidTimeRange();
    await buffer.flush();
    const limit = input.MaxResults ?? DEFAULT_RESULTS;
    const filter = { account, region: call.region, from, to, ...attributeFilter(input.LookupAttributes ?? []) };
    const before = readToken(input.NextToken);
    const rows = await lookUpEvents(store, {
      ...filter,
      ...(before === undefined ? {} : { before }),
      limit: limit + 1,
    });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      Events: page.map(toEvent),
      ...(rows.length > limit && last !== undefined ? { NextToken: writeToken(last) } : {}),
    };
  },
});

const TERMS = {
  EventName: 'name',
  EventSource: 'source',
  Username: 'user',
  AccessKeyId: 'key',
  ResourceName: 'resource',
  ResourceType: 'type',
} as const;

/** LookupEvents takes one attribute at most. */
function attributeFilter(attributes: readonly LookupAttribute[]): Pick<EventFilter, 'term' | 'eventId' | 'isReadOnly'> {
  const [attribute, ...others] = attributes;
  if (attribute === undefined) return {};
  if (others.length > 0) throw invalidLookupAttributes('You can only specify one lookup attribute.');
  const value = attribute.AttributeValue ?? '';
  switch (attribute.AttributeKey) {
    case 'EventId':
      return { eventId: value };
    case 'ReadOnly':
      if (value !== 'true' && value !== 'false') throw invalidLookupAttributes('ReadOnly is true or false.');
      return { isReadOnly: value === 'true' };
    case undefined:
      throw invalidLookupAttributes('AttributeKey is missing.');
    default:
      return { term: { kind: TERMS[attribute.AttributeKey], value } };
  }
}

function toEvent({ time, userName, json, facts }: ReadEvent): NonNullable<LookupEventsResponse['Events']>[number] {
  const { accessKeyId } = facts.userIdentity;
  return {
    EventId: facts.eventID,
    EventName: facts.eventName,
    ReadOnly: String(facts.readOnly),
    ...(accessKeyId === undefined ? {} : { AccessKeyId: accessKeyId }),
    EventTime: new Date(time),
    EventSource: facts.eventSource,
    ...(userName === '' ? {} : { Username: userName }),
    Resources: (facts.resources ?? []).map(({ ARN }) => {
      const type = resourceTypeOf(ARN);
      return { ResourceName: ARN, ...(type === undefined ? {} : { ResourceType: type }) };
    }),
    CloudTrailEvent: json,
  };
}

function writeToken({ time, facts }: ReadEvent): string {
  return Buffer.from(`${time}:${facts.eventID}`).toString('base64url');
}

function readToken(token: string | undefined): EventPosition | undefined {
  if (token === undefined) return undefined;
  const match = /^(\d{1,15}):([0-9a-f-]{36})$/.exec(Buffer.from(token, 'base64url').toString());
  if (match?.[1] === undefined || match[2] === undefined) throw invalidNextToken();
  return { time: Number(match[1]), id: match[2] };
}
