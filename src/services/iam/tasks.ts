import type { AccountId } from '#kernel/ids.ts';
import type { IamQueries } from './store.ts';

/** How long a result can be asked for: a week, as of AWS's reports of what was accessed. */
const KEPT_MS = 7 * 86_400_000;

/** Removes what an account asked for long ago; done whenever it asks for more, so that nothing grows for ever. */
export async function forgetOldTasks(transaction: IamQueries, account: AccountId, now: number): Promise<void> {
  await transaction
    .deleteFrom('iam_task')
    .where('account', '=', account)
    .where('created_at', '<', now - KEPT_MS)
    .execute();
}
