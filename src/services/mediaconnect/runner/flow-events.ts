import { parseArn } from '#kernel/arn.ts';
import type { EventSink } from '#kernel/event-sink.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';

/** Tells what happens to flows: alerts to the log, everything to the events of the flow's account. */
export class FlowEvents {
  readonly #sink: EventSink;
  readonly #logger: Logger;

  constructor(sink: EventSink, logger: Logger) {
    this.#sink = sink;
    this.#logger = logger;
  }

  stateChanged(flow: string, previousStatus: string, currentStatus: string): void {
    if (previousStatus === currentStatus) return;
    this.#put('MediaConnect Flow Status Change', [flow], { currentStatus, previousStatus });
    this.#logger.info({ flow, previousStatus, currentStatus }, 'a flow changed its status');
  }

  /** Something is wrong with a flow. INVARIANT: `message` names roles and secrets, and never what a secret holds. */
  alert(flow: string, code: string, message: string): void {
    this.#put('MediaConnect Alert', [flow], { errored: true, 'error-code': code, 'error-message': message });
    this.#logger.warn({ flow, code }, message);
  }

  /** What was wrong is right again. */
  cleared(flow: string, code: string, message: string): void {
    this.#put('MediaConnect Alert', [flow], { errored: false, 'error-code': code, 'error-message': message });
    this.#logger.info({ flow, code }, message);
  }

  sourceHealth(flow: string, source: string, detail: Readonly<Record<string, unknown>>): void {
    this.#put('MediaConnect Source Health', [flow, source], detail);
  }

  outputHealth(flow: string, output: string, isConnected: boolean): void {
    const state = (is: boolean) => ({ state: is ? 'CONNECTED' : 'DISCONNECTED' });
    this.#put('MediaConnect Output Health', [flow, output], {
      current: state(isConnected),
      previous: state(!isConnected),
    });
  }

  outputStatusChanged(flow: string, output: string, previousStatus: string, currentStatus: string): void {
    this.#put('MediaConnect Output Status Change', [flow, output], { currentStatus, previousStatus });
  }

  /** Another of the two sources is taken. */
  flowHealth(flow: string, detail: Readonly<Record<string, unknown>>): void {
    this.#put('MediaConnect Flow Health', [flow], detail);
  }

  #put(detailType: string, resources: readonly string[], detail: Readonly<Record<string, unknown>>): void {
    const arn = parseArn(resources[0] ?? '');
    if (arn === undefined) return;
    this.#sink.put({
      source: 'aws.mediaconnect',
      'detail-type': detailType,
      account: arn.account as AccountId,
      region: arn.region as Region,
      resources,
      detail,
    });
  }
}
