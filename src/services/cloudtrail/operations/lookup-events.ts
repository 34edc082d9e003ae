import {
  LookupEvents$,
  type LookupAttribute,
  type LookupEventsRequest,
  type LookupEventsResponse,
} from '@aws-sdk/client-cloudtrail';
import { accountOf } from '#kernel/caller.ts';
import { operation } from '#kernel/operation.ts';
import type { CloudTrailContext } from '../context.ts';
import { resourceTypeOf } from '../domain/resource-type.ts';
import {
  cloudTrailErrors,
  invalidLookupAttributes,
  invalidNextToken,
  invalidTimeRange,
  unsupported,
} from '../errors.ts';
import type { EventFilter, EventRow } from '../store.ts';

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
    const rows = await store.find({ ...filter, ...(before === undefined ? {} : { before }), limit: limit + 1 });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      Events: page.map(toEvent),
      ...(rows.length > limit && last !== undefined ? { NextToken: writeToken(last) } : {}),
    };
  },
});

const COLUMNS = {
  EventId: 'id',
  EventName: 'name',
  EventSource: 'source',
  Username: 'user_name',
  AccessKeyId: 'access_key_id',
} as const;

/** LookupEvents takes one attribute at most. */
function attributeFilter(
  attributes: readonly LookupAttribute[],
): Pick<EventFilter, 'column' | 'value' | 'resourceName' | 'resourceType'> {
  const [attribute, ...others] = attributes;
  if (attribute === undefined) return {};
  if (others.length > 0) throw invalidLookupAttributes('You can only specify one lookup attribute.');
  const value = attribute.AttributeValue ?? '';
  switch (attribute.AttributeKey) {
    case 'ResourceName':
      return { resourceName: value };
    case 'ResourceType':
      return { resourceType: value };
    case 'ReadOnly':
      if (value !== 'true' && value !== 'false') throw invalidLookupAttributes('ReadOnly is true or false.');
      return { column: 'read_only', value: value === 'true' ? 1 : 0 };
    case undefined:
      throw invalidLookupAttributes('AttributeKey is missing.');
    default:
      return { column: COLUMNS[attribute.AttributeKey], value };
  }
}

function toEvent(row: EventRow): NonNullable<LookupEventsResponse['Events']>[number] {
  const event = JSON.parse(row.event) as { readonly resources?: readonly { readonly ARN: string }[] };
  return {
    EventId: row.id,
    EventName: row.name,
    ReadOnly: String(row.read_only === 1),
    ...(row.access_key_id === '' ? {} : { AccessKeyId: row.access_key_id }),
    EventTime: new Date(row.time),
    EventSource: row.source,
    ...(row.user_name === '' ? {} : { Username: row.user_name }),
    Resources: (event.resources ?? []).map(({ ARN }) => {
      const type = resourceTypeOf(ARN);
      return { ResourceName: ARN, ...(type === undefined ? {} : { ResourceType: type }) };
    }),
    CloudTrailEvent: row.event,
  };
}

function writeToken(row: EventRow): string {
  return Buffer.from(`${row.time}:${row.id}`).toString('base64url');
}

function readToken(token: string | undefined): EventFilter['before'] {
  if (token === undefined) return undefined;
  const match = /^(\d{1,15}):([0-9a-f-]{36})$/.exec(Buffer.from(token, 'base64url').toString());
  if (match?.[1] === undefined || match[2] === undefined) throw invalidNextToken();
  return { time: Number(match[1]), id: match[2] };
}
