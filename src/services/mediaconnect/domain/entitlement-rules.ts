import { isAccountId } from '#kernel/ids.ts';
import type { GivenEncryption } from '../api-types.ts';
import { badRequest } from '../errors.ts';
import { checkEncryption, type KeyScope } from './encryption-rules.ts';
import type { EntitlementDocument } from './flow-document.ts';
import { withoutAbsent } from './source-rules.ts';
import { checkRange, checkText } from './value-rules.ts';

const MAX_DESCRIPTION = 1024;
const MAX_SUBSCRIBERS = 50;

/** What requests say of an entitlement. */
export interface EntitlementSettings {
  readonly description: string | undefined;
  readonly subscribers: readonly string[];
  readonly encryption: GivenEncryption | undefined;
  readonly status: EntitlementDocument['status'];
  readonly feePercent: number | undefined;
}

/**
 * @param what such as `Entitlement sports`
 * @throws ServiceError BadRequestException
 */
export function checkEntitlement(
  given: EntitlementSettings,
  scope: KeyScope,
  what: string,
): Pick<EntitlementDocument, keyof EntitlementSettings> {
  checkText(given.description, MAX_DESCRIPTION, `${what}: Description`);
  checkRange(given.feePercent, 0, 100, `${what}: DataTransferSubscriberFeePercent`);
  const subscribers = [...new Set(given.subscribers)];
  if (subscribers.length === 0 || subscribers.length > MAX_SUBSCRIBERS) {
    throw badRequest(`${what}: Subscribers must be 1 to ${MAX_SUBSCRIBERS} account ids.`);
  }
  for (const subscriber of subscribers) {
    if (!isAccountId(subscriber)) throw badRequest(`${what}: Subscribers: ${subscriber} is not an account id.`);
    if (subscriber === scope.account) {
      throw badRequest(`${what}: Subscribers: ${subscriber} is the flow's own account, which needs no entitlement.`);
    }
  }
  const encryption = given.encryption && checkEncryption(given.encryption, 'static-key', scope, `${what}: Encryption`);
  return { ...given, subscribers, encryption };
}

/** Puts an update of the encryption over what is there. */
export function mergedEncryption(
  before: GivenEncryption | undefined,
  update: GivenEncryption | undefined,
): GivenEncryption | undefined {
  return update === undefined ? before : { ...before, ...withoutAbsent(update) };
}
