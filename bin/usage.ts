import { isAccountId } from '#kernel/ids.ts';
import type { KmsUsage, ServiceUsage, UsageColumn, UsageRange } from '#services/cloudtrail/domain/usage.ts';
import { TooManyKindsError } from '#services/cloudtrail/request-usage.ts';
import { AdministrationError } from './administration-error.ts';
import type { ControlReply } from './control-protocol.ts';
import type { Platform } from './platform.ts';

/** One line of the answer to `coffer usage`. */
export type UsageItem =
  | { readonly kind: 'kms'; readonly usage: KmsUsage }
  | { readonly kind: 'service'; readonly usage: ServiceUsage }
  /** The last one: how many events do not bear their seal, and are in no count. */
  | { readonly kind: 'end'; readonly damaged: number };

/** @throws AdministrationError */
export async function* countRequests(
  platform: Platform,
  request: UsageRange & { readonly by: readonly UsageColumn[] },
): AsyncGenerator<ControlReply> {
  const { by, ...range } = request;
  if (range.from > range.to) throw new AdministrationError('--since is later than --until.');
  if (range.account !== undefined && !isAccountId(range.account)) {
    throw new AdministrationError(`An account ID is twelve digits, not '${range.account}'.`);
  }
  try {
    for await (const step of platform.countRequests(range, by)) {
      if (step.kind === 'progress') {
        yield { type: 'progress', done: step.events, what: 'events counted' };
        continue;
      }
      for (const usage of step.kms) yield item({ kind: 'kms', usage });
      for (const usage of step.services) yield item({ kind: 'service', usage });
      yield item({ kind: 'end', damaged: step.damaged });
    }
  } catch (error) {
    throw error instanceof TooManyKindsError ? new AdministrationError(error.message) : error;
  }
}

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

/** @throws AdministrationError */
export async function* reportKeyUsage(
  platform: Platform,
  { month, account }: { readonly month: string; readonly account?: string },
): AsyncGenerator<ControlReply> {
  if (!MONTH.test(month)) throw new AdministrationError(`--month is a month such as 2026-11, not '${month}'.`);
  if (account === undefined) {
    yield { type: 'item', value: await platform.keyUsage({ month }) };
    return;
  }
  if (!isAccountId(account)) throw new AdministrationError(`An account ID is twelve digits, not '${account}'.`);
  yield { type: 'item', value: await platform.keyUsage({ month, account }) };
}

function item(value: UsageItem): ControlReply {
  return { type: 'item', value };
}
