import { formatArn, parseArn } from '#kernel/arn.ts';
import { invalidArgument, notImplemented } from '../errors.ts';
import type { BucketRow } from '../store.ts';

/** Where a record of S3's own format goes: the installation's event log, or a webhook of the operator's. */
export type Destination = { readonly kind: 'log' } | { readonly kind: 'webhook'; readonly name: string };

const SERVICE = 'coffer';
const LOG = 'event-log';
const WEBHOOK = 'webhook/';
const AWS_TARGETS: Readonly<Record<string, string>> = {
  sns: 'SNS',
  sqs: 'SQS',
  lambda: 'Lambda',
  events: 'EventBridge',
};

/**
 * The destination that an ARN of a bucket's configuration names; `undefined` for anything else:
 * `arn:aws:coffer:REGION:ACCOUNT:event-log`, `arn:aws:coffer:REGION:ACCOUNT:webhook/NAME`.
 */
export function destinationOf(arn: string): Destination | undefined {
  const parts = parseArn(arn);
  if (parts?.service !== SERVICE) return undefined;
  if (parts.resource === LOG) return { kind: 'log' };
  const name = parts.resource.slice(WEBHOOK.length);
  return parts.resource.startsWith(WEBHOOK) && name !== '' ? { kind: 'webhook', name } : undefined;
}

/**
 * @param webhooks the names that the operator has given
 * @throws ServiceError NotImplemented for AWS's own services, InvalidArgument
 */
export function checkDestination(arn: string, bucket: BucketRow, webhooks: ReadonlySet<string>): void {
  const service = parseArn(arn)?.service ?? '';
  const awsTarget = AWS_TARGETS[service];
  if (awsTarget !== undefined) throw notImplemented(`TopicArn: ${arn} (there is no ${awsTarget})`);
  const destination = destinationOf(arn);
  if (destination === undefined) throw invalidArgument('The ARN could not be parsed', 'TopicArn', arn);
  const { region, account } = bucket;
  const resource = destination.kind === 'log' ? LOG : `${WEBHOOK}${destination.name}`;
  const isOwn = arn === formatArn({ service: SERVICE, region, account, resource });
  if (isOwn && (destination.kind === 'log' || webhooks.has(destination.name))) return;
  throw invalidArgument('Unable to validate the following destination configurations', 'TopicArn', arn);
}
