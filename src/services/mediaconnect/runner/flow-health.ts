import type { FlowEngine, FlowEvent, FlowStatus, SourceReport } from '#media/live/flow-engine.ts';
import { entitlementOf, type FlowRecord } from '../domain/flow-document.ts';
import type { EntitlementDirectory } from '../entitlement-directory.ts';
import type { FlowEvents } from './flow-events.ts';
import type { FlowRunner } from './flow-runner.ts';

/** What is remembered of legs and flows is bounded, since they come and go. */
const MAX_REMEMBERED = 10_000;

/** What is wrong with flows that run, in words, and as events. */
export class FlowHealth {
  readonly #runner: FlowRunner;
  readonly #directory: EntitlementDirectory;
  readonly #events: FlowEvents;
  /** By the leg's id: the last peer that was turned away. */
  readonly #refusals = new Map<string, string>();
  /** By the flow's ARN: the source that is taken. */
  readonly #selected = new Map<string, string>();

  constructor(parts: {
    readonly engine: FlowEngine;
    readonly runner: FlowRunner;
    readonly directory: EntitlementDirectory;
    readonly events: FlowEvents;
  }) {
    this.#runner = parts.runner;
    this.#directory = parts.directory;
    this.#events = parts.events;
    parts.engine.onEvent((event) => this.#take(event));
  }

  /** For DescribeFlow's `messages.errors`. */
  async errorsOf(flow: FlowRecord): Promise<readonly string[]> {
    if (flow.state === 'ERROR') return flow.document.errors;
    if (flow.state !== 'ACTIVE') return [];
    const held = this.#runner.heldBecause(flow);
    if (held !== undefined) return [held];
    const status = this.#runner.status(flow);
    if (status === undefined) return [];
    return [...(await this.#sourceErrors(flow, status)), ...this.#outputErrors(flow, status)];
  }

  async #sourceErrors(flow: FlowRecord, { sources }: FlowStatus): Promise<string[]> {
    const errors: string[] = [];
    for (const { id, name, statistics, health } of sources) {
      if (!statistics.isConnected) {
        errors.push((await this.#entitlementError(flow)) ?? `Source ${name} is not connected.${this.#refusalOf(id)}`);
      } else if (health.packets === 0) {
        errors.push(`No transport stream was found in what source ${name} sends.`);
      }
    }
    return errors;
  }

  async #entitlementError({ account, document }: FlowRecord): Promise<string | undefined> {
    const arn = entitlementOf(document);
    if (arn === undefined) return undefined;
    const granted = await this.#directory.find(arn, account);
    const reason =
      granted === undefined
        ? 'it is not granted to this account any more.'
        : !granted.isEnabled
          ? 'its originator has disabled it.'
          : granted.isFlowing === false
            ? "its originator's flow does not run."
            : 'there is no connection. If the stream is encrypted, both sides need the same key.';
    return `The entitlement ${arn} is not delivering: ${reason}`;
  }

  #outputErrors({ document }: FlowRecord, { outputs }: FlowStatus): string[] {
    const errors: string[] = [];
    for (const { id, name, failure, statistics } of outputs) {
      const dialled = document.outputs.find(({ arn }) => arn === id)?.settings.Destination;
      if (failure !== undefined) errors.push(`Output ${name} cannot be opened: ${failure}`);
      else if (dialled !== undefined && !statistics.isConnected) {
        errors.push(`Output ${name} is not connected to ${dialled}.${this.#refusalOf(id)}`);
      }
    }
    return errors;
  }

  #refusalOf(leg: string): string {
    const refusal = this.#refusals.get(leg);
    return refusal === undefined ? '' : ` ${refusal}`;
  }

  #take(event: FlowEvent): void {
    switch (event.kind) {
      case 'source':
      case 'output':
        return this.#takeLeg(event);
      case 'selected':
        return this.#takeSelection(event.flowId, event.sourceId);
      case 'restarted':
        return this.#events.alert(
          event.flowId,
          'InternalServerErrorException',
          'The process that moved the flow ended, and the flow was started in another.',
        );
    }
  }

  #takeSelection(flow: string, source: string | undefined): void {
    const before = this.#selected.get(flow);
    if (source === undefined) this.#selected.delete(flow);
    else remember(this.#selected, flow, source);
    const state = (one: string | undefined) => (one === undefined ? 'DISCONNECTED' : 'CONNECTED');
    const isSwitched = before !== undefined && source !== undefined && before !== source;
    this.#events.flowHealth(flow, {
      unhealthy: source === undefined,
      current: { failover_switch: isSwitched, source_state: state(source) },
      previous: { failover_switch: false, source_state: state(before) },
    });
  }

  #takeLeg({ flowId, legId, kind, event }: Extract<FlowEvent, { kind: 'source' | 'output' }>): void {
    const name = legId.slice(legId.lastIndexOf(':') + 1);
    if (event.kind === 'refused') {
      remember(this.#refusals, legId, `The last peer, ${event.peer}, was refused: ${event.reason}`);
      return;
    }
    const isConnected = event.kind === 'connected';
    if (isConnected) this.#refusals.delete(legId);
    if (kind === 'output') return this.#events.outputHealth(flowId, legId, isConnected);
    const report = this.#runner.status({ arn: flowId })?.sources.find(({ id }) => id === legId);
    this.#events.sourceHealth(flowId, legId, sourceDetail(isConnected, report));
    if (isConnected) this.#events.cleared(flowId, 'SourceDisconnected', `Source ${name} is connected.`);
    else this.#events.alert(flowId, 'SourceDisconnected', `Source ${name} is not connected.`);
  }
}

function remember(memory: Map<string, string>, key: string, value: string): void {
  memory.delete(key);
  memory.set(key, value);
  const [oldest] = memory.keys();
  if (memory.size > MAX_REMEMBERED && oldest !== undefined) memory.delete(oldest);
}

function sourceDetail(isConnected: boolean, report: SourceReport | undefined): Readonly<Record<string, unknown>> {
  const state = (is: boolean) => (is ? 'CONNECTED' : 'DISCONNECTED');
  const health = report?.health;
  return {
    unhealthy: !isConnected,
    current: {
      source_state: state(isConnected),
      tr101: {
        ts_sync_loss: (health?.syncLosses ?? 0) > 0,
        continuity_count_error: (health?.continuityErrors ?? 0) > 0,
        transport_error: (health?.transportErrors ?? 0) > 0,
        pcr_error: (health?.pcrErrors ?? 0) > 0,
      },
    },
    previous: { source_state: state(!isConnected) },
  };
}
