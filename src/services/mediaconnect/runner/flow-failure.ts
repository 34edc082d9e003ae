import { LegError } from '#media/live/leg-error.ts';
import { KeyError } from './key-reader.ts';

/** One thing that keeps a flow from running. */
export interface Problem {
  /** As AWS's alerts have it. */
  readonly code: string;
  readonly message: string;
}

/** Why a flow cannot run, or cannot be changed as it runs. */
export class FlowFailure extends Error {
  readonly problems: readonly Problem[];
  /** True when there is nothing to take the stream from: the entitlement is gone, or does not fit. */
  readonly isUnentitled: boolean;

  constructor(problems: readonly Problem[], isUnentitled = false) {
    super(problems.map(({ message }) => message).join(' '));
    this.name = 'FlowFailure';
    this.problems = problems;
    this.isUnentitled = isUnentitled;
  }
}

/** @returns `undefined` for what is nobody's fault but ours */
export function flowFailureOf(error: unknown): FlowFailure | undefined {
  if (error instanceof FlowFailure) return error;
  if (error instanceof KeyError) return new FlowFailure([{ code: error.code, message: error.message }]);
  if (error instanceof LegError)
    return new FlowFailure([{ code: 'ServiceUnavailableException', message: error.message }]);
  return undefined;
}
