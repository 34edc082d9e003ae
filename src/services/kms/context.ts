import type { RootKey } from '#crypto/root-key.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { ServiceEventSink } from '#kernel/service-event.ts';
import type { IamApi, PolicyPrincipals } from '#services/iam/api.ts';
import { ImportKeys } from './domain/import-keys.ts';
import { KeyLocator } from './domain/key-locator.ts';
import { KeyMaterials } from './domain/key-materials.ts';
import { KeyEvents } from './maintenance/key-events.ts';
import type { KmsStore } from './store.ts';
import type { KeyUsageLog } from './usage/key-usage-log.ts';
import { KeyStoreProxies } from './xks/key-store-proxy.ts';
import type { XksConnections } from './xks/proxy-connections.ts';

/** What every operation of KMS works with. */
export interface KmsContext {
  readonly store: KmsStore;
  readonly keys: KeyLocator;
  readonly materials: KeyMaterials;
  readonly importKeys: ImportKeys;
  readonly proxies: KeyStoreProxies;
  readonly randomness: Randomness;
  readonly policyPrincipals: PolicyPrincipals;
  /** Says whom the ARNs in grants name. */
  readonly principals: Pick<IamApi, 'findPrincipal'>;
  /** When keys were last used. */
  readonly usage: Pick<KeyUsageLog, 'lastUseOf'>;
  /** What happens to keys by itself. */
  readonly events: KeyEvents;
}

export function createKmsContext(
  store: KmsStore,
  rootKey: RootKey,
  randomness: Randomness,
  iam: Pick<IamApi, 'findPrincipal' | 'policyPrincipals'>,
  usage: KmsContext['usage'],
  connections: XksConnections,
  sink: ServiceEventSink,
): KmsContext {
  const events = new KeyEvents(sink);
  const materials = new KeyMaterials(store, rootKey, randomness);
  return {
    store,
    materials,
    keys: new KeyLocator({ store, materials, randomness, events }),
    importKeys: new ImportKeys(store, rootKey, randomness),
    proxies: new KeyStoreProxies(connections, rootKey),
    randomness,
    policyPrincipals: iam.policyPrincipals,
    principals: iam,
    usage,
    events,
  };
}
