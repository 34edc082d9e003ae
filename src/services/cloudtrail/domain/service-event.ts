import type { ServiceEvent } from '#kernel/service-event.ts';
import type { BufferedEvent } from './event-buffer.ts';
import { resourceTypeOf } from './resource-type.ts';

const EVENT_VERSION = '1.11';
/** Who CloudTrail says that acted, and from where. */
const INTERNAL = 'AWS Internal';

/** Shape: CloudTrail user guide, "AWS service events". */
export function toServiceEvent(event: ServiceEvent, eventID: string): BufferedEvent {
  const { time, account, region, eventSource, eventName, resources } = event;
  const facts = {
    eventVersion: EVENT_VERSION,
    userIdentity: { accountId: account, invokedBy: INTERNAL },
    eventTime: new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    eventSource,
    eventName,
    awsRegion: region,
    sourceIPAddress: INTERNAL,
    userAgent: INTERNAL,
    requestParameters: null,
    responseElements: event.responseElements ?? null,
    eventID,
    readOnly: false,
    resources: resources.map((ARN) => ({ accountId: account, type: resourceTypeOf(ARN), ARN })),
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: account,
    ...(event.serviceEventDetails !== undefined && { serviceEventDetails: event.serviceEventDetails }),
    eventCategory: 'Management',
  };
  return { account, event: { time, userName: '', json: JSON.stringify(facts), facts } };
}
