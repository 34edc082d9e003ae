import type { Logger } from '#kernel/logger.ts';
import { entitlementOf, type FlowDocument, type FlowRecord } from './domain/flow-document.ts';
import { portUsesOf } from './domain/port-uses.ts';
import { badRequest } from './errors.ts';
import type { FlowDraft } from './flow-draft.ts';
import type { Flows } from './flows.ts';
import type { FlowEvents } from './runner/flow-events.ts';
import { FlowFailure, flowFailureOf } from './runner/flow-failure.ts';
import type { FlowRunner } from './runner/flow-runner.ts';
import { type FlowStore, replacePorts, updateFlow } from './store.ts';

export interface ChangeParts {
  readonly store: FlowStore;
  readonly flows: Flows;
  readonly runner: FlowRunner;
  readonly events: FlowEvents;
  readonly logger: Logger;
}

/** Changes of flows: in the engine first, where they run, then in the records. One at a time for each flow. */
export class FlowChanges {
  readonly #parts: ChangeParts;
  /** The keys of flows that the engine is changing now. */
  readonly #updating = new Set<string>();

  constructor(parts: ChangeParts) {
    this.#parts = parts;
  }

  isUpdating({ key }: Pick<FlowRecord, 'key'>): boolean {
    return this.#updating.has(key);
  }

  /**
   * @param touchesMedia whether what runs can be concerned
   * @throws ServiceError BadRequestException, and what `change` throws
   */
  async make(
    before: FlowRecord,
    change: (draft: FlowDraft) => FlowDocument,
    touchesMedia: boolean,
  ): Promise<FlowRecord> {
    const { flows, store, runner, events } = this.#parts;
    const had = portUsesOf(before.document);
    const { document, ports } = await flows.reserve(before, change, had);
    const isOther = entitlementOf(document) !== entitlementOf(before.document);
    const after: FlowRecord = {
      ...before,
      document,
      isSubscribed: isOther ? entitlementOf(document) !== undefined : before.isSubscribed,
    };
    const isRunning = before.state === 'ACTIVE' && touchesMedia;
    try {
      if (isRunning) await this.#updatingWhile(before, () => runner.applyOrHold(after));
      await store.write(async (transaction) => {
        await updateFlow(transaction, after);
        await replacePorts(transaction, after, ports);
      });
    } catch (error) {
      await this.#undo(before, isRunning && flowFailureOf(error) === undefined);
      if (error instanceof FlowFailure) throw badRequest(error.message);
      throw error;
    }
    for (const { arn, settings } of after.document.outputs) {
      const old = before.document.outputs.find((output) => output.arn === arn)?.settings.OutputStatus;
      const status = settings.OutputStatus ?? 'ENABLED';
      if (old !== undefined && old !== status) events.outputStatusChanged(after.arn, arn, old, status);
    }
    return after;
  }

  async #undo(before: FlowRecord, wasApplied: boolean): Promise<void> {
    const { store, runner, logger } = this.#parts;
    try {
      await store.write((transaction) => replacePorts(transaction, before, portUsesOf(before.document)));
      if (wasApplied) await runner.applyOrHold(before);
    } catch (error) {
      logger.error({ err: error, flow: before.arn }, 'a change of a flow failed, and could not be undone');
    }
  }

  async #updatingWhile(flow: FlowRecord, work: () => Promise<void>): Promise<void> {
    const { events } = this.#parts;
    this.#updating.add(flow.key);
    events.stateChanged(flow.arn, 'ACTIVE', 'UPDATING');
    try {
      await work();
    } finally {
      this.#updating.delete(flow.key);
      events.stateChanged(flow.arn, 'UPDATING', 'ACTIVE');
    }
  }
}
