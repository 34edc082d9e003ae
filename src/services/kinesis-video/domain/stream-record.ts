import type {
  DefaultStorageTier,
  ImageGenerationConfiguration,
  NotificationConfiguration,
} from '@aws-sdk/client-kinesis-video';
import { formatArn, parseArn } from '#kernel/arn.ts';
import { type AccountId, isAccountId, isRegion, type Region } from '#kernel/ids.ts';
import type { StreamRow } from '../store.ts';
import { parseTags, type TagMap } from './tags.ts';

/** A stream, as operations see it. */
export interface StreamRecord {
  /** Ours alone: a stream that is made again under the same name has another. */
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  readonly account: AccountId;
  readonly region: Region;
  /** A key's id, ARN or alias as CreateStream gave it, unchecked; `undefined` for `alias/aws/kinesisvideo`. */
  readonly kmsKeyId: string | undefined;
  /** 0: fragments are not kept, only passed on. */
  readonly retentionHours: number;
  readonly status: 'ACTIVE';
  readonly deviceName: string | undefined;
  readonly mediaType: string | undefined;
  readonly storageTier: DefaultStorageTier;
  readonly tags: TagMap;
  /** Never ENABLED: what is not carried out is not accepted. */
  readonly imageGeneration: ImageGenerationConfiguration | undefined;
  readonly notification: NotificationConfiguration | undefined;
  /** Changes with each change of the stream's metadata. */
  readonly version: string;
  /** Milliseconds since the epoch; the last part of the ARN. */
  readonly createdAt: number;
}

const HOUR_MS = 3_600_000;

/** A stream's address, as a request names it. */
export interface StreamAddress {
  readonly account: AccountId;
  readonly region: Region;
  readonly name: string;
  /** Milliseconds since the epoch; only an ARN says it. */
  readonly createdAt: number | undefined;
}

export function recordOf(row: StreamRow): StreamRecord {
  return {
    id: row.id,
    name: row.name,
    arn: streamArn(row.account, row.region, row.name, row.created_at),
    account: row.account,
    region: row.region,
    kmsKeyId: row.kms_key_id ?? undefined,
    retentionHours: row.retention_hours,
    status: 'ACTIVE',
    deviceName: row.device_name ?? undefined,
    mediaType: row.media_type ?? undefined,
    storageTier: row.storage_tier,
    tags: parseTags(row.tags),
    imageGeneration: parsed<ImageGenerationConfiguration>(row.image_generation),
    notification: parsed<NotificationConfiguration>(row.notification),
    version: row.version,
    createdAt: row.created_at,
  };
}

function parsed<Value>(json: string | null): Value | undefined {
  return json === null ? undefined : (JSON.parse(json) as Value);
}

/** @param createdAt `*` where it is not known: the stream is named, but may not exist */
export function streamArn(account: AccountId, region: Region, name: string, createdAt: number | '*'): string {
  return formatArn({ service: 'kinesisvideo', region, account, resource: `stream/${name}/${createdAt}` });
}

const STREAM_RESOURCE = /^stream\/([a-zA-Z0-9_.-]{1,256})\/([0-9]{1,15})$/;

/** Reads a stream's ARN; `undefined` when the text is none. */
export function parseStreamArn(text: string): (StreamAddress & { readonly createdAt: number }) | undefined {
  const arn = parseArn(text);
  const match = STREAM_RESOURCE.exec(arn?.resource ?? '');
  if (arn === undefined || match === null || arn.service !== 'kinesisvideo' || arn.partition !== 'aws')
    return undefined;
  const { account, region } = arn;
  if (!isAccountId(account) || !isRegion(region)) return undefined;
  return { account, region, name: match[1] ?? '', createdAt: Number(match[2]) };
}

/**
 * Fragments with an older server timestamp have expired, whether or not they were removed already. It is reckoned from
 * the stream at each use, so that a change of the retention acts on all fragments at once.
 *
 * @returns milliseconds since the epoch
 */
export function retentionStart(stream: Pick<StreamRecord, 'retentionHours'>, now: number): number {
  return now - stream.retentionHours * HOUR_MS;
}
