import type { RootKey } from '#crypto/root-key.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { PolicyPrincipals } from '#services/iam/api.ts';
import { KeyLocator } from './domain/key-locator.ts';
import { KeyMaterials } from './domain/key-materials.ts';
import type { KmsStore } from './store.ts';

/** What every operation of KMS works with. */
export interface KmsContext {
  readonly store: KmsStore;
  readonly keys: KeyLocator;
  readonly materials: KeyMaterials;
  readonly randomness: Randomness;
  readonly policyPrincipals: PolicyPrincipals;
}

export function createKmsContext(
  store: KmsStore,
  rootKey: RootKey,
  randomness: Randomness,
  policyPrincipals: PolicyPrincipals,
): KmsContext {
  const materials = new KeyMaterials(store, rootKey, randomness);
  return { store, materials, keys: new KeyLocator(store, materials, randomness), randomness, policyPrincipals };
}
