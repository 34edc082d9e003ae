/** One event of one account's log. */
export interface AuditEvent {
  /** Milliseconds since the epoch: when the request came. The event itself says the second. */
  readonly time: number;
  /** As LookupEvents calls who asked. Has neither tabs nor line ends. */
  readonly userName: string;
  /** The event as CloudTrail writes it, in JSON. */
  readonly json: string;
}

/** What is read of an event's JSON, among much else. */
export interface EventFacts {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly awsRegion: string;
  readonly readOnly: boolean;
  readonly eventType: string;
  readonly requestID?: string;
  readonly errorCode?: string;
  readonly userIdentity: {
    readonly accountId?: string | undefined;
    readonly principalId?: string;
    readonly arn?: string;
    readonly accessKeyId?: string;
    readonly invokedBy?: string;
    readonly sessionContext?: {
      readonly sessionIssuer?: { readonly arn?: string; readonly [other: string]: unknown };
      readonly [other: string]: unknown;
    };
    readonly [other: string]: unknown;
  };
  readonly requestParameters?: Readonly<Record<string, unknown>> | null;
  readonly resources?: readonly { readonly ARN: string; readonly accountId?: string }[];
  readonly additionalEventData?: {
    readonly parentRequestID?: string;
    readonly via?: readonly string[];
    readonly accesses?: readonly { readonly action: string; readonly resource: string }[];
    readonly accessesLeftOut?: number;
    readonly [other: string]: unknown;
  };
  readonly [other: string]: unknown;
}

export function factsOf({ json }: AuditEvent): EventFacts {
  return JSON.parse(json) as EventFacts;
}

/** An event with what is read of it. */
export interface ReadEvent extends AuditEvent {
  readonly facts: EventFacts;
}

export function readEvent(event: AuditEvent): ReadEvent {
  return { ...event, facts: factsOf(event) };
}
