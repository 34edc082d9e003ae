import type { Event as EventType } from '@aws-sdk/client-s3';
import { accountOf, type Caller } from '#kernel/caller.ts';
import type { PlatformEvent } from '#kernel/event-sink.ts';
import type { Call } from '#kernel/operation.ts';
import { bucketArn } from '../access.ts';
import type { BucketRow } from '../store.ts';

/** Something that became of an object. */
export interface Happening {
  readonly event: EventType;
  readonly key: string;
  /** Bytes; none for removals. */
  readonly size?: number;
  /** Without quotation marks. */
  readonly etag?: string;
  /** As answers name it; none where the bucket never had versioning. */
  readonly versionId?: string | undefined;
  /** Of a transition. */
  readonly storageClass?: string;
  readonly isMarker?: boolean;
}

/** What brought it about. */
export interface Cause {
  readonly requestId: string;
  /** As records of S3's format name it. */
  readonly principalId: string;
  /** An account, or a service. */
  readonly requester: string;
  readonly sourceIp: string;
  /** The operation, as EventBridge's events name it. */
  readonly reason: string;
}

/** Which one it is of all that happened: later ones have higher numbers. */
export interface Occurrence {
  readonly sequencer: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

const SERVICE = 's3.amazonaws.com';

export function causeOf(call: Call, reason: string): Cause {
  const { caller, source, requestId } = call;
  const requester = caller.type === 'service' ? caller.service : (accountOf(caller) ?? 'anonymous');
  return { requestId, principalId: principalOf(caller), requester, sourceIp: source.sourceIp, reason };
}

/** What S3 does by itself, by a bucket's lifecycle rules. */
export function lifecycleCause(requestId: string): Cause {
  return { requestId, principalId: SERVICE, requester: SERVICE, sourceIp: SERVICE, reason: 'Lifecycle Expiration' };
}

function principalOf(caller: Caller): string {
  switch (caller.type) {
    case 'anonymous':
      return 'Anonymous';
    case 'service':
      return caller.service;
    default:
      return `AWS:${caller.principalId}`;
  }
}

/** Events that tell more than the first version of the record had (S3 user guide, "Event message structure"). */
const LATER = /^s3:(Lifecycle|ObjectTagging|ObjectAcl|IntelligentTiering)/;

/** A record in S3's own format. INVARIANT: no secrets. */
export function recordOf(
  bucket: BucketRow,
  configurationId: string,
  happening: Happening,
  cause: Cause,
  { sequencer, time }: Occurrence,
): object {
  const { event, key, size, etag, versionId, storageClass } = happening;
  return {
    eventVersion: LATER.test(event) ? '2.3' : '2.1',
    eventSource: 'aws:s3',
    awsRegion: bucket.region,
    eventTime: new Date(time).toISOString(),
    eventName: event.slice('s3:'.length),
    userIdentity: { principalId: cause.principalId },
    requestParameters: { sourceIPAddress: cause.sourceIp },
    responseElements: { 'x-amz-request-id': cause.requestId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: { name: bucket.name, ownerIdentity: { principalId: bucket.account }, arn: bucketArn(bucket.name) },
      object: {
        key: formEncoded(key),
        ...(size !== undefined && { size }),
        ...(etag !== undefined && { eTag: etag }),
        ...(versionId !== undefined && { versionId }),
        sequencer,
      },
    },
    ...(storageClass !== undefined && {
      lifecycleEventData: { transitionEventData: { destinationStorageClass: storageClass } },
    }),
  };
}

/** As HTML forms write it, but for `*`, which stays; `/` too is written as it is. */
function formEncoded(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
    .replace(/[!'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What is sent when a configuration is put. */
export function testEvent(bucket: string, requestId: string, time: number): object {
  return {
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: new Date(time).toISOString(),
    Bucket: bucket,
    RequestId: requestId,
    HostId: requestId,
  };
}

const DETAIL_TYPES: readonly (readonly [RegExp, string])[] = [
  [/^s3:ObjectCreated:/, 'Object Created'],
  [/^s3:(ObjectRemoved|LifecycleExpiration):/, 'Object Deleted'],
  [/^s3:LifecycleTransition$/, 'Object Storage Class Changed'],
  [/^s3:ObjectTagging:Put$/, 'Object Tags Added'],
  [/^s3:ObjectTagging:Delete$/, 'Object Tags Deleted'],
  [/^s3:ObjectAcl:Put$/, 'Object ACL Updated'],
];

/** The same as EventBridge tells it; `undefined` for what it does not tell. */
export function bridgedEvent(
  bucket: BucketRow,
  happening: Happening,
  cause: Cause,
  { sequencer }: Occurrence,
): PlatformEvent | undefined {
  const { event, key, size, etag, versionId, storageClass, isMarker } = happening;
  const [, detailType] = DETAIL_TYPES.find(([pattern]) => pattern.test(event)) ?? [];
  if (detailType === undefined) return undefined;
  const isDeletion = detailType === 'Object Deleted';
  const hasReason = isDeletion || detailType === 'Object Created';
  return {
    source: 'aws.s3',
    'detail-type': detailType,
    account: bucket.account,
    region: bucket.region,
    resources: [bucketArn(bucket.name)],
    detail: {
      version: '0',
      bucket: { name: bucket.name },
      object: {
        key,
        ...(size !== undefined && { size }),
        ...(etag !== undefined && { etag }),
        ...(versionId !== undefined && { 'version-id': versionId }),
        sequencer,
      },
      'request-id': cause.requestId,
      requester: cause.requester,
      'source-ip-address': cause.sourceIp,
      ...(hasReason && { reason: cause.reason }),
      ...(isDeletion && {
        'deletion-type': isMarker === true ? 'Delete Marker Created' : 'Permanently Deleted',
      }),
      ...(storageClass !== undefined && { 'destination-storage-class': storageClass }),
    },
  };
}
