import type { Clock } from '#kernel/clock.ts';
import type { EventSink } from '#kernel/event-sink.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { FlowEngine } from '#media/live/flow-engine.ts';
import type { SecretsManagerApi } from '#services/secrets-manager/api.ts';
import type { StsApi } from '#services/sts/api.ts';
import type { Records } from '#storage/records.ts';
import type { ViewParts } from './domain/flow-view.ts';
import type { FlowRecord } from './domain/flow-document.ts';
import type { RemoteEntitlement } from './domain/remote-entitlements.ts';
import { EntitlementDirectory, flowAddresses } from './entitlement-directory.ts';
import { Flows } from './flows.ts';
import { FlowLifecycle } from './lifecycle.ts';
import { FlowEvents } from './runner/flow-events.ts';
import { FlowHealth } from './runner/flow-health.ts';
import { FlowRunner } from './runner/flow-runner.ts';
import { KeyReader } from './runner/key-reader.ts';
import { FlowStore, type FlowTables } from './store.ts';

/** What MediaConnect needs of the rest of the platform. */
export interface MediaConnectDependencies {
  readonly records: Records<FlowTables>;
  readonly sts: StsApi;
  readonly secrets: SecretsManagerApi;
  readonly engine: FlowEngine;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  /** An IP address of this machine, on which flows listen and from which they send. */
  readonly address: string;
  readonly events: EventSink;
  /** Entitlements that other installations have granted to accounts of this one. */
  readonly remoteEntitlements: readonly RemoteEntitlement[];
}

/** What every operation works with. */
export interface MediaConnectContext {
  readonly store: FlowStore;
  readonly flows: Flows;
  /** The composition root resumes and closes it. */
  readonly lifecycle: FlowLifecycle;
  readonly runner: FlowRunner;
  readonly directory: EntitlementDirectory;
  readonly health: FlowHealth;
  readonly clock: Clock;
  /** What the answers say of a flow beside its record. */
  readonly viewOf: (flow: FlowRecord) => ViewParts;
}

export function createMediaConnectContext(dependencies: MediaConnectDependencies): MediaConnectContext {
  const { records, sts, secrets, engine, clock, randomness, logger, address } = dependencies;
  const store = new FlowStore(records);
  const addresses = flowAddresses(address);
  const directory = new EntitlementDirectory({ store, addresses, remote: dependencies.remoteEntitlements, randomness });
  const flows = new Flows(store, clock, randomness);
  const keyReader = new KeyReader(sts, secrets);
  const runner = new FlowRunner({ engine, keyReader, directory, addresses });
  const events = new FlowEvents(dependencies.events, logger);
  const lifecycle = new FlowLifecycle({ store, flows, runner, directory, events, logger });
  const health = new FlowHealth({ engine, runner, directory, events });
  return {
    store,
    flows,
    lifecycle,
    runner,
    directory,
    health,
    clock,
    viewOf: (flow) => ({
      status: lifecycle.statusOf(flow),
      address,
      live: flow.state === 'ACTIVE' ? runner.status(flow) : undefined,
      now: clock.now(),
    }),
  };
}
