import type { AccountId } from '#kernel/ids.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { RemoteEntitlement } from './domain/remote-entitlements.ts';
import type { FlowStore } from './store.ts';

/** An entitlement as its subscriber sees it. */
export interface GrantedEntitlement {
  readonly arn: string;
  readonly name: string;
  readonly feePercent: number | undefined;
  readonly isEncrypted: boolean;
  readonly isEnabled: boolean;
  /** Whether the flow that granted it is running; of other installations that is not known. */
  readonly isFlowing: boolean | undefined;
  /** Where the stream is handed out. */
  readonly host: string;
  readonly port: number;
}

/** Where the flows of an installation are: the address on which they listen, and the one by which they reach themselves. */
export interface FlowAddresses {
  /** As COFFER_MEDIACONNECT_ADDRESS has it. */
  readonly address: string;
  /** Of this machine, reachable from nowhere else. */
  readonly loopback: string;
}

export function flowAddresses(address: string): FlowAddresses {
  return { address, loopback: address.startsWith('127.') || address === '::1' ? address : '127.0.0.1' };
}

/** The entitlements that were granted to accounts, by flows of this installation and of others. */
export class EntitlementDirectory {
  readonly #store: FlowStore;
  readonly #addresses: FlowAddresses;
  readonly #remote: readonly RemoteEntitlement[];
  readonly #randomness: Randomness;
  /** Of entitlements without encryption: what their hop inside this machine is encrypted with. Never written down. */
  readonly #passphrases = new Map<string, string>();

  constructor(parts: {
    readonly store: FlowStore;
    readonly addresses: FlowAddresses;
    readonly remote: readonly RemoteEntitlement[];
    readonly randomness: Randomness;
  }) {
    this.#store = parts.store;
    this.#addresses = parts.addresses;
    this.#remote = parts.remote;
    this.#randomness = parts.randomness;
  }

  /** @returns `undefined` when there is no such entitlement, or it is not granted to that account */
  async find(arn: string, subscriber: AccountId): Promise<GrantedEntitlement | undefined> {
    const key = await this.#store.grantor(arn, subscriber);
    if (key !== undefined) return this.#local(key, arn);
    const remote = this.#remote.find((one) => one.entitlementArn === arn && one.subscribers.includes(subscriber));
    return remote && remoteView(remote);
  }

  /** Those granted to an account, in the order of their ARNs, behind one. */
  async list(subscriber: AccountId, after: string, limit: number): Promise<GrantedEntitlement[]> {
    const grants = await this.#store.grantsTo(subscriber, after, limit);
    const local = await Promise.all(grants.map(({ arn, flow_key }) => this.#local(flow_key, arn)));
    const remote = this.#remote
      .filter(({ entitlementArn, subscribers }) => subscribers.includes(subscriber) && entitlementArn > after)
      .map(remoteView);
    const found = local.filter((one) => one !== undefined);
    const arns = new Set(found.map(({ arn }) => arn));
    return [...found, ...remote.filter(({ arn }) => !arns.has(arn))]
      .sort((a, b) => (a.arn < b.arn ? -1 : 1))
      .slice(0, limit);
  }

  /** What the hop of an entitlement without encryption is encrypted with, while this process lives. */
  passphraseOf(arn: string): string {
    let passphrase = this.#passphrases.get(arn);
    if (passphrase === undefined) {
      passphrase = this.#randomness.bytes(32).toString('hex');
      this.#passphrases.set(arn, passphrase);
    }
    return passphrase;
  }

  /** Forgets what there was of an entitlement that is gone. */
  forget(arn: string): void {
    this.#passphrases.delete(arn);
  }

  async #local(key: string, arn: string): Promise<GrantedEntitlement | undefined> {
    const flow = await this.#store.find(key);
    const entitlement = flow?.document.entitlements.find((one) => one.arn === arn);
    if (flow === undefined || entitlement === undefined) return undefined;
    const isEncrypted = entitlement.encryption !== undefined;
    const { address, loopback } = this.#addresses;
    return {
      arn,
      name: entitlement.name,
      feePercent: entitlement.feePercent,
      isEncrypted,
      isEnabled: entitlement.status === 'ENABLED',
      isFlowing: flow.state === 'ACTIVE',
      host: isEncrypted ? address : loopback,
      port: entitlement.port,
    };
  }
}

function remoteView(remote: RemoteEntitlement): GrantedEntitlement {
  return {
    arn: remote.entitlementArn,
    name: remote.entitlementName,
    feePercent: undefined,
    isEncrypted: true,
    isEnabled: true,
    isFlowing: undefined,
    host: remote.address,
    port: remote.port,
  };
}
