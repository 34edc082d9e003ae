import { setTimeout as delay } from 'node:timers/promises';
import type { AccountId } from '#kernel/ids.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import type { KinesisVideoContext } from '../context.ts';

/** How long a connection that was told to end may take. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 50;

/** Removes every stream of an account with all that is in it. Begun again, it goes on where it ended. */
export async function purgeAccount(
  { store, streams, janitor, clock }: KinesisVideoContext,
  account: AccountId,
): Promise<void> {
  const live = await store.ids('live', account);
  for (const id of live) {
    try {
      await store.markDeleted(id, clock.now());
    } catch (error) {
      // Nobody can use a stream whose record was changed; it goes all the same.
      if (!(error instanceof RowDamageError)) throw error;
    }
    streams.announceDeletion({ id });
  }
  for (const id of new Set([...live, ...(await store.ids('deleted', account))])) {
    const deadline = clock.now() + PATIENCE_MS;
    while (!(await janitor.removeStream(id))) {
      if (clock.now() > deadline) throw new Error(`A connection to the stream ${id} does not end.`);
      await delay(AGAIN_MS);
    }
  }
}
