import type { LoggingEnabled, PartitionDateSource, TargetGrant, TargetObjectKeyFormat } from '@aws-sdk/client-s3';
import { malformedXml, notImplemented } from '../errors.ts';

/** Where the log of requests on a bucket goes; as it lies in its settings. */
export interface LoggingSettings {
  readonly target: string;
  readonly prefix: string;
  /** As it was given. */
  readonly format?: TargetObjectKeyFormat;
  /** Who may have the log beside the bucket's owner, as it was given. */
  readonly grants?: readonly TargetGrant[];
}

const LONGEST_PREFIX = 800;

/** @throws ServiceError MalformedXML */
export function readLogging(given: LoggingEnabled): LoggingSettings {
  const { TargetBucket: target = '', TargetPrefix: prefix = '', TargetObjectKeyFormat: format } = given;
  const { TargetGrants: grants = [] } = given;
  if (Buffer.byteLength(prefix) > LONGEST_PREFIX) throw malformedXml();
  const base = { target, prefix, ...(grants.length > 0 && { grants }) };
  if (format === undefined) return base;
  const { SimplePrefix: simple, PartitionedPrefix: partitioned } = format;
  if ((simple === undefined) === (partitioned === undefined)) throw malformedXml();
  if (partitioned !== undefined && partitioned.PartitionDateSource === undefined) throw malformedXml();
  return { ...base, format };
}

/** As the API has them. */
export function loggingAnswer({ target, prefix, format, grants }: LoggingSettings): LoggingEnabled {
  return {
    TargetBucket: target,
    TargetPrefix: prefix,
    ...(format && { TargetObjectKeyFormat: format }),
    ...(grants && { TargetGrants: [...grants] }),
  };
}

/**
 * The members of a write that let in whom the grants name; the bucket's owner always has full control.
 *
 * @param ownerId the canonical id of the bucket's owner
 * @throws ServiceError NotImplemented for WRITE, which says nothing of an object
 */
export function grantMembers(
  { grants = [] }: Pick<LoggingSettings, 'grants'>,
  ownerId: string,
): { readonly GrantFullControl?: string; readonly GrantRead?: string } {
  if (grants.length === 0) return {};
  const named = (permission: TargetGrant['Permission']) =>
    grants
      .filter((grant) => grant.Permission === permission)
      .map(({ Grantee: grantee }) => {
        const { Type: type, ID: id = '', URI: uri = '', EmailAddress: email = '' } = grantee ?? {};
        if (type === 'AmazonCustomerByEmail') return `emailAddress="${email}"`;
        return type === 'Group' ? `uri="${uri}"` : `id="${id}"`;
      });
  if (named('WRITE').length > 0) throw notImplemented('TargetGrants: WRITE');
  const read = named('READ').join(',');
  return {
    GrantFullControl: [`id="${ownerId}"`, ...named('FULL_CONTROL')].join(','),
    ...(read !== '' && { GrantRead: read }),
  };
}

/** By what the keys of logs are divided into days; `undefined` where they are not. */
export function partitionOf({ format }: LoggingSettings): PartitionDateSource | undefined {
  return format?.PartitionedPrefix?.PartitionDateSource;
}

/**
 * The key of an object with log lines (S3 user guide, "Log object key format").
 *
 * @param day of the events, as in `2026-01-31`
 * @param unique 16 characters
 */
export function logKey(
  settings: LoggingSettings,
  source: { readonly account: string; readonly region: string; readonly name: string },
  day: string,
  now: number,
  unique: string,
): string {
  const [date = '', time = ''] = new Date(now).toISOString().slice(0, 19).split('T');
  const partition = partitionOf(settings);
  const name = (of: string, at: string) => `${of}-${at.replaceAll(':', '-')}-${unique}`;
  if (partition === undefined) return `${settings.prefix}${name(date, time)}`;
  const isOfEvents = partition === 'EventTime';
  const of = isOfEvents ? day : date;
  const folder = `${source.account}/${source.region}/${source.name}/${of.replaceAll('-', '/')}`;
  // Of a day's events it says nothing at which time of the day they were.
  return `${settings.prefix}${folder}/${name(of, isOfEvents ? '00:00:00' : time)}`;
}
