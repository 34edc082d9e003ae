import { formatArn, parseArn } from '#kernel/arn.ts';
import { type AccountId, isAccountId, isRegion, type Region } from '#kernel/ids.ts';
import type { Randomness } from '#kernel/randomness.ts';

export type ResourceKind = 'flow' | 'source' | 'output' | 'entitlement';

/** The parts of an ARN such as `arn:aws:mediaconnect:eu-west-1:123456789012:output:1-KEY-PART:name`. */
export interface ResourceAddress {
  readonly kind: ResourceKind;
  readonly account: AccountId;
  readonly region: Region;
  /** Of the flow to which it belongs: what belongs to a flow has the flow's key in its id. */
  readonly flowKey: string;
  readonly id: string;
  readonly name: string;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RESOURCE = /^(flow|source|output|entitlement):(1-([A-Za-z0-9]{16})-[A-Za-z0-9]{12}):([A-Za-z0-9_-]{1,128})$/;

export function newFlowKey(randomness: Randomness): string {
  return randomness.text(16, ALPHABET);
}

export function newResourceArn(
  kind: ResourceKind,
  flow: Pick<ResourceAddress, 'account' | 'region' | 'flowKey'>,
  name: string,
  randomness: Randomness,
): string {
  return resourceArn(kind, flow, `1-${flow.flowKey}-${randomness.text(12, ALPHABET)}`, name);
}

/** @param id `*` where it is not known yet: what is asked of the policy engine before something is made */
export function resourceArn(
  kind: ResourceKind,
  { account, region }: Pick<ResourceAddress, 'account' | 'region'>,
  id: string,
  name: string,
): string {
  return formatArn({ service: 'mediaconnect', region, account, resource: `${kind}:${id}:${name}` });
}

/** Reads an ARN; `undefined` when the text is none that this installation could have given. */
export function parseResourceArn(text: string | undefined): ResourceAddress | undefined {
  const arn = parseArn(text ?? '');
  const match = RESOURCE.exec(arn?.resource ?? '');
  if (arn === undefined || match === null || arn.service !== 'mediaconnect' || arn.partition !== 'aws')
    return undefined;
  const { account, region } = arn;
  if (!isAccountId(account) || !isRegion(region)) return undefined;
  const [, kind, id = '', flowKey = '', name = ''] = match;
  return { kind: kind as ResourceKind, account, region, id, flowKey, name };
}

/** The account in any ARN of the service, also of one that names nothing. */
export function accountIn(text: string | undefined): AccountId | undefined {
  const account = parseArn(text ?? '')?.account ?? '';
  return isAccountId(account) ? account : undefined;
}
