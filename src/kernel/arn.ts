/** The parts of an Amazon Resource Name: `arn:partition:service:region:account:resource`. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  /** Empty for resources without a region. */
  readonly region: string;
  /** Empty for resources without an account, such as S3 buckets. */
  readonly account: string;
  /** All after the fifth colon, such as `key/1234…` or `role/path/name`. */
  readonly resource: string;
}

/** The one partition that this installation has. */
const PARTITION = 'aws';

/** Splits an ARN; `undefined` when the text is not shaped like one. */
export function parseArn(text: string): Arn | undefined {
  const parts = text.split(':');
  if (parts.length < 6 || parts[0] !== 'arn') return undefined;
  const [, partition = '', service = '', region = '', account = ''] = parts;
  const resource = parts.slice(5).join(':');
  if (partition === '' || service === '' || resource === '') return undefined;
  return { partition, service, region, account, resource };
}

export function formatArn(parts: {
  readonly service: string;
  readonly region?: string;
  readonly account?: string;
  readonly resource: string;
}): string {
  return `arn:${PARTITION}:${parts.service}:${parts.region ?? ''}:${parts.account ?? ''}:${parts.resource}`;
}
