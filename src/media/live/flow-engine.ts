import type { Still } from '../stills/still-job.ts';
import type { FlowSpec } from './flow-spec.ts';
import type { LegEvent, OutputStatistics, SourceStatistics } from './leg.ts';
import type { ProgramInfo, StreamHealth } from './stream-report.ts';

/** Moves live flows, in processes of its own. */
export interface FlowEngine {
  /**
   * Starts a flow, or changes one that runs: legs whose specification is the same go on untouched, others are closed,
   * and opened anew. Calls for one flow take effect in their order.
   *
   * An output that cannot be opened is tried again every few seconds and told in the status; the others run.
   *
   * @returns the ports that the legs listen on, by the leg's id
   * @throws LegError when a source cannot be opened: a new flow then does not run, and one that ran goes on as it was
   */
  apply(spec: FlowSpec): Promise<ReadonlyMap<string, number>>;
  /** Ends a flow: its ports are free then. */
  stop(flowId: string): Promise<void>;
  /** How a flow was in the last second; `undefined` of one that does not run. */
  status(flowId: string): FlowStatus | undefined;
  /** Of all flows that run. */
  statuses(): readonly FlowStatus[];
  /**
   * A JPEG of the newest key frame.
   *
   * @returns `undefined` when none came yet, or it cannot be decoded
   * @throws FFmpegUnavailableError
   */
  thumbnail(flowId: string): Promise<Thumbnail | undefined>;
  /** Calls `listener` for what happens to flows, until the returned function is called. */
  onEvent(listener: (event: FlowEvent) => void): () => void;
  /** Ends all flows and processes. */
  close(): Promise<void>;
}

export interface Thumbnail {
  readonly picture: NonNullable<Still>;
  /** Milliseconds since the epoch: when the key frame came. */
  readonly at: number;
}

export type FlowEvent =
  | { readonly flowId: string; readonly kind: 'source'; readonly legId: string; readonly event: LegEvent }
  | { readonly flowId: string; readonly kind: 'output'; readonly legId: string; readonly event: LegEvent }
  /** Another of two sources is taken; `undefined` where none is there. */
  | { readonly flowId: string; readonly kind: 'selected'; readonly sourceId: string | undefined }
  /** The process died, and the flow was started in another. */
  | { readonly flowId: string; readonly kind: 'restarted' };

export interface FlowStatus {
  readonly flowId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly sources: readonly SourceReport[];
  readonly outputs: readonly OutputReport[];
  /** Of the stream that the outputs get. */
  readonly health: StreamHealth;
  readonly programs: readonly ProgramInfo[];
  /** The source that is taken; with `merge` the first that is connected. */
  readonly selectedSource: string | undefined;
  /** With `merge`: whether both sources give packets, and milliseconds of delay that it costs. */
  readonly merge?: { readonly isActive: boolean; readonly latencyMs: number };
}

export interface SourceReport {
  readonly id: string;
  readonly name: string;
  readonly statistics: SourceStatistics;
  readonly bitsPerSecond: number;
  readonly health: StreamHealth;
}

export interface OutputReport {
  readonly id: string;
  readonly name: string;
  readonly statistics: OutputStatistics;
  readonly bitsPerSecond: number;
  /** Why the output could not be opened; it is tried again. */
  readonly failure?: string;
}
