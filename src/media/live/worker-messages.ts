import type { FlowEvent, FlowStatus } from './flow-engine.ts';
import type { FlowSpec } from './flow-spec.ts';
import type { LegErrorCode } from './leg-error.ts';
import type { KeyFrame } from '../transport-stream/key-frame-keeper.ts';

/** Platform → flow worker. Each request is answered once. */
export type ToFlowWorker =
  | { readonly kind: 'apply'; readonly request: number; readonly spec: FlowSpec }
  | { readonly kind: 'stop'; readonly request: number; readonly flowId: string }
  | { readonly kind: 'key-frame'; readonly request: number; readonly flowId: string };

/** Flow worker → platform. */
export type FromFlowWorker =
  | { readonly kind: 'done'; readonly request: number; readonly answer: FlowAnswer }
  | { readonly kind: 'failed'; readonly request: number; readonly code: LegErrorCode; readonly message: string }
  | { readonly kind: 'event'; readonly event: FlowEvent }
  /** Every second, also when no flow runs: the worker lives. */
  | { readonly kind: 'report'; readonly statuses: readonly FlowStatus[] };

export interface FlowAnswer {
  readonly ports?: ReadonlyMap<string, number>;
  readonly status?: FlowStatus | undefined;
  /** `at` in milliseconds since the epoch. */
  readonly keyFrame?: KeyFrame | undefined;
}
