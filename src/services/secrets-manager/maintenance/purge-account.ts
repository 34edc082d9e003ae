import type { AccountId } from '#kernel/ids.ts';
import type { SecretsManagerContext } from '../context.ts';
import { removeSecret } from '../store.ts';

/** Removes every secret of an account. Begun again, it goes on where it ended. */
export async function purgeAccount({ store }: SecretsManagerContext, account: AccountId): Promise<void> {
  for (const id of await store.idsOf(account)) {
    await store.write((transaction) => removeSecret(transaction, id));
  }
}
