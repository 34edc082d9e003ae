import type { RootKey } from '#crypto/root-key.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { LastUses } from './last-uses.ts';
import type { IamStore } from './store.ts';

/** What every operation of IAM works with. */
export interface IamContext {
  readonly store: IamStore;
  readonly rootKey: RootKey;
  readonly randomness: Randomness;
  readonly lastUses: LastUses;
}
