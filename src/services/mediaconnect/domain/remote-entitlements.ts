import { isAccountId } from '#kernel/ids.ts';
import { parseResourceArn } from './resource-arn.ts';

/** An entitlement that another installation has granted; its operator told this one's. Always an encrypted one. */
export interface RemoteEntitlement {
  readonly entitlementArn: string;
  readonly entitlementName: string;
  /** Account ids of this installation. */
  readonly subscribers: readonly string[];
  /** Where the other installation hands the stream out. */
  readonly address: string;
  readonly port: number;
}

const MEMBERS = ['entitlementArn', 'entitlementName', 'subscribers', 'address', 'port'];

/**
 * Reads the list of entitlements of other installations.
 *
 * @param text JSON
 * @throws RangeError saying which entry is wrong, and how
 */
export function readRemoteEntitlements(text: string): readonly RemoteEntitlement[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw new RangeError('it is not JSON.');
  }
  if (!Array.isArray(list)) throw new RangeError('it must be a JSON list of entitlements.');
  const entries = list.map((entry: unknown, index) => readEntry(entry, `entry ${index + 1}`));
  const arns = new Set<string>();
  for (const { entitlementArn } of entries) {
    if (arns.has(entitlementArn)) throw new RangeError(`${entitlementArn} stands there twice.`);
    arns.add(entitlementArn);
  }
  return entries;
}

function readEntry(entry: unknown, where: string): RemoteEntitlement {
  if (typeof entry !== 'object' || entry === null) throw new RangeError(`${where} must be an object.`);
  for (const member of Object.keys(entry)) {
    if (!MEMBERS.includes(member)) throw new RangeError(`${where} has an unknown member ${member}.`);
  }
  const { entitlementArn, entitlementName, subscribers, address, port } = entry as Record<string, unknown>;
  const parts = typeof entitlementArn === 'string' ? parseResourceArn(entitlementArn) : undefined;
  if (parts?.kind !== 'entitlement')
    throw new RangeError(`${where}: entitlementArn must be the ARN of an entitlement.`);
  if (entitlementName !== parts.name)
    throw new RangeError(`${where}: entitlementName must be ${parts.name}, as in its ARN.`);
  if (!Array.isArray(subscribers) || subscribers.length === 0 || !subscribers.every(isAccount)) {
    throw new RangeError(`${where}: subscribers must be a list of account ids, as text.`);
  }
  if (typeof address !== 'string' || !/^[A-Za-z0-9.:-]{1,253}$/.test(address)) {
    throw new RangeError(`${where}: address must be an IP address or a host name.`);
  }
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`${where}: port must be a whole number from 1 to 65535.`);
  }
  return { entitlementArn: entitlementArn as string, entitlementName: parts.name, subscribers, address, port };
}

function isAccount(value: unknown): value is string {
  return typeof value === 'string' && isAccountId(value);
}
