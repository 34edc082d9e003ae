import type { RootKey } from '#crypto/root-key.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { LastUses } from './last-uses.ts';
import type { ServiceAccessReports } from './service-access.ts';
import type { IamStore } from './store.ts';

/** What every operation of IAM works with. */
export interface IamContext {
  readonly store: IamStore;
  readonly rootKey: RootKey;
  readonly randomness: Randomness;
  /** Origins of identity providers that may be asked by http or at private addresses: the operator allows them. */
  readonly trustedIssuers: readonly string[];
  readonly lastUses: LastUses;
  readonly serviceAccess: ServiceAccessReports;
}
