import { isDeepStrictEqual } from 'node:util';
import type { AccountId } from '#kernel/ids.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import { entitlementOf, type FlowDocument, type FlowRecord, type FlowState } from './domain/flow-document.ts';
import { portUsesOf } from './domain/port-uses.ts';
import { badRequest } from './errors.ts';
import { type ChangeParts, FlowChanges } from './flow-changes.ts';
import type { EntitlementDirectory } from './entitlement-directory.ts';
import type { FlowDraft } from './flow-draft.ts';
import type { FlowScope } from './flows.ts';
import { flowFailureOf, type Problem } from './runner/flow-failure.ts';
import { SerialQueues } from '#kernel/serial-queues.ts';
import { isTaken, portsOfFlow, removeFlow, replacePorts, updateState } from './store.ts';

export interface LifecycleParts extends ChangeParts {
  readonly directory: EntitlementDirectory;
}

/** What flows go through: what is done to one of them is done one after the other. */
export class FlowLifecycle {
  readonly #parts: LifecycleParts;
  readonly #queues = new SerialQueues();
  readonly #changes: FlowChanges;
  #isClosing = false;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
    this.#changes = new FlowChanges(parts);
  }

  /** The state as it is told: UPDATING is never written down. */
  statusOf(flow: FlowRecord): FlowState | 'UPDATING' {
    return flow.state === 'ACTIVE' && this.#changes.isUpdating(flow) ? 'UPDATING' : flow.state;
  }

  /**
   * Changes a flow. One that runs is changed in the engine first: what that refuses is not kept.
   *
   * @param change works out the new document; it may be called for a flow that is then not changed
   * @param touchesMedia whether what runs can be concerned
   * @throws ServiceError NotFoundException, BadRequestException, and what `change` throws
   */
  async change(
    arn: string | undefined,
    scope: FlowScope,
    change: (document: FlowDocument, draft: FlowDraft) => FlowDocument,
    touchesMedia = true,
  ): Promise<FlowRecord> {
    const { flows } = this.#parts;
    const { key } = await flows.find(arn, scope);
    const [before, after] = await this.#queues.run(key, async () => {
      const found = await flows.find(arn, scope);
      return [found, await this.#changes.make(found, (draft) => change(found.document, draft), touchesMedia)] as const;
    });
    await this.#reviewSubscribers(before, after);
    return after;
  }

  /** Says that a flow is to run; the work goes on behind. @throws ServiceError NotFoundException, BadRequestException */
  async start(arn: string | undefined, scope: FlowScope): Promise<FlowRecord> {
    const { key } = await this.#parts.flows.find(arn, scope);
    const flow = await this.#queues.run(key, async () => {
      const found = await this.#parts.flows.find(arn, scope);
      if (found.state !== 'STANDBY' && found.state !== 'ERROR') {
        throw badRequest(`The flow is ${found.state}: only one in STANDBY or ERROR can be started.`);
      }
      const starting = await this.#setState(found, 'STARTING');
      // Behind everything that was asked for before, and before everything that will be.
      this.#later(key, () => this.#run(key));
      return starting;
    });
    return flow;
  }

  /** Says that a flow is to end; the work goes on behind. @throws ServiceError NotFoundException, BadRequestException */
  async stop(arn: string | undefined, scope: FlowScope): Promise<FlowRecord> {
    const flow = await this.#parts.flows.find(arn, scope);
    const { key } = flow;
    // A start or change that takes long is not waited for.
    if (flow.state === 'STARTING' || this.#changes.isUpdating(flow))
      this.#aside(() => this.#parts.runner.interrupt(flow));
    return this.#queues.run(key, async () => {
      const found = await this.#parts.flows.find(arn, scope);
      if (found.state === 'STANDBY' || found.state === 'STOPPING') {
        throw badRequest(`The flow is ${found.state}: it does not run.`);
      }
      const stopping = await this.#setState(found, 'STOPPING');
      this.#later(key, () => this.#end(key));
      return stopping;
    });
  }

  /** @throws ServiceError NotFoundException, BadRequestException */
  async remove(arn: string | undefined, scope: FlowScope): Promise<void> {
    const { flows } = this.#parts;
    const { key } = await flows.find(arn, scope);
    const flow = await this.#queues.run(key, async () => {
      const found = await flows.find(arn, scope);
      if (found.state !== 'STANDBY' && found.state !== 'ERROR') {
        throw badRequest(`The flow is ${found.state}: only one in STANDBY or ERROR can be deleted. Stop it first.`);
      }
      await this.#remove(found);
      return found;
    });
    this.#parts.events.stateChanged(flow.arn, flow.state, 'DELETING');
    await this.#reviewSubscribers(flow, undefined);
  }

  /** Removes all flows of an account, whatever they do. Begun again, it goes on where it ended. */
  async removeAccount(account: AccountId): Promise<void> {
    const { store, runner, logger } = this.#parts;
    for (const { key, arn } of await store.keysUnchecked(account)) {
      const flow = await this.#queues.run(key, async () => {
        const found = await store.find(key).catch((error: unknown) => {
          // Nobody can use a flow whose record was changed; it goes all the same.
          if (!(error instanceof RowDamageError)) throw error;
          logger.warn({ err: error }, 'a flow whose record was changed is removed');
        });
        await runner.stop({ arn });
        await store.write((transaction) => removeFlow(transaction, key));
        return found;
      });
      if (flow !== undefined) await this.#reviewSubscribers(flow, undefined);
    }
  }

  /** Brings back what ran when the server ended. Does not wait for it. */
  async resume(): Promise<void> {
    const { store } = this.#parts;
    for (const { key } of await store.keysUnchecked()) this.#later(key, () => this.#resume(key));
  }

  /** Ends all that runs; the next start brings it back. */
  async close(): Promise<void> {
    this.#isClosing = true;
    // What waits for the engine is told that it ends.
    await this.#parts.runner.close();
    await this.#queues.idle();
  }

  /** What StartFlow began. */
  async #run(key: string): Promise<void> {
    const { store, runner, logger } = this.#parts;
    const found = await store.find(key);
    if (found?.state !== 'STARTING' || this.#isClosing) return;
    const flow = await this.#subscribed(found);
    try {
      await runner.apply(flow);
      await this.#setState(flow, 'ACTIVE');
    } catch (error) {
      // Ended while the server ends: the next start tries again.
      if (this.#isClosing) return;
      const failure = flowFailureOf(error);
      if (failure === undefined) logger.error({ err: error, flow: flow.arn }, 'a flow could not be started');
      await this.#quietly(() => runner.stop(flow));
      const unforeseen = {
        code: 'InternalServerErrorException',
        message: 'The flow could not be started: internal error.',
      };
      await this.#setState(flow, 'ERROR', failure?.problems ?? [unforeseen]);
    }
  }

  /** What StopFlow began. */
  async #end(key: string): Promise<void> {
    const { store, runner, logger } = this.#parts;
    const flow = await store.find(key);
    if (flow?.state !== 'STOPPING') return;
    try {
      await runner.stop(flow);
    } catch (error) {
      logger.error({ err: error, flow: flow.arn }, 'a flow could not be stopped');
      const problem = {
        code: 'InternalServerErrorException',
        message: 'The flow could not be stopped: internal error.',
      };
      await this.#setState(flow, 'ERROR', [problem]);
      return;
    }
    await this.#setState(flow, 'STANDBY');
  }

  async #resume(key: string): Promise<void> {
    const { store } = this.#parts;
    const flow = await store.find(key);
    if (flow === undefined || this.#isClosing) return;
    // A change that was under way when the server was killed may have left ports.
    const ports = portUsesOf(flow.document).toSorted((a, b) => a.port - b.port);
    await store.write(async (transaction) => {
      if (isDeepStrictEqual(await portsOfFlow(transaction, key), ports)) return;
      await replacePorts(transaction, flow, ports);
    });
    if (flow.state === 'STOPPING') await this.#setState(flow, 'STANDBY');
    if (flow.state === 'ACTIVE') await this.#setState(flow, 'STARTING');
    if (flow.state === 'ACTIVE' || flow.state === 'STARTING') await this.#run(key);
  }

  async #setState(flow: FlowRecord, state: FlowState, problems: readonly Problem[] = []): Promise<FlowRecord> {
    const { store, events } = this.#parts;
    const errors = problems.map(({ message }) => message);
    const after: FlowRecord = { ...flow, state, document: { ...flow.document, errors } };
    await store.write((transaction) => updateState(transaction, after));
    events.stateChanged(flow.arn, flow.state, state);
    for (const { code, message } of problems) events.alert(flow.arn, code, message);
    return after;
  }

  async #remove(flow: FlowRecord): Promise<void> {
    const { store, runner } = this.#parts;
    await runner.stop(flow);
    await store.write((transaction) => removeFlow(transaction, flow.key));
  }

  /** The flow with the subscription of its entitlement, if it may have that. */
  async #subscribed(flow: FlowRecord): Promise<FlowRecord> {
    const { store, directory } = this.#parts;
    const entitlement = entitlementOf(flow.document);
    if (entitlement === undefined) return flow;
    const isGranted = (await directory.find(entitlement, flow.account)) !== undefined;
    return store.write(async (transaction) => {
      const isSubscribed = isGranted && (flow.isSubscribed || !(await isTaken(transaction, entitlement, flow.key)));
      if (isSubscribed === flow.isSubscribed) return flow;
      const after = { ...flow, isSubscribed };
      await updateState(transaction, after);
      return after;
    });
  }

  /** After a change of entitlements: what is taken away is gone at once, what is given can be taken. */
  async #reviewSubscribers(before: FlowRecord, after: FlowRecord | undefined): Promise<void> {
    const { store, directory } = this.#parts;
    for (const entitlement of before.document.entitlements) {
      const now = after?.document.entitlements.find(({ arn }) => arn === entitlement.arn);
      if (isDeepStrictEqual(now, entitlement)) continue;
      if (now === undefined) directory.forget(entitlement.arn);
      for (const { key } of await store.withEntitlement(entitlement.arn)) {
        await this.#queues.run(key, () => this.#review(key));
      }
    }
  }

  async #review(key: string): Promise<void> {
    const { store, runner, events } = this.#parts;
    const found = await store.find(key);
    if (found === undefined) return;
    const flow = await this.#subscribed(found);
    if (flow.state !== 'ACTIVE') return;
    try {
      await runner.applyOrHold(flow);
    } catch (error) {
      const failure = flowFailureOf(error);
      if (failure === undefined) throw error;
      await runner.hold(flow, failure.message);
    }
    const reason = runner.heldBecause(flow);
    if (reason !== undefined) events.alert(flow.arn, 'EntitlementNotDelivering', reason);
  }

  /** Work that nobody waits for. */
  #later(key: string, work: () => Promise<void>): void {
    void this.#queues.run(key, () => this.#quietly(work));
  }

  #aside(work: () => Promise<void>): void {
    void this.#quietly(work);
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'work on a flow failed');
    }
  }
}
