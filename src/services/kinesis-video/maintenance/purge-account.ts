import type { AccountId } from '#kernel/ids.ts';
import type { KinesisVideoContext } from '../context.ts';

/** Removes every stream of an account with all that is in it. Begun again, it goes on where it ended. */
export async function purgeAccount({ store }: KinesisVideoContext, account: AccountId): Promise<void> {
  await store.write((transaction) =>
    transaction.deleteFrom('kinesis_video_stream').where('account', '=', account).execute(),
  );
}
